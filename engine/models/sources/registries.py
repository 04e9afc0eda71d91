"""Which package registries this machine is set up to use: what pip, uv and npm are told.

People behind a company's mirror have told pip and npm about it once; that must be enough.
"""

from __future__ import annotations

import configparser
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

PYPI = "https://pypi.org/simple"
NPM = "https://registry.npmjs.org"


def python_indexes(environment: Mapping[str, str]) -> list[str]:
    """Addresses of the simple indexes, the main one first, without trailing slashes.

    Args:
        environment: the process environment; `PIP_*` and `UV_*` variables in it win over pip's
            configuration files, as they do for pip and uv.
    """
    no_index = _pip_option(environment, "no-index").lower() in ("1", "true", "yes", "on")
    if no_index:
        return []
    main = (
        environment.get("UV_DEFAULT_INDEX")
        or environment.get("UV_INDEX_URL")
        or _pip_option(environment, "index-url")
        or PYPI
    )
    extra = " ".join(
        (
            environment.get("UV_INDEX", ""),
            environment.get("UV_EXTRA_INDEX_URL", ""),
            _pip_option(environment, "extra-index-url"),
        )
    )
    # uv lets an index be given as NAME=ADDRESS
    named = [main.strip(), *extra.split()]
    addresses = [
        name_or_url.partition("=")[2] if "://" not in name_or_url.partition("=")[0] else name_or_url
        for name_or_url in named
    ]
    return list(dict.fromkeys(address.rstrip("/") for address in addresses if address))


def python_link_folders(environment: Mapping[str, str]) -> list[Path]:
    """Local folders of wheels that pip is told to look into (`find-links`)."""
    places = f"{_pip_option(environment, 'find-links')} {environment.get('UV_FIND_LINKS', '')}"
    folders = []
    for place in places.replace(",", " ").split():
        path = local_path(place) if "://" in place else Path(place).expanduser()
        if path is not None and path.is_dir():
            folders.append(path)
    return folders


def npm_registry(environment: Mapping[str, str], package: str) -> str:
    """Address of the npm registry for a package, without a trailing slash.

    A scope's own registry (`@scope:registry` in `.npmrc`) wins over the general one.
    """
    lowered = {name.lower(): value for name, value in environment.items()}
    settings = _npmrc(lowered)
    scope = package.partition("/")[0] if package.startswith("@") else ""
    chosen = (
        (settings.get(f"{scope}:registry") if scope else None)
        or lowered.get("npm_config_registry")
        or settings.get("registry")
        or NPM
    )
    return chosen.rstrip("/")


def local_path(url: str) -> Path | None:
    """The path of a `file:` URL; None for any other URL."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _pip_option(environment: Mapping[str, str], option: str) -> str:
    from_environment = environment.get(f"PIP_{option.upper().replace('-', '_')}")
    if from_environment:
        return from_environment
    value = ""
    for path in _pip_files(environment):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # pip will complain about its own file; we can do without it
        for section in ("global", "install", "download"):
            value = parser.get(section, option, fallback=value)
    return value


def _pip_files(environment: Mapping[str, str]) -> Iterator[Path]:
    """Pip's configuration files, those that win last."""
    named = environment.get("PIP_CONFIG_FILE")
    if named == "/dev/null":
        return  # pip's documented way to read no file at all
    home = Path(environment.get("HOME") or Path("~").expanduser())
    for folder in (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        yield Path(folder) / "pip" / "pip.conf"
    yield Path("/etc/pip.conf")
    yield home / ".pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if appdata := environment.get("APPDATA"):
        yield Path(appdata) / "pip" / "pip.ini"
    yield Path(sys.prefix) / ("pip.ini" if sys.platform == "win32" else "pip.conf")
    if named:
        yield Path(named)


def _npmrc(lowered_environment: Mapping[str, str]) -> dict[str, str]:
    home = lowered_environment.get("home") or str(Path("~").expanduser())
    path = Path(lowered_environment.get("npm_config_userconfig") or Path(home) / ".npmrc")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith((";", "#")))
    return {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}
