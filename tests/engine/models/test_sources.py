"""Sources: the hub, wheels, npm, addresses and files, and how this machine is set up for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.models.sources.registries import npm_registry, python_indexes, python_link_folders
from personas.errors import UnavailableError
from tests.engine.models.conftest import Shop, body_of, entry_of, file_of
from tests.fakes.registries import tar_of, zip_of

BODY = body_of(50_000)
TEXT = b"what compresses well " * 3_000
BALLAST = body_of(900_000, seed=9)


def wheel(member: str, package: str = "lemon", version: str = "1.0") -> dict[str, object]:
    return {"kind": "wheel", "package": package, "version": version, "member": member}


@pytest.mark.parametrize("as_html", [False, True], ids=["json", "html"])
@pytest.mark.parametrize("stored", [False, True], ids=["deflated", "stored"])
@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_member_of_a_wheel(shop: Shop, as_html: bool, stored: bool, ranges: bool) -> None:
    archive = zip_of({"lemon/__init__.py": b"", "lemon/x.bin": TEXT}, stored=stored)
    shop.registry.add_wheel("lemon", "1.0", archive, as_html=as_html)
    shop.registry.ranges = ranges
    store = shop.store(entry_of("lemon", file_of("x.bin", TEXT, wheel("lemon/x.bin"))))
    assert store.pull("lemon").read_bytes() == TEXT


def test_only_the_wanted_member_of_a_big_wheel_is_read(shop: Shop) -> None:
    path = shop.registry.add_wheel(
        "lemon", "1.0", zip_of({"big": BALLAST, "x": BODY, "y": BALLAST})
    )
    store = shop.store(entry_of("lemon", file_of("x", BODY, wheel("x"))))
    assert store.pull("lemon").read_bytes() == BODY
    spans = [asked.removeprefix("bytes=").split("-") for asked in shop.registry.sent(path)]
    assert sum(int(last) - int(first) + 1 for first, last in spans) < 200_000


def test_a_cut_in_a_compressed_member_is_gone_on_with(shop: Shop) -> None:
    path = shop.registry.add_wheel("lemon", "1.0", zip_of({"x": BALLAST}))
    shop.registry.cut[path] = [300_000]
    store = shop.store(entry_of("lemon", file_of("x", BALLAST, wheel("x"))))
    assert store.pull("lemon").read_bytes() == BALLAST
    starts = [int(r.removeprefix("bytes=").split("-")[0]) for r in shop.registry.sent(path)]
    assert starts[-1] - starts[-2] == 300_000


def test_parts_are_joined_by_number_not_by_alphabet(shop: Shop) -> None:
    pieces = [body_of(1_000, seed=n) for n in range(1, 13)]
    for n, piece in enumerate(pieces, 1):
        shop.registry.add_wheel(f"lemon-{n}", "2", zip_of({f"lemon_{n}/data/p.bin": piece}))
    source = {**wheel("lemon_{n}/data/*.bin", "lemon-{n}", "2"), "parts": 12}
    store = shop.store(entry_of("lemon", file_of("x", b"".join(pieces), source)))
    assert store.pull("lemon").read_bytes() == b"".join(pieces)


def test_members_of_one_wheel_are_joined_by_number(shop: Shop) -> None:
    pieces = {f"part{n}.bin": body_of(1_000, seed=n) for n in (10, 9, 1, 2)}
    whole = b"".join(pieces[f"part{n}.bin"] for n in (1, 2, 9, 10))
    shop.registry.add_wheel("lemon", "1.0", zip_of(pieces))
    store = shop.store(entry_of("lemon", file_of("x", whole, wheel("part*.bin"))))
    assert store.pull("lemon").read_bytes() == whole


def test_another_version_is_not_taken(shop: Shop) -> None:
    shop.registry.add_wheel("lemon", "1.0.1", zip_of({"x": BODY}))
    store = shop.store(entry_of("lemon", file_of("x", BODY, wheel("x", version="1.0"))))
    with pytest.raises(UnavailableError, match=r"no wheel of lemon 1\.0 found"):
        store.pull("lemon")


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (b"not a zip at all" * 100, "not a zip archive"),
        (zip_of({"other": BODY}), "holds no x"),
        (zip_of({"x": BODY * 2}), "holds more than the file"),
        (zip_of({"x": BODY[:-1]}), "49,999 bytes where 50,000 are right"),
    ],
    ids=["no archive", "no member", "bomb", "short"],
)
def test_a_wheel_that_is_not_what_it_should_be(shop: Shop, archive: bytes, reason: str) -> None:
    shop.registry.add_wheel("lemon", "1.0", archive)
    store = shop.store(entry_of("lemon", file_of("x", BODY, wheel("x"))))
    with pytest.raises(UnavailableError, match=reason):
        store.pull("lemon")
    assert shop.leftovers() == []


def test_a_damaged_member_is_seen(shop: Shop) -> None:
    archive = bytearray(zip_of({"x": TEXT}))
    archive[40:60] = bytes(20)
    shop.registry.add_wheel("lemon", "1.0", bytes(archive))
    store = shop.store(entry_of("lemon", file_of("x", TEXT, wheel("x"))))
    with pytest.raises(UnavailableError, match=r"damaged|cut off|another file|are right"):
        store.pull("lemon")


def test_a_tarball_of_npm_and_a_member_of_it(shop: Shop) -> None:
    tarball = tar_of({"package/package.json": b"{}", "package/icons.json": TEXT})
    shop.registry.add_npm("@farm/lemon", "1.0.0", tarball)
    whole = {"kind": "npm", "package": "@farm/lemon", "version": "1.0.0"}
    member = {**whole, "member": "package/icons.json"}
    files = file_of("all.tgz", tarball, whole), file_of("icons.json", TEXT, member)
    folder = shop.store(entry_of("lemon", *files)).pull("lemon")
    assert (folder / "all.tgz").read_bytes() == tarball
    assert (folder / "icons.json").read_bytes() == TEXT


def test_the_hub_is_asked_at_its_configured_endpoint(shop: Shop) -> None:
    shop.registry.files["/hub/farm/lemon/resolve/v1/lemon.gguf"] = BODY
    source = {"kind": "hub", "repo": "farm/lemon", "file": "lemon.gguf", "revision": "v1"}
    store = shop.store(entry_of("lemon", file_of("lemon.gguf", BODY, source)))
    assert store.pull("lemon").read_bytes() == BODY


def test_a_local_file_is_copied_and_stays(shop: Shop) -> None:
    original = shop.home / "lemon.bin"
    original.write_bytes(BODY)
    source = {"kind": "file", "path": str(original)}
    store = shop.store(entry_of("lemon", file_of("x", BODY, source)), offline=True)
    assert store.pull("lemon").read_bytes() == BODY
    assert original.read_bytes() == BODY


def test_wheels_in_a_folder_do_without_an_index(shop: Shop) -> None:
    folder = shop.home / "wheelhouse"
    folder.mkdir()
    (folder / "lemon-1.0-py3-none-any.whl").write_bytes(zip_of({"a": BALLAST, "x": TEXT}))
    environment = {"HOME": str(shop.home), "PIP_FIND_LINKS": str(folder), "PIP_NO_INDEX": "1"}
    store = shop.store(
        entry_of("lemon", file_of("x", TEXT, wheel("x"))), environment=environment, offline=True
    )
    assert store.pull("lemon").read_bytes() == TEXT


def test_a_local_index_is_an_index(shop: Shop) -> None:
    index = shop.home / "index"
    (index / "lemon").mkdir(parents=True)
    name = "lemon-1.0-py3-none-any.whl"
    (index / "lemon" / name).write_bytes(zip_of({"x": TEXT}))
    (index / "lemon" / "index.html").write_text(f'<a href="{name}">{name}</a>')
    environment = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": index.as_uri()}
    store = shop.store(
        entry_of("lemon", file_of("x", TEXT, wheel("x"))), environment=environment, offline=True
    )
    assert store.pull("lemon").read_bytes() == TEXT


class TestHowTheMachineIsSetUp:
    def test_without_any_word_it_is_the_public_registries(self, tmp_path: Path) -> None:
        nothing = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}
        assert python_indexes(nothing) == ["https://pypi.org/simple"]
        assert npm_registry(nothing, "lemon") == "https://registry.npmjs.org"

    def test_pip_configuration_is_read(self, tmp_path: Path) -> None:
        config = tmp_path / "pip.conf"
        config.write_text(
            "[global]\nindex-url = https://a.example/simple/\n"
            "extra-index-url =\n  https://b.example/simple\n  https://c.example/simple\n"
            f"find-links = {tmp_path}\n"
        )
        told = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(config)}
        assert python_indexes(told) == [f"https://{x}.example/simple" for x in "abc"]
        assert python_link_folders(told) == [tmp_path]

    def test_the_environment_wins(self, tmp_path: Path) -> None:
        (tmp_path / ".config" / "pip").mkdir(parents=True)
        config = tmp_path / ".config" / "pip" / "pip.conf"
        config.write_text("[global]\nindex-url = https://file.example/simple\n")
        told = {"HOME": str(tmp_path), "PIP_INDEX_URL": "https://env.example/simple"}
        assert python_indexes(told)[0] == "https://env.example/simple"
        told["UV_DEFAULT_INDEX"] = "corner=https://uv.example/simple"
        assert python_indexes(told)[0] == "https://uv.example/simple"

    def test_a_broken_pip_configuration_is_no_obstacle(self, tmp_path: Path) -> None:
        config = tmp_path / "pip.conf"
        config.write_bytes(b"\xff\xfe[global")
        told = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(config)}
        assert python_indexes(told)[0].startswith("https://")

    def test_npmrc_and_scopes(self, tmp_path: Path) -> None:
        (tmp_path / ".npmrc").write_text(
            "; mine\nregistry=https://all.example/\n@farm:registry = https://farm.example\n"
        )
        told = {"HOME": str(tmp_path)}
        assert npm_registry(told, "lemon") == "https://all.example"
        assert npm_registry(told, "@farm/lemon") == "https://farm.example"
        told["NPM_CONFIG_REGISTRY"] = "https://env.example"
        assert npm_registry(told, "lemon") == "https://env.example"
