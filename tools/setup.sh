#!/bin/sh
# Makes .venv: the packages of requirements.lock, and the kit itself in place.  Needs Python 3.11 or newer and
# nothing else.  Returns at once when .venv/ready says that this was done for this folder, lock and pyproject.
# PYTHON names the Python to use; without it the usual names are tried.
set -eu
cd "$(dirname "$0")/.."

wanted="$PWD $(cksum requirements.lock pyproject.toml)"
if [ "$(cat .venv/ready 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

stop() {
    echo "nvmelm: $*" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ -n "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- python3 python3.14 python3.13 python3.12 python3.11 python
fi
python=
for name in "$@"; do
    if new_enough "$name"; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    found=$("$1" --version 2>/dev/null || echo "no $1")
    stop "Python 3.11 or newer is needed, and here is $found. Install one (python.org, or your system's" \
        "packages), or name it: make lab PYTHON=/path/to/python3.12"
fi

if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    command="apt-get install python$version-venv"
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        stop "Python $version comes without its modules venv and ensurepip. On Debian and Ubuntu: sudo $command." \
            "Elsewhere: install a complete Python 3.11 or newer."
    fi
    echo "nvmelm: $command (Python's own module venv is missing)"
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy "python$version-venv"; } >/dev/null ||
        stop "$command failed; install it by hand, then call make again."
fi

echo "nvmelm: setting up .venv with $("$python" --version); this is done once and takes a minute or two"
rm -f .venv/ready
.venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv ||
    stop "making .venv failed; the reason stands above."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock ||
    stop "the packages of requirements.lock could not be installed; the reason stands above." \
        "Is the network there? If .venv is damaged: make clean, then again."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ||
    stop "the kit itself could not be installed; the reason stands above."
.venv/bin/python -m compileall -q nvmelm_lab
printf '%s\n' "$wanted" >.venv/ready
