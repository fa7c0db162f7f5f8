#!/bin/sh
# Makes .venv with this package (editable) and one of its extras, or mends it; silent and quick when nothing is to do.
#
#   sh tools/setup.sh EXTRA          EXTRA is `test` or `dev`, see pyproject.toml
#
# Rules: nothing is installed outside .venv; a half-made, moved or broken .venv is made anew; whatever stops it ends in a
# line that says what to do. POSIX sh only: it runs under dash, bash, busybox and the shell of macOS.
#
# Environment: PYTHON names the interpreter to use. pip's and uv's own variables (mirrors, proxies) are respected.

set -u
cd "$(dirname "$0")/.." || exit 1

EXTRA=${1:?usage: sh tools/setup.sh EXTRA}
VENV=.venv
PY=$VENV/bin/python
STAMP=$VENV/ready
LOG=$VENV/setup.log
OLDEST='3, 11'

# A venv must be able to install into itself whatever the user's own settings say.
PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1
export PIP_USER PIP_REQUIRE_VIRTUALENV PIP_DISABLE_PIP_VERSION_CHECK
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX

die() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# An interpreter counts when it runs, not when it is found: a pyenv shim is found and then refuses.
usable() { "$1" -c "import sys; sys.exit(sys.version_info < ($OLDEST))" >/dev/null 2>&1; }

# What .venv was made from: the package's declaration, the extra, and the folder, since a venv cannot be moved.
wanted() { { cat pyproject.toml tools/setup.sh; pwd; } | cksum; }

is_ready() {
    [ -f "$STAMP" ] && [ "$(sed -n 1p "$STAMP")" = "$(wanted)" ] || return 1
    case " $(sed -n 2p "$STAMP") " in *" $EXTRA "* | *" dev "*) ;; *) return 1 ;; esac
    usable "$PY"
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        usable "$PYTHON" || die "PYTHON=$PYTHON does not run, or is older than 3.11."
        echo "$PYTHON"
        return
    fi
    for name in python3.13 python3.12 python3.11 python3 python python3.14; do
        if have "$name" && usable "$name"; then
            echo "$name"
            return
        fi
    done
}

no_python() {
    found=$(python3 --version 2>&1) || found='no python3 that runs'
    die "Python 3.11 or newer is needed; here there is: $found." \
        "Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12)" \
        "or name one that is elsewhere: make PYTHON=/path/to/python3.12 ..."
}

# The ways to make a venv, the plainest first; each leaves a python in it that can install.
# Debian splits ensurepip off into python3-venv, but its pip can install into a venv that has none.
make_venv() {
    rm -rf "$VENV"
    if "$1" -m venv "$VENV" >"$OUT" 2>&1; then return; fi
    rm -rf "$VENV"
    if "$1" -m venv --without-pip "$VENV" >>"$OUT" 2>&1 &&
        "$1" -m pip --python "$PY" install --quiet pip >>"$OUT" 2>&1; then return; fi
    rm -rf "$VENV"
    if "$1" -m virtualenv --quiet "$VENV" >>"$OUT" 2>&1; then return; fi
    rm -rf "$VENV"
    sed 's/^/    /' "$OUT" | tail -n 8 >&2
    die "$1 cannot make a virtual environment (what it said is above)." \
        "On Debian and Ubuntu: apt install python3-venv. Elsewhere: $1 -m pip install --user virtualenv."
}

explain_failure() {
    grep -v '^ *$' "$LOG" | tail -n 12 | sed 's/^/    /' >&2
    if grep -qiE 'connection|resolve|unreachable|timed out|max retries|dns error|error sending request' "$LOG"; then
        die "the packages could not be fetched: the network, or the package index, cannot be reached." \
            "Behind a mirror or without a network, point PIP_INDEX_URL (or PIP_FIND_LINKS with PIP_NO_INDEX=1) at" \
            "where the packages are, then run the same command again."
    fi
    die "the packages could not be installed; all that the installer said is in $LOG."
}

is_ready && exit 0

python=$(find_python) || exit 1
mkdir -p "${TMPDIR:-/tmp}" && OUT=$(mktemp) || die "no temporary file can be made in ${TMPDIR:-/tmp}."
trap 'rm -f "$OUT"' EXIT
trap 'exit 130' INT TERM

[ -e "$VENV" ] && [ ! -d "$VENV" ] && die "$VENV is not a folder; move it away."
rm -f "$STAMP"
echo "setup: installing mirrorspec[$EXTRA] into $VENV; the first time this takes some minutes" >&2

if have uv && uv --version >/dev/null 2>&1; then
    if { uv venv --quiet --clear --seed --python "${python:->=3.11}" "$VENV" && mkdir -p "$VENV" &&
        uv pip install --quiet --python "$PY" --editable ".[$EXTRA]"; } >"$OUT" 2>&1; then
        installed=uv
    else
        [ -n "$python" ] || { cat "$OUT" >&2; no_python; }
        echo "setup: uv could not do it ($(grep -v '^ *$' "$OUT" | tail -n 1)); trying pip" >&2
    fi
fi

if [ -z "${installed:-}" ]; then
    [ -n "$python" ] || no_python
    # An older .venv at this place is kept and brought up to date when it works, which is quicker than a new one.
    if ! { [ -f "$VENV/made-in" ] && [ "$(cat "$VENV/made-in")" = "$(pwd)" ] && [ -z "${PYTHON:-}" ] &&
        usable "$PY" && "$PY" -m pip --version >/dev/null 2>&1; }; then
        make_venv "$python"
        pwd >"$VENV/made-in"
    fi
    "$PY" -m pip install --editable ".[$EXTRA]" >"$LOG" 2>&1 || explain_failure
fi

{ wanted; echo "$EXTRA"; } >"$STAMP"
