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
MADE=$VENV/made-in
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

# The interpreter behind $1: an activated .venv may be ours, which is about to be removed.
base_of() { "$1" -c 'import sys; print(getattr(sys, "_base_executable", None) or sys.executable)'; }

# The installation behind $1, the same for an interpreter and for a venv made from it.
origin_of() { "$1" -c 'import sys; print(sys.base_prefix, sys.version)'; }

is_asked_for() { [ -z "${PYTHON:-}" ] || [ "$(origin_of "$PYTHON" 2>&1)" = "$(origin_of "$PY")" ]; }

# What .venv was made from: the declaration, the way it is installed, and the folder, since a venv cannot be moved.
wanted() { { cat pyproject.toml tools/setup.sh; pwd; } | cksum; }

is_ready() {
    [ -f "$STAMP" ] && [ "$(sed -n 1p "$STAMP")" = "$(wanted)" ] || return 1
    case $(sed -n 2p "$STAMP") in "$EXTRA" | dev) ;; *) return 1 ;; esac
    usable "$PY" && is_asked_for
}

# The usual name comes first: the distribution's own Python is the likeliest to be whole.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        usable "$PYTHON" || die "PYTHON=$PYTHON does not run, or is older than 3.11."
        base_of "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11 python; do
        if have "$name" && usable "$name"; then
            base_of "$name"
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

# A .venv that was made here and still runs is kept and brought up to date, which is quicker than a new one.
is_kept() {
    [ -f "$MADE" ] && [ "$(cat "$MADE")" = "$(pwd)" ] && usable "$PY" && is_asked_for
}

# The ways to make a venv, the plainest first; each leaves a python in it that something can install into.
# Debian splits ensurepip off into python3-venv, but its pip can install into a venv that has none.
make_venv() {
    if have uv && clear_venv && uv venv --quiet --python "${python:->=3.11}" "$VENV" >"$OUT" 2>&1; then return; fi
    [ -n "$python" ] || no_python
    if clear_venv && "$python" -m venv "$VENV" >"$OUT" 2>&1; then return; fi
    if clear_venv && "$python" -m venv --without-pip "$VENV" >>"$OUT" 2>&1 &&
        "$python" -m pip --python "$PY" install --quiet pip >>"$OUT" 2>&1; then return; fi
    if clear_venv && "$python" -m virtualenv --quiet "$VENV" >>"$OUT" 2>&1; then return; fi
    if clear_venv && have virtualenv && virtualenv --quiet --python "$python" "$VENV" >>"$OUT" 2>&1; then return; fi
    clear_venv
    grep -v '^ *$' "$OUT" | tail -n 8 | sed 's/^/    /' >&2
    die "$python cannot make a virtual environment (what it said is above)." \
        "On Debian and Ubuntu: apt install python3-venv. Elsewhere: $python -m pip install --user virtualenv." \
        "Or name another Python: make PYTHON=/path/to/python3.12 ..."
}

clear_venv() { rm -rf "$VENV"; }

install_with_uv() {
    have uv && uv pip install --quiet --python "$PY" --editable ".[$EXTRA]" >"$LOG" 2>&1
}

install_with_pip() {
    "$PY" -m pip --version >/dev/null 2>&1 || "$PY" -m ensurepip >>"$LOG" 2>&1
    "$PY" -m pip install --editable ".[$EXTRA]" >>"$LOG" 2>&1
}

explain_failure() {
    grep -v '^ *$' "$LOG" | tail -n 12 | sed 's/^/    /' >&2
    if grep -qiE 'connection|resolve|unreachable|timed out|max retries|dns error|error sending request|no matching distribution' "$LOG"; then
        die "the packages could not be fetched: the network, or the package index, cannot be reached or lacks them." \
            "Behind a mirror or without a network, point PIP_INDEX_URL (or PIP_FIND_LINKS with PIP_NO_INDEX=1) at" \
            "where the packages are, then run the same command again."
    fi
    die "the packages could not be installed; all that the installer said is in $LOG."
}

is_ready && exit 0

trap 'rm -f "${OUT:-}"' EXIT
trap 'exit 130' INT TERM
OUT=$(mktemp) || die "no temporary file can be made in ${TMPDIR:-/tmp}."
if [ -e "$VENV" ] && [ ! -d "$VENV" ]; then die "$VENV is not a folder; move it away."; fi
python=$(find_python) || exit 1

echo "setup: installing mirrorspec[$EXTRA] into $VENV; the first time this takes some minutes" >&2
rm -f "$STAMP"
is_kept || make_venv
pwd >"$MADE"
: >"$LOG"
# uv knows nothing of pip's settings (a mirror, say), so where it fails pip has its try.
install_with_uv || install_with_pip || explain_failure
{ wanted; echo "$EXTRA"; } >"$STAMP"
