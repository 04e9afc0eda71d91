"""Pulling: whole or not at all, whatever servers, disks and other processes do."""

from __future__ import annotations

import errno
import itertools
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from engine.models import download
from engine.models.progress import PullProgress, PullStage
from engine.models.store import ModelState, ModelStore
from engine.models.web import Patience
from personas.errors import NotFoundError, UnavailableError
from tests.engine.models.conftest import Shop, body_of, entry_of, file_of

BODY = body_of(200_000)
OTHER = body_of(200_000, seed=2)


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")


def test_a_model_is_fetched_and_found(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("a/lemon.bin", BODY, shop.url("/lemon", BODY))))
    assert not store.has("lemon")
    path = store.pull("lemon")
    assert path == shop.folder / "lemon" / "a" / "lemon.bin"
    assert path.read_bytes() == BODY
    assert store.has("lemon") and store.path("lemon") == path
    assert shop.leftovers() == []


def test_a_second_pull_asks_nobody(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    store.pull("lemon")
    shop.registry.asked.clear()
    assert store.pull("lemon").read_bytes() == BODY
    assert shop.registry.asked == []


def test_progress_tells_bytes_and_source_and_ends_ready(shop: Shop) -> None:
    files = [file_of(name, BODY, shop.url(f"/{name}", BODY)) for name in ("one", "two")]
    told: list[PullProgress] = []
    shop.store(entry_of("lemons", *files)).pull("lemons", told.append)
    assert {progress.total for progress in told} == {400_000}
    fetching = [progress for progress in told if progress.stage is PullStage.FETCHING]
    assert [p.done for p in fetching] == sorted(p.done for p in fetching)
    host = shop.registry.url.removeprefix("http://")
    assert {progress.source for progress in fetching} == {f"url {host}"}
    assert told[-1] == PullProgress("lemons", PullStage.READY, 400_000, 400_000)


def test_a_cut_connection_is_gone_on_with(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    shop.registry.cut["/lemon"] = [50_000, 60_000]
    assert store.pull("lemon").read_bytes() == BODY
    assert shop.registry.sent("/lemon") == ["", "bytes=50000-", "bytes=110000-"]


def test_a_server_without_ranges_starts_again(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    shop.registry.ranges = False
    shop.registry.cut["/lemon"] = [50_000]
    assert store.pull("lemon").read_bytes() == BODY


def test_an_overloaded_server_is_asked_again(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    shop.registry.status["/lemon"] = [503, 429, 500]
    assert store.pull("lemon").read_bytes() == BODY


def test_a_pull_that_was_given_up_goes_on_next_time(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    shop.registry.cut["/lemon"] = [50_000] + [0] * 9
    with pytest.raises(UnavailableError, match="goes on where this ended"):
        store.pull("lemon")
    shop.registry.cut.clear()
    assert store.status("lemon").state is ModelState.PARTIAL
    assert store.status("lemon").bytes_on_disk == 50_000
    shop.registry.asked.clear()
    assert store.pull("lemon").read_bytes() == BODY
    assert shop.registry.sent("/lemon") == ["bytes=50000-"]


def test_a_wrong_file_is_thrown_away_and_the_next_source_tried(shop: Shop) -> None:
    sources = (shop.url("/wrong", OTHER), shop.url("/right", BODY))
    store = shop.store(entry_of("lemon", file_of("x", BODY, *sources)))
    assert store.pull("lemon").read_bytes() == BODY
    assert shop.leftovers() == []


def test_a_spoilt_beginning_costs_no_source(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", OTHER))))
    shop.registry.cut["/lemon"] = [50_000] + [0] * 9
    with pytest.raises(UnavailableError):
        store.pull("lemon")
    shop.registry.cut.clear()
    shop.registry.files["/lemon"] = BODY
    assert store.pull("lemon").read_bytes() == BODY


@pytest.mark.parametrize("wrong", [BODY[:-1], BODY + b"x"], ids=["short", "long"])
def test_a_wrong_length_is_seen_before_it_is_fetched(shop: Shop, wrong: bytes) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", wrong))))
    with pytest.raises(UnavailableError, match="200,000 are right"):
        store.pull("lemon")


def test_the_last_sentence_names_every_source_and_its_reason(shop: Shop) -> None:
    sources = (
        {"kind": "hub", "repo": "farm/lemon", "file": "x"},
        {"kind": "wheel", "package": "lemon", "version": "1", "member": "x"},
        {"kind": "npm", "package": "@farm/lemon", "version": "1"},
        {"kind": "file", "path": str(shop.home / "nothing")},
        {"kind": "url", "url": f"{shop.registry.url}/forbidden"},
        shop.url("/wrong", OTHER),
    )
    shop.registry.status["/forbidden"] = [403]
    store = shop.store(entry_of("lemon", file_of("x", BODY, *sources)))
    with pytest.raises(UnavailableError) as caught:
        store.pull("lemon")
    said = str(caught.value)
    for reason in (
        "hub farm/lemon: 127.0.0.1 does not have it",
        "wheel lemon 1: no wheel of lemon 1 found",
        "npm @farm/lemon 1: 127.0.0.1 does not have it",
        "nothing: there is no such file",
        "refuses to give it (403)",
        "another file than the catalogue describes",
        "`chatanything models pull lemon` tries again",
    ):
        assert reason in said


def test_a_server_that_is_not_there_is_named(shop: Shop) -> None:
    source = {"kind": "url", "url": "http://127.0.0.1:9/lemon"}
    store = shop.store(entry_of("lemon", file_of("x", BODY, source)))
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1 could not be reached"):
        store.pull("lemon")


def test_a_password_in_an_address_is_never_shown(shop: Shop) -> None:
    source = {"kind": "url", "url": "http://me:secret@127.0.0.1:9/lemon"}
    store = shop.store(entry_of("lemon", file_of("x", BODY, source)))
    with pytest.raises(UnavailableError) as caught:
        store.pull("lemon")
    assert "secret" not in str(caught.value)


def test_a_server_that_drips_is_left_for_the_next(shop: Shop) -> None:
    sources = (shop.url("/slow", BODY), shop.url("/quick", BODY))
    store = shop.store(
        entry_of("lemon", file_of("x", BODY, *sources)),
        # a clock on which every look takes a minute: not even our loopback is that slow
        patience=Patience(clock=itertools.count(0, 60).__next__, slowest=1e6, window=45),
    )
    shop.registry.files["/quick"] = BODY
    with pytest.raises(UnavailableError, match="is too slow"):
        store.pull("lemon")


def test_offline_only_what_is_here_is_used(shop: Shop) -> None:
    lemon = entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY)))
    with pytest.raises(UnavailableError, match="set to be offline"):
        shop.store(lemon, offline=True).pull("lemon")
    assert shop.registry.asked == []
    local = shop.home / "drive"
    (local / "lemon").mkdir(parents=True)
    (local / "lemon" / "x").write_bytes(BODY)
    store = shop.store(lemon, offline=True, mirrors=(str(local),))
    assert store.pull("lemon").read_bytes() == BODY


def test_a_mirror_is_asked_first(shop: Shop) -> None:
    shop.registry.files["/mirror/lemon/x"] = BODY
    lemon = entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY)))
    shop.store(lemon, mirrors=(f"{shop.registry.url}/mirror/",)).pull("lemon")
    assert [path for path, _ in shop.registry.asked] == ["/mirror/lemon/x"]


def test_a_file_put_there_by_hand_is_taken_if_it_is_right(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    (shop.folder / "lemon").mkdir(parents=True)
    (shop.folder / "lemon" / "x").write_bytes(BODY)
    assert not store.has("lemon")
    assert store.pull("lemon").read_bytes() == BODY
    assert shop.registry.asked == []


def test_a_changed_catalogue_means_a_new_file(shop: Shop) -> None:
    shop.store(entry_of("lemon", file_of("old", OTHER, shop.url("/old", OTHER)))).pull("lemon")
    store = shop.store(entry_of("lemon", file_of("new", BODY, shop.url("/new", BODY))))
    assert not store.has("lemon")
    assert store.pull("lemon").read_bytes() == BODY
    assert not (shop.folder / "lemon" / "old").exists()


def test_an_unknown_name_gets_the_nearest(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    with pytest.raises(NotFoundError, match="Did you mean 'lemon'"):
        store.pull("lemmon")


def test_no_room_is_said_before_anything_is_fetched(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000))
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    with pytest.raises(UnavailableError, match=r"needs .* MB of free space"):
        store.pull("lemon")
    assert shop.registry.asked == []


def test_a_disk_that_fills_up_keeps_what_was_fetched(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(download.FileDownload, "_remember", full)
        with pytest.raises(UnavailableError, match="disk is full"):
            store.pull("lemon")
    assert store.status("lemon").state is ModelState.PARTIAL
    assert store.pull("lemon").read_bytes() == BODY


def test_a_folder_that_cannot_be_made_is_named(shop: Shop) -> None:
    shop.folder.write_text("a file is in the way")
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    with pytest.raises(UnavailableError, match="Set another folder for models"):
        store.pull("lemon")


def in_a_process(shop: Shop, store: ModelStore) -> subprocess.Popen[bytes]:
    catalogue = shop.home / "catalogue.json"
    catalogue.write_text(store.catalogue.model_dump_json(by_alias=True), encoding="utf-8")
    module = "tests.engine.models.puller"
    return subprocess.Popen([sys.executable, "-m", module, str(shop.folder), str(catalogue)])


def test_two_processes_fetch_it_once(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    gate = shop.registry.gate["/lemon"] = threading.Event()
    other = in_a_process(shop, store)
    wait_until(lambda: bool(shop.registry.asked))

    def listen(progress: PullProgress) -> None:
        if progress.stage is PullStage.WAITING:
            gate.set()

    assert store.pull("lemon", listen).read_bytes() == BODY
    assert gate.is_set()
    assert other.wait(20) == 0
    assert shop.registry.sent("/lemon") == [""]


def test_a_killed_process_leaves_what_the_next_goes_on_with(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    gate = shop.registry.gate["/lemon"] = threading.Event()
    other = in_a_process(shop, store)
    wait_until(lambda: store.status("lemon").bytes_on_disk >= len(BODY) // 2)
    other.send_signal(signal.SIGKILL)
    other.wait(20)
    gate.set()
    assert not store.has("lemon")
    assert store.pull("lemon").read_bytes() == BODY
    assert shop.registry.sent("/lemon") == ["", f"bytes={len(BODY) // 2}-"]


@pytest.mark.parametrize("certain", [0, 3])
def test_a_crash_while_joining_is_cut_back_to_what_is_certain(shop: Shop, certain: int) -> None:
    from tests.fakes.registries import zip_of

    pieces = [body_of(10_000, seed=n) for n in range(1, 6)]
    for n, piece in enumerate(pieces, 1):
        shop.registry.add_wheel(f"lemon-part{n}", "1", zip_of({f"part{n}/x.bin": piece}))
    source = {
        "kind": "wheel", "package": "lemon-part{n}", "version": "1", "parts": 5,
        "member": "part{n}/*.bin",
    }  # fmt: skip
    store = shop.store(entry_of("lemon", file_of("x", b"".join(pieces), source)))
    shop.registry.status["/wheels/lemon_part5-1-py3-none-any.whl"] = [404]
    with pytest.raises(UnavailableError):
        store.pull("lemon")
    joined = next(path for path in shop.leftovers() if path.name == "joined")
    assert joined.stat().st_size == 40_000
    with joined.open("ab") as file:
        file.write(b"half a chunk that was never finished")
    note = joined.with_name("joined.json")
    if certain:
        note.write_text(f'{{"parts": {certain}, "bytes": {certain * 10_000}}}')
    else:
        note.write_text("{")
    assert store.pull("lemon").read_bytes() == b"".join(pieces)


def test_nobody_sees_half_a_model(shop: Shop) -> None:
    store = shop.store(entry_of("lemon", file_of("x", BODY, shop.url("/lemon", BODY))))
    seen: list[bool] = []
    store.pull("lemon", lambda progress: seen.append(store.has("lemon")))
    assert seen[-1] and not any(seen[:-1])
    assert Path(store.path("lemon")).stat().st_size == len(BODY)
