"""The configuration: none is needed, every option is documented, mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot import settings
from personas.errors import InvalidInputError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def config(text: str) -> Path:
    file = Path("some.toml")
    file.write_text(text, encoding="utf-8")
    return file


def refusal(text: str) -> str:
    with pytest.raises(InvalidInputError) as refused:
        settings.load(config(text))
    return str(refused.value)


def test_no_configuration_is_needed() -> None:
    assert settings.load().language_model.backend == "auto"


def test_a_file_in_the_working_folder_is_read() -> None:
    Path("config.toml").write_text("[speech]\nmax_seconds = 12\n")
    assert settings.load().speech.max_seconds == 12


def test_the_environment_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATANYTHING_CONFIG", str(config("[speech]\nmax_seconds = 13\n")))
    assert settings.load().speech.max_seconds == 13


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATANYTHING_SPEECH__MAX_SECONDS", "14")
    loaded = settings.load(config("[speech]\nmax_seconds = 12\nthreads = 2\n"))
    assert (loaded.speech.max_seconds, loaded.speech.threads) == (14, 2)


def test_a_misspelt_key_is_named_with_its_line_and_the_nearest_right_one() -> None:
    said = refusal("# hello\n[speech]\n\nmax_secnods = 3\n")
    assert "line 4" in said
    assert "speech.max_secnods" in said
    assert "max_seconds" in said


def test_a_misspelt_table_is_named_with_its_line_and_the_nearest_right_one() -> None:
    said = refusal("[speech]\nthreads = 1\n[languagemodel]\nmodel = 'x'\n")
    assert "line 3" in said
    assert "language_model" in said


def test_a_wrong_value_is_named_with_its_line() -> None:
    said = refusal("[speech]\nmax_seconds = 'long'\n")
    assert "line 2" in said
    assert "'long'" in said


def test_a_dotted_key_is_found() -> None:
    assert "line 2" in refusal("\nspeech.max_seconds = -1\n")


def test_every_mistake_is_named_at_once() -> None:
    assert len(refusal("[speech]\nfoo = 1\nbar = 2\n").splitlines()) == 2


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATANYTHING_SPEECH__MAX_SECONDS", "soon")
    with pytest.raises(InvalidInputError, match="CHATANYTHING_SPEECH__MAX_SECONDS"):
        settings.load()


def wrong_in_the_environment(monkeypatch: pytest.MonkeyPatch, text: str = "", **set: str) -> str:
    for name, value in set.items():
        monkeypatch.setenv(name, value)
    return refusal(text)


def test_a_list_in_a_variable_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    said = wrong_in_the_environment(
        monkeypatch,
        CHATANYTHING_DISCORD__TOKEN="sk-very-secret",
        CHATANYTHING_DISCORD__SHARD_IDS="0,1",
    )
    [line] = said.splitlines()
    assert "CHATANYTHING_DISCORD__SHARD_IDS" in line and "JSON" in line
    monkeypatch.setenv("CHATANYTHING_DISCORD__SHARD_IDS", "[0, 1]")
    monkeypatch.setenv("CHATANYTHING_DISCORD__SHARD_COUNT", "2")
    assert settings.load().discord.shard_ids == (0, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHATANYTHING_SPEECH__THREADS", "many"),
        ("CHATANYTHING_SPEECH", '{"threads": "many"}'),
        ("CHATANYTHING_SPEECH__ENGINES", '["kokoro", "piper"]'),
    ],
)
def test_a_wrong_variable_is_not_blamed_on_the_file(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    file = "[speech]\nthreads = 2\nengines = ['kokoro']\nmax_seconds = 12\n"
    said = wrong_in_the_environment(monkeypatch, file, **{name: value})
    assert f"environment variable {name}: speech." in said
    assert "line" not in said


def test_what_does_not_fit_together_is_named_wherever_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = wrong_in_the_environment(
        monkeypatch, "[discord]\nshard_count = 2\n", CHATANYTHING_DISCORD__SHARD_IDS="[5]"
    )
    assert "line 1 and environment variable CHATANYTHING_DISCORD__SHARD_IDS: discord:" in said


@pytest.mark.parametrize("wrong", ["CHATANYTHING_SPEACH__THREADS", "CHATANYTHING_SPEECH_THREADS"])
def test_a_misspelt_variable_is_named_with_the_nearest_right_one(
    monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    said = wrong_in_the_environment(monkeypatch, **{wrong: "2"})
    assert f"{wrong} sets no option" in said
    assert "did you mean CHATANYTHING_SPEECH__THREADS?" in said


@pytest.mark.parametrize(
    "name",
    [
        "CHATANYTHING_MIGRATE_TO",
        "CHATANYTHING_BENCH_DATABASE_URL",
        "CHATANYTHING_SERVICE_HOST",
        "CHATANYTHING_PORT_9100_TCP_ADDR",
        "CHATANYTHING_DISCORD_SERVICE_PORT",
    ],
)
def test_variables_with_another_meaning_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "x")
    assert settings.load() == settings.Settings()


def test_a_byte_order_mark_is_no_part_of_the_file() -> None:
    Path("some.toml").write_text("[speech]\nthreads = 3\n", encoding="utf-8-sig")
    assert settings.load(Path("some.toml")).speech.threads == 3


@pytest.mark.parametrize("text", ["[speech", "a = 'b", "= 1", "[speech]\nthreads = 1\nthreads = 2"])
def test_broken_toml_is_refused_with_its_place(text: str) -> None:
    assert "line" in refusal(text) or "end of document" in refusal(text)


def test_a_file_that_is_not_text_is_refused() -> None:
    Path("some.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError, match="UTF-8"):
        settings.load(Path("some.toml"))


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"no configuration file nowhere\.toml"):
        settings.load(Path("nowhere.toml"))


def test_a_wrong_secret_is_not_repeated() -> None:
    said = refusal("[language_model]\napi_key = [ 'sk-very-secret' ]\n")
    assert "line 2" in said
    assert "sk-very-secret" not in said


@pytest.mark.parametrize(
    "text",
    [
        "discord = 'sk-very-secret'",
        "[discord]\ntoken = 'sk-very-secret'\nshard_ids = [5]",
        "[telegram]\nproxy = ['http://me:sk-very-secret@proxy']",
    ],
    ids=["in place of a table", "beside what is wrong", "in an address"],
)
def test_a_secret_is_not_repeated_for_the_mistake_of_another(text: str) -> None:
    assert "sk-very-secret" not in refusal(text)


def test_the_example_documents_every_option_and_is_up_to_date() -> None:
    kept = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    assert kept == settings.example(), "run: chatanything config example > config.example.toml"


def test_the_example_is_valid_with_every_option_set() -> None:
    lines = settings.example().splitlines()
    chosen = [line.removeprefix("# ") if " = " in line else line for line in lines]
    chosen = [line for line in chosen if not line.endswith('= ""')]
    chosen = [line for line in chosen if "folder = " not in line]
    assert settings.load(config("\n".join(chosen))) == settings.load()
