"""Looking after what is here: states, paths, verifying, removing."""

from __future__ import annotations

import pytest

from engine.models import __main__ as command
from engine.models.progress import PullProgress, PullStage
from engine.models.settings import ModelStoreSettings
from engine.models.store import ModelState, ModelStore
from personas.errors import NotFoundError, UnavailableError
from tests.engine.models.conftest import Shop, body_of, entry_of, file_of

ONE, TWO = body_of(5_000, 1), body_of(6_000, 2)


@pytest.fixture
def store(shop: Shop) -> ModelStore:
    files = file_of("one", ONE, shop.url("/one", ONE)), file_of("two", TWO, shop.url("/two", TWO))
    single = file_of("one", ONE, shop.url("/one", ONE))
    return shop.store(entry_of("lemons", *files), entry_of("lemon", single))


def test_states(store: ModelStore) -> None:
    store.pull("lemon")
    states = {status.entry.name: status for status in store.entries()}
    assert states["lemons"].state is ModelState.ABSENT
    assert states["lemons"].bytes_on_disk == 0
    assert states["lemon"].state is ModelState.READY
    assert states["lemon"].bytes_on_disk > len(ONE)
    assert states["lemon"].path == store.path("lemon")


def test_a_model_of_many_files_is_a_folder(store: ModelStore) -> None:
    assert sorted(path.name for path in store.pull("lemons").glob("[a-z]*")) == ["one", "two"]


def test_a_missing_model_names_the_command_that_fetches_it(store: ModelStore) -> None:
    with pytest.raises(UnavailableError, match="`chatanything models pull lemons` fetches it"):
        store.path("lemons")


@pytest.mark.parametrize("method", ["has", "path", "pull", "verify", "remove", "status"])
def test_unknown_names_are_refused_everywhere(store: ModelStore, method: str) -> None:
    with pytest.raises(NotFoundError, match="There is no model called 'pear'"):
        getattr(store, method)("pear")


def test_a_whole_model_verifies(store: ModelStore) -> None:
    store.pull("lemons")
    told: list[PullProgress] = []
    store.verify("lemons", told.append)
    assert [progress.stage for progress in told] == [
        PullStage.CHECKING, PullStage.CHECKING, PullStage.READY,
    ]  # fmt: skip


def test_a_rotten_file_is_set_aside_and_only_it_is_fetched_again(
    shop: Shop, store: ModelStore
) -> None:
    folder = store.pull("lemons")
    rotten = TWO[:-1] + b"!"
    (folder / "two").write_bytes(rotten)
    assert store.has("lemons"), "a look at sizes cannot see it"
    with pytest.raises(UnavailableError, match="is damaged: two"):
        store.verify("lemons")
    assert not store.has("lemons")
    assert store.status("lemons").state is ModelState.PARTIAL
    assert (shop.folder / ".broken" / "lemons" / "two").read_bytes() == rotten
    shop.registry.asked.clear()
    store.pull("lemons")
    assert [path for path, _ in shop.registry.asked] == ["/two"]
    store.verify("lemons")
    assert shop.leftovers() == []


def test_a_file_that_vanished_is_noticed(store: ModelStore) -> None:
    (store.pull("lemons") / "one").unlink()
    assert not store.has("lemons")
    with pytest.raises(UnavailableError, match="is damaged: one"):
        store.verify("lemons")
    store.pull("lemons")
    store.verify("lemons")


def test_what_is_not_here_cannot_be_verified(store: ModelStore) -> None:
    with pytest.raises(UnavailableError, match="is not here yet"):
        store.verify("lemon")


def test_removing_frees_and_forgets(shop: Shop, store: ModelStore) -> None:
    store.pull("lemons")
    store.pull("lemon")
    assert store.remove("lemons") >= len(ONE) + len(TWO)
    assert not store.has("lemons") and store.has("lemon")
    assert store.remove("lemons") == 0
    assert not (shop.folder / "lemons").exists()
    assert shop.leftovers() == []


def test_removing_takes_unfinished_things_along(shop: Shop, store: ModelStore) -> None:
    shop.registry.cut["/two"] = [2_000] + [0] * 9
    with pytest.raises(UnavailableError):
        store.pull("lemons")
    assert store.status("lemons").state is ModelState.PARTIAL
    assert store.remove("lemons") >= len(ONE) + 2_000
    assert store.status("lemons").state is ModelState.ABSENT


def test_the_settings_make_a_store(shop: Shop) -> None:
    extra = shop.home / "more.toml"
    extra.write_text(
        '[[models]]\nname = "lemon"\npurpose = "art"\ntitle = "Lemon"\nauthor = "me"\n'
        'licence = "CC0-1.0"\n[[models.files]]\npath = "x"\nsize = 1\n'
        f'sha256 = "{"0" * 64}"\nsources = [{{ kind = "file", path = "/nowhere" }}]\n'
    )
    settings = ModelStoreSettings(folder=shop.folder, offline=True, catalogues=(extra,))
    store = ModelStore.from_settings(settings)
    assert store.catalogue.get("lemon").title == "Lemon"
    assert len(store.catalogue.models) > 5


def test_the_store_has_a_command_of_its_own(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(shop.home))
    assert command.main(["list"]) == 0
    assert "smollm2-135m" in capsys.readouterr().out
    assert command.main(["pull", "smolm2-135m"]) == 1
    assert "Did you mean 'smollm2-135m'" in capsys.readouterr().err
    assert command.main(["verify", "smollm2-135m"]) == 1
    assert command.main(["remove", "smollm2-135m"]) == 0
