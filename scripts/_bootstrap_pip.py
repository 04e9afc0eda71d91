"""Puts pip into a virtual environment whose Python came without it; run by that Python.

Only the standard library is there yet. The wheel is taken from the index that pip is set up to use
(PIP_INDEX_URL), and it must be exactly the one whose hash is written here.
"""

from __future__ import annotations

import hashlib
import os
import re
import runpy
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

WHEEL = "pip-26.3-py3-none-any.whl"
SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"


def get(url: str) -> bytes:
    """GET an address."""
    with urllib.request.urlopen(url, timeout=60) as response:
        body: bytes = response.read()
    return body


def main() -> None:
    """Fetch pip's wheel and let it install itself."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    page = f"{index}/pip/"
    link = re.search(rf'href="([^"]*{re.escape(WHEEL)})[#"]', get(page).decode())
    if link is None:
        sys.exit(f"{page} does not have {WHEEL}.")
    wheel = get(urllib.parse.urljoin(page, link[1]))
    if hashlib.sha256(wheel).hexdigest() != SHA256:
        sys.exit(f"{page} has another {WHEEL} than the one we know.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WHEEL
        path.write_bytes(wheel)
        sys.path.insert(0, str(path))
        sys.argv = ["pip", "install", "--quiet", "--no-index", str(path)]
        runpy.run_module("pip", run_name="__main__")


if __name__ == "__main__":
    main()
