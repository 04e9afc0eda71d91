"""Archives that become folders, and archives that mean harm."""

from __future__ import annotations

import pytest

from engine.models import archives
from personas.errors import UnavailableError
from tests.engine.models.conftest import Shop, entry_of, file_of
from tests.fakes.registries import tar_of, zip_of

PICTURES = {"pack/svg/lemon.svg": b"<svg/>", "pack/svg/sub/pear.svg": b"<svg>pear</svg>"}
REST = {"pack/LICENCE": b"free", "pack/svg/lemon.png": b"PNG"}
TAKE = {"root": "pack/svg", "include": ["*.svg"]}


@pytest.mark.parametrize("pack", [zip_of, tar_of])
def test_an_archive_becomes_a_folder(shop: Shop, pack: object) -> None:
    archive = pack({**REST, **PICTURES})  # type: ignore[operator]
    store = shop.store(
        entry_of("fruit", file_of("fruit.pack", archive, shop.url("/f", archive), unpack=TAKE))
    )
    folder = store.pull("fruit")
    kept = {p.relative_to(folder).as_posix() for p in folder.rglob("*.*") if p.is_file()}
    assert kept == {".manifest.json", "lemon.svg", "sub/pear.svg"}
    assert shop.leftovers() == []
    store.verify("fruit")


def refused(shop: Shop, archive: bytes, unpack: object = TAKE) -> str:
    source = shop.url("/f", archive)
    store = shop.store(entry_of("fruit", file_of("pack", archive, source, unpack=unpack)))
    with pytest.raises(UnavailableError, match="cannot be unpacked") as caught:
        store.pull("fruit")
    assert not store.has("fruit")
    assert not any(shop.folder.parent.rglob("*evil*"))
    return str(caught.value)


@pytest.mark.parametrize("pack", [zip_of, tar_of])
@pytest.mark.parametrize(
    "name",
    [
        "pack/svg/../../../evil.svg",
        "pack/svg//etc/evil.svg",
        "pack/svg/C:\\evil.svg",
        "pack/svg/..\\evil.svg",
        "pack/svg/.manifest.json/evil.svg",
        "pack/svg/ev\x01il.svg",
    ],
)
def test_names_that_lead_outside_are_refused(shop: Shop, pack: object, name: str) -> None:
    said = refused(shop, pack({**PICTURES, name: b"evil"}))  # type: ignore[operator]
    assert "leads outside" in said


def test_links_are_refused(shop: Shop) -> None:
    said = refused(shop, tar_of(PICTURES, links={"pack/svg/evil.svg": "/etc/passwd"}))
    assert "link or a device" in said


def test_links_outside_of_what_is_taken_do_no_harm(shop: Shop) -> None:
    archive = tar_of(PICTURES, links={"pack/evil": "/etc/passwd"})
    source = shop.url("/f", archive)
    store = shop.store(entry_of("fruit", file_of("pack", archive, source, unpack=TAKE)))
    assert (store.pull("fruit") / "lemon.svg").is_file()


def test_a_bomb_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED", 100_000)
    assert "unfolds to more" in refused(shop, zip_of({"pack/svg/a.svg": bytes(200_000)}))


def test_what_is_no_archive_is_said_to_be_damaged(shop: Shop) -> None:
    assert "damaged" in refused(shop, b"neither zip nor tar")


def test_an_archive_without_what_is_wanted_is_said_so(shop: Shop) -> None:
    assert "holds nothing of pack/svg" in refused(shop, zip_of({"x": b"y"}))
