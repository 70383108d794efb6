#!/bin/sh
# Sets up what the tests need, a real Slurm included, and runs them all.
set -eu

. "$(dirname "$0")/common.sh"

usage() {
    cat <<END
usage: sh deploy/test.sh [--no-system] [PYTEST ARGUMENT...]

Without arguments for pytest the linters and the type checker run too.

  --no-system   leave out the tests that need root or a real Slurm, systemd or D-Bus;
                the others need no more than the openssl command
END
}

users='notifyd-alice notifyd-bob'
venv=$checkout/.venv

set_up_venv() {
    python=$(need_python env)
    need_venv "$venv" "$python"
    install_editable "$venv"
    export PATH="$venv/bin:$PATH"
}

set_up_system() {
    need_packages systemd libpam-systemd dbus dbus-daemon dbus-user-session openssl shellcheck
    make_users
    temporary=$(mktemp -d /var/tmp/notifyd-test.XXXXXX)
    trap tear_down EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    chmod 755 "$temporary"
    set_up_slurm
    set_up_copy
}

make_users() {
    for user in $users; do
        id "$user" >/dev/null 2>&1 && continue
        step "Making the user $user (userdel -r $user removes it)"
        useradd -m -s /bin/bash "$user"
    done
}

set_up_slurm() {
    export NOTIFYD_TEST_SLURM_DIR="$temporary/slurm"
    sh deploy/slurm.sh up "$NOTIFYD_TEST_SLURM_DIR"
    export SLURM_CONF="$NOTIFYD_TEST_SLURM_DIR/slurm.conf"
}

# The users cannot read a checkout or a Python below /root: theirs lies where everyone can.
set_up_copy() {
    python=$(need_python runuser -u nobody --)
    need_venv "$temporary/venv" "$python"
    install_copy "$temporary/venv"
    export NOTIFYD_TEST_BIN="$temporary/venv/bin/notifyd"
}

tear_down() {
    rc=$?
    set +e
    trap '' INT TERM HUP
    trap - EXIT
    [ ! -e "$temporary/slurm" ] || sh deploy/slurm.sh remove "$temporary/slurm"
    rm -rf "$temporary"
    exit "$rc"
}

check() {
    step "$*"
    "$@"
}

lint() {
    check ruff check .
    check ruff format --check .
    check mypy
    check lint-imports
    [ -z "$system" ] || check shellcheck -x -P deploy deploy/*.sh
}

# Those that measure come last: nothing may run beside them.
everything() {
    only=''
    [ -n "$system" ] || only='not system and '
    failed=0
    check pytest -n auto --no-loadscope-reorder -m "${only}not alone" || failed=$?
    check pytest -m "${only}alone" || failed=$?
    return "$failed"
}

system=yes
case ${1:-} in
--no-system)
    system=
    shift
    ;;
-h | --help)
    usage
    exit
    ;;
esac

[ -z "$system" ] || is_root || fail "the system tests need root: they start a real Slurm and boot a real systemd.
Run this as root, or leave them out: sh deploy/test.sh --no-system"

umask 022
cd "$checkout"
set_up_venv
[ -z "$system" ] || set_up_system
if [ $# -eq 0 ]; then
    lint
    everything
else
    [ -n "$system" ] || set -- -m 'not system' "$@"
    check pytest "$@"
fi
