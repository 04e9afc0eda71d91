"""A Hugging Face hub of its own: repositories are folders, and it counts what is fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.fakes.voice_service import serving

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Repositories by OWNER/NAME; `fetched` lists files, in order."""

    repositories: dict[str, Path]
    fetched: list[str] = field(default_factory=list)
    gated: bool = False
    address: str = ""

    async def about(self, request: web.Request) -> web.Response:
        folder = self._folder(request)
        if folder is None:
            return _missing()
        if request.match_info["revision"] not in ("main", COMMIT):
            return web.json_response({}, status=404, headers={"X-Error-Code": "RevisionNotFound"})
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        names = [{"rfilename": str(path.relative_to(folder))} for path in files]
        return web.json_response({"id": folder.name, "sha": COMMIT, "siblings": names})

    async def file(self, request: web.Request) -> web.StreamResponse:
        folder = self._folder(request)
        if folder is None:
            return _missing()
        if self.gated:
            return web.json_response({}, status=403, headers={"X-Error-Code": "GatedRepo"})
        path = folder / request.match_info["path"]
        if not path.is_file():
            return web.json_response({}, status=404, headers={"X-Error-Code": "EntryNotFound"})
        data = path.read_bytes()
        headers = {
            "X-Repo-Commit": COMMIT,
            "ETag": f'"{hashlib.sha1(data).hexdigest()}"',
            "Accept-Ranges": "bytes",
        }
        if request.method == "GET":
            self.fetched.append(request.match_info["path"])
        return web.Response(body=data, headers=headers)

    def _folder(self, request: web.Request) -> Path | None:
        return self.repositories.get(f"{request.match_info['owner']}/{request.match_info['name']}")


@contextmanager
def hub_of(repositories: dict[str, Path]) -> Iterator[Hub]:
    """Runs the hub in a thread of its own."""
    hub = Hub(repositories)
    app = web.Application()
    app.router.add_get("/api/models/{owner}/{name}/revision/{revision}", hub.about)
    app.router.add_get("/{owner}/{name}/resolve/{revision}/{path:.+}", hub.file)
    with serving(app) as address:
        hub.address = f"http://{address}"
        yield hub


def _missing() -> web.Response:
    return web.json_response({}, status=404, headers={"X-Error-Code": "RepoNotFound"})
