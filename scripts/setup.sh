#!/bin/sh
# Create a virtual environment and install a lock file and this project into it.
#
#   scripts/setup.sh <environment> <lock file>
#
# PYTHON names the interpreter; the default is the first one on the path that is new enough. uv is used if installed,
# otherwise pip. The lock files are complete, so dependencies are not resolved, which takes an old pip very long.
set -eu

environment=$1
lock=$2
python_in=$environment/bin/python

say() { printf '%s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

has_uv() { command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; }

# ensurepip installs pip into an environment. Debian has it in a separate package.
can_install() { has_uv || "$1" -c 'import ensurepip' >/dev/null 2>&1; }

usable() { new_enough "$1" && can_install "$1"; }

# A name on the path may be a launcher without that version, so each one is run.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        usable "$PYTHON" && echo "$PYTHON" && return
        say "PYTHON=$PYTHON is not a Python 3.11 or newer that can make environments."
        return 1
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
        usable "$name" && echo "$name" && return
    done
    say "No Python 3.11 or newer was found among python3, python3.14, python3.13, python3.12, python3.11 and python."
    say "Install one (on Debian and Ubuntu with its package python3-venv), or name one: make PYTHON=python3.12 ..."
    return 1
}

same_version() {
    version='import sys; print(sys.version)'
    [ "$("$1" -c "$version" 2>/dev/null)" = "$("$2" -c "$version" 2>/dev/null)" ]
}

# An environment is kept if it works and PYTHON does not name another version.
make_environment() {
    if new_enough "$python_in" && { [ -z "${PYTHON:-}" ] || same_version "$python_in" "$PYTHON"; }; then
        return
    fi
    python=$(find_python)
    say "Making $environment with $("$python" --version)"
    if "$python" -c 'import ensurepip' >/dev/null 2>&1; then
        "$python" -m venv --clear "$environment"
    else
        "$python" -m venv --clear --without-pip "$environment"
    fi
}

install_with_uv() {
    say "Installing $lock with uv"
    uv pip install --quiet --python "$python_in" --no-deps -r "$lock" &&
        uv pip install --quiet --python "$python_in" --no-deps --no-build-isolation -e .
}

install_with_pip() {
    say "Installing $lock with pip"
    "$python_in" -m pip --version >/dev/null 2>&1 || "$python_in" -m ensurepip >/dev/null
    "$python_in" -m pip install --quiet --disable-pip-version-check --no-deps -r "$lock"
    "$python_in" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
}

make_environment
# uv does not read pip's settings. If only they name a reachable index, uv fails and pip succeeds.
if has_uv; then
    install_with_uv || install_with_pip
else
    install_with_pip
fi
