# shellcheck shell=bash
# Sourced by the other scripts. Gives ROOT (the checkout) and `prepare EXTRA...`, after which
# `run MODULE ARGUMENT...` runs a Python module of .venv with everything that was asked for.

ROOT=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
PYTHON_IN_VENV="$ROOT/.venv/bin/python"
UV_VERSION=0.13.9

say() { printf '%s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}

# Any locale will do: our files and what we print are UTF-8.
export PYTHONUTF8=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Nothing that happens to be set or to lie about may take the place of our own modules.
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV

# A service account may have no home folder, or one that it may not write to.
use_own_folders_without_home() {
    if [ -n "${HOME:-}" ] && [ -d "$HOME" ] && [ -w "$HOME" ]; then
        return
    fi
    say "Your home folder (${HOME:-not set}) cannot be written: using $ROOT/.cache instead."
    if [ -z "${HOME:-}" ] || [ ! -d "$HOME" ]; then
        mkdir -p "$ROOT/.cache/home"
        export HOME="$ROOT/.cache/home"
    fi
    export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$ROOT/.cache}"
    export XDG_DATA_HOME="${XDG_DATA_HOME:-$ROOT/.cache/data}"
    export XDG_STATE_HOME="${XDG_STATE_HOME:-$ROOT/.cache/state}"
}

# Which versions of Python will do. MediaPipe has wheels for none after 3.12.
choose_versions() { # EXTRA...
    VERSIONS="3.11 or newer" BELOW="4, 0"
    case " $* " in
        *" landmarks "* | *" test "*) VERSIONS="3.11 or 3.12" BELOW="3, 13" ;;
    esac
}
choose_versions

suits() { # PYTHON
    "$1" -c "import sys; sys.exit(not (3, 11) <= sys.version_info < ($BELOW))" >/dev/null 2>&1
}

# Prints the command of the first Python that will do.
find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3 python3.13 python; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 && suits "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "Python $VERSIONS is needed, and none was found as python3.11, python3 or python." \
        "Install it (https://www.python.org/downloads/), or name it: PYTHON=/path/to/python $0"
}

make_venv() {
    if [ -e "$PYTHON_IN_VENV" ] && suits "$PYTHON_IN_VENV"; then
        return
    fi
    local python
    python=$(find_python)
    say "Making a virtual environment in $ROOT/.venv ($("$python" --version 2>&1))"
    if [ -e "$ROOT/.venv" ]; then
        [ -e "$ROOT/.venv/pyvenv.cfg" ] || rmdir "$ROOT/.venv" 2>/dev/null || fail "$ROOT/.venv is in the way and is no virtual environment: move it."
        rm -rf "$ROOT/.venv"
    fi
    if "$python" -c 'import ensurepip' 2>/dev/null && "$python" -m venv "$ROOT/.venv"; then
        return
    fi
    # Some systems ship Python without the means to put pip into an environment.
    rm -rf "$ROOT/.venv"
    if command -v uv >/dev/null 2>&1; then
        uv venv --quiet --python "$python" "$ROOT/.venv"
    elif "$python" -m virtualenv --version >/dev/null 2>&1; then
        "$python" -m virtualenv --quiet "$ROOT/.venv"
    elif ! "$python" -m venv --without-pip "$ROOT/.venv"; then # find_uv sees to pip
        fail "This Python cannot make virtual environments." \
            "Install its venv package (Debian, Ubuntu: apt install python3-venv), uv or virtualenv."
    fi
}

# Prints the command of a uv; fails quietly where there is none to be had.
find_uv() {
    if "$ROOT/.venv/bin/uv" --version >/dev/null 2>&1; then
        printf '%s\n' "$ROOT/.venv/bin/uv"
        return
    fi
    "$PYTHON_IN_VENV" -m pip --version >/dev/null 2>&1 ||
        "$PYTHON_IN_VENV" -m ensurepip >/dev/null 2>&1 ||
        "$PYTHON_IN_VENV" "$ROOT/scripts/_bootstrap_pip.py" >&2 || true
    if "$PYTHON_IN_VENV" -m pip install --quiet "uv==$UV_VERSION" >/dev/null 2>&1; then
        printf '%s\n' "$ROOT/.venv/bin/uv"
    else
        command -v uv
    fi
}

# uv does not read pip's configuration: tell it the index, the folder of wheels and the certificates
# that pip uses.
share_pip_configuration() {
    local index wheels
    index=${PIP_INDEX_URL:-$("$PYTHON_IN_VENV" -m pip config get global.index-url 2>/dev/null || true)}
    if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        export UV_DEFAULT_INDEX="$index"
    fi
    wheels=${PIP_FIND_LINKS:-$("$PYTHON_IN_VENV" -m pip config get global.find-links 2>/dev/null || true)}
    if [ -n "$wheels" ] && [ -z "${UV_FIND_LINKS:-}" ]; then
        UV_FIND_LINKS=$(printf '%s' "$wheels" | tr -s ' \n' ',')
        export UV_FIND_LINKS
    fi
    if [ -n "${PIP_CERT:-}" ] && [ -z "${SSL_CERT_FILE:-}" ]; then
        export SSL_CERT_FILE="$PIP_CERT"
    fi
}

# What an installation hangs on; it is skipped while this stays the same.
fingerprint() {
    "$PYTHON_IN_VENV" - "$ROOT" <<'PYTHON'
import hashlib, pathlib, sys

root = pathlib.Path(sys.argv[1])
marks = [str(root).encode(), sys.version.encode()]
marks += [(root / name).read_bytes() for name in ("pyproject.toml", "constraints.txt", "overrides.txt")]
print(hashlib.sha256(b"\0".join(marks)).hexdigest())
PYTHON
}

installed() { # FINGERPRINT EXTRA...
    local mark=$1 extra
    shift
    for extra in base "$@"; do
        [ "$(cat "$ROOT/.venv/.installed-$extra" 2>/dev/null)" = "$mark" ] || return 1
    done
}

install() { # EXTRA...
    local extras uv
    extras=$(IFS=,; printf '%s' "$*")
    cd -- "$ROOT" || return
    if uv=$(find_uv); then
        share_pip_configuration
        set -- pip install --quiet --python "$PYTHON_IN_VENV" --editable ".${extras:+[$extras]}" \
            --constraints constraints.txt --overrides overrides.txt
        case $extras in
            *test* | *gpu*)
                say "Installing ChatAnything with $extras (some 800 MB the first time)"
                # PyTorch's own index has builds for each kind of GPU, and for none; PyPI's is for
                # CUDA and brings gigabytes. Where wheels were put aside, they are to be used.
                if [ -z "${UV_FIND_LINKS:-}" ] &&
                    UV_TORCH_BACKEND="${UV_TORCH_BACKEND:-auto}" "$uv" "$@" 2>/dev/null; then
                    return
                fi
                ;;
            *) say "Installing ChatAnything${extras:+ with $extras} (some 300 MB the first time)" ;;
        esac
        "$uv" "$@"
        return
    fi
    say "uv cannot be had, so pip installs ChatAnything${extras:+ with $extras}; this takes longer"
    if [ -z "$extras" ]; then
        "$PYTHON_IN_VENV" -m pip install --quiet --editable . --constraint constraints.txt
    else
        # pip knows no overrides; the constraints are the whole, resolved set, so it need not
        # resolve. PyTorch alone is left to it, because what that needs hangs on the GPU.
        "$PYTHON_IN_VENV" -m pip install --quiet --no-deps --requirement constraints.txt &&
            "$PYTHON_IN_VENV" -m pip install --quiet torch --constraint constraints.txt &&
            "$PYTHON_IN_VENV" -m pip install --quiet --no-deps --editable .
    fi
}

prepare() { # EXTRA...
    local mark extra
    choose_versions "$@"
    mkdir -p "$ROOT/.cache" 2>/dev/null || fail "$ROOT cannot be written: copy it to where you may."
    use_own_folders_without_home
    if command -v flock >/dev/null 2>&1; then
        exec 9>"$ROOT/.cache/environment.lock"
        flock --nonblock 9 || {
            say "Another process is preparing .venv: waiting for it"
            flock 9
        }
    fi
    make_venv
    mark=$(fingerprint)
    if ! installed "$mark" "$@"; then
        # only a finished installation leaves its mark
        (install "$@") || fail "The installation failed; what is said above tells why. Run $0 again to go on."
        for extra in base "$@"; do
            printf '%s\n' "$mark" >"$ROOT/.venv/.installed-$extra"
        done
    fi
    exec 9>&-
}

# -P keeps the current folder from standing in for our modules.
run() { "$PYTHON_IN_VENV" -P -m "$@"; }
