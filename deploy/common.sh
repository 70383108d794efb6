# shellcheck shell=sh
# What the scripts in this folder share. They source it; it does nothing by itself.

PATH=$PATH:/usr/sbin:/sbin # a plain su leaves them out

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$(printf '\033[1m') red=$(printf '\033[31m') green=$(printf '\033[32m') plain=$(printf '\033[0m')
else
    bold='' red='' green='' plain=''
fi

say() { printf '%s\n' "$*"; }
step() { printf '%s==>%s %s\n' "$bold$green" "$plain" "$*"; }
warn() { printf '%s!%s %s\n' "$bold$red" "$plain" "$*" >&2; }
fail() {
    printf '%serror:%s %s\n' "$bold$red" "$plain" "$*" >&2
    exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# quietly WHAT COMMAND...: says WHAT, and shows what COMMAND prints only if it fails.
quietly() {
    step "$1"
    quiet_what=$1
    shift
    quiet_log=$(mktemp)
    exec 8>"$quiet_log"
    exec 9<"$quiet_log"
    rm -f "$quiet_log" # at once, so that no Ctrl-C leaves it behind; the open file lives on
    quiet_rc=0
    "$@" </dev/null >&8 2>&1 8>&- 9<&- || quiet_rc=$?
    [ "$quiet_rc" -eq 0 ] || cat <&9 >&2
    exec 8>&- 9<&-
    [ "$quiet_rc" -eq 0 ] || fail "$quiet_what: failed, its output is above."
}

# wait_for SECONDS COMMAND...: true as soon as COMMAND is, false when the time is up.
wait_for() {
    deadline=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Not those that were removed and only left their configuration behind.
installed_packages() { dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u; }

missing_packages() {
    for package; do
        installed "$package" || printf '%s ' "$package"
    done
}

# need_packages PACKAGE...: installs those that Debian has not installed yet. What came with them
# is added to the file that $PACKAGES_RECORD names, so that it can be undone exactly.
need_packages() {
    command -v apt-get >/dev/null || fail "this needs Debian (apt-get) to install: $*."
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    is_root || fail "Debian packages are missing. As root: apt-get install --no-install-recommends $missing"
    packages_before=$(installed_packages)
    # shellcheck disable=SC2086 # one word a package
    quietly "Installing Debian packages: $missing" install_packages $missing
    [ -z "${PACKAGES_RECORD:-}" ] ||
        installed_packages | { grep -vxF "$packages_before" || true; } >>"$PACKAGES_RECORD"
}

# Debian starts the services that it installs, unless this file forbids it.
install_packages() (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        trap 'exit 130' HUP INT TERM
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
)

# --- Python

checkout=$(cd "$(dirname "$0")/.." && pwd -P)

# find_python RUN...: prints the first Python that is new enough and that RUN can start.
its_path='import sys; print(sys.executable); sys.exit(sys.version_info < (3, 11))'
find_python() {
    for python in python3.13 python3.12 python3.11 python3 /usr/bin/python3; do
        python=$("$python" -c "$its_path" 2>/dev/null) || continue
        "$@" "$python" -c '' 2>/dev/null || continue
        echo "$python"
        return
    done
    return 1
}

# need_python RUN...: the same, and root gets Debian's installed.
need_python() {
    find_python "$@" && return
    ! is_root || need_packages python3 python3-venv >&2
    find_python "$@" || fail "no Python 3.11 or newer here.
If your site offers one as a module, load it (module load python) and run this again."
}

# need_venv VENV PYTHON: makes the virtual environment, unless it is there and works. The file
# .notifyd in it says that it is ours, and what has been installed.
need_venv() {
    ! "$1/bin/python" -m pip --version >/dev/null 2>&1 || return 0
    if [ -e "$1" ] && [ ! -e "$1/.notifyd" ]; then
        fail "$1 is there, but there is no working pip in it. Move it away and run this again."
    fi
    rm -rf "$1"
    # Debian keeps a part of venv in a package of its own.
    if is_root && ! has_venv "$2" && [ "$(readlink -f "$2")" = "$(readlink -f /usr/bin/python3)" ]; then
        need_packages python3-venv
    fi
    mkdir -p "$1"
    : >"$1/.notifyd"
    if has_venv "$2"; then
        quietly "Making a virtual environment in $1" "$2" -m venv "$1"
    elif command -v virtualenv >/dev/null; then
        quietly "Making a virtual environment in $1" virtualenv --python="$2" "$1"
    else
        fail "$2 cannot make virtual environments. Do one of these and run this again:
  - have an administrator run: apt-get install python3-venv
  - load another Python that your site offers (module load python)
  - get a 'virtualenv' command on your PATH (pipx install virtualenv, or uv tool install virtualenv)"
    fi
}

has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# install_into VENV SUM WHAT PIP_ARGUMENT...: installs, unless what SUM stands for is installed.
install_into() {
    [ "$(cat "$1/.notifyd" 2>/dev/null)" != "$2" ] || return 0
    venv_dir=$1 venv_sum=$2 venv_what=$3
    shift 3
    quietly "Installing $venv_what in $venv_dir" \
        env PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore \
        "$venv_dir/bin/python" -m pip install --quiet "$@"
    echo "$venv_sum" >"$venv_dir/.notifyd"
}

# install_copy VENV: installs the checkout as it is now. A build in place would leave files behind,
# which the next one would pack again; hence the copy.
install_copy() (
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    trap 'exit 130' HUP INT TERM
    cd "$checkout" || exit
    find . \( -name '.?*' -o -name __pycache__ -o -name '*.egg-info' -o -path ./build -o -path ./tests \) -prune \
        -o -type f -print0 | sort -z >"$copy/files"
    mkdir "$copy/notifyd"
    tar --null -T "$copy/files" -cf - | tar -C "$copy/notifyd" -xf -
    install_into "$1" "$(xargs -0 cksum <"$copy/files" | cksum)" 'notifyd and what it needs' "$copy/notifyd"
)

# install_editable VENV: the environment runs the checkout itself, and has what the tests need.
install_editable() {
    install_into "$1" "$(cksum <"$checkout/pyproject.toml")" 'notifyd and what its tests need' -e "${checkout}[test]"
}
