#!/bin/sh
# From a fresh clone to the first notifications, in one command.
set -eu

. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/demo.sh"

usage() {
    cat <<END
usage: sh deploy/quickstart.sh [--no-demo | --once | --remove] [--dir DIR]

Installs notifyd in a virtual environment of its own, then shows it at work: it watches the Slurm
of this machine, submits a few tiny sample jobs and prints what becomes of them, until Ctrl-C.
Where there is no Slurm, and you are root, it starts a private one for this.

  --no-demo   only install
  --once      end when all the sample jobs have been told
  --remove    undo everything: stop what still runs, delete what was installed,
              the service of 'notifyd init' included; your configuration and state stay
  --dir DIR   install in DIR (default: $default_dir)
END
}

default_dir=${XDG_DATA_HOME:-$HOME/.local/share}/notifyd
link=$HOME/.local/bin/notifyd
config_home=${XDG_CONFIG_HOME:-$HOME/.config}
unit=$config_home/systemd/user/notifyd.service
dir=$default_dir
mode=demo

parse_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --no-demo) mode=install ;;
        --once) mode=once ;;
        --remove) mode=remove ;;
        --dir)
            [ $# -gt 1 ] || wrong_usage
            dir=$2
            shift
            ;;
        --dir=*) dir=${1#--dir=} ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) wrong_usage ;;
        esac
        shift
    done
    case $dir in
    /*) ;;
    *) dir=$PWD/$dir ;;
    esac
    mark=$dir/.quickstart
    venv=$dir/venv
    demo=$dir/demo
    slurm=$demo/slurm
    notifyd=$venv/bin/notifyd
    PACKAGES_RECORD=$dir/packages
}

wrong_usage() {
    usage >&2
    exit 2
}

# --- installing

install_notifyd() {
    if [ -d "$dir" ] && [ -n "$(ls -A "$dir")" ] && [ ! -e "$mark" ]; then
        fail "$dir holds something else. Name another folder: --dir DIR"
    fi
    mkdir -p "$dir"
    : >"$mark"
    python=$(need_python env)
    need_venv "$venv" "$python"
    install_copy "$venv"
    make_link
}

make_link() {
    if [ -e "$link" ] || [ -L "$link" ]; then
        link_is_ours || warn "$link is something else and stays. notifyd is $notifyd"
    else
        mkdir -p "${link%/*}"
        ln -s "$notifyd" "$link"
    fi
}

link_is_ours() { [ "$(readlink "$link" 2>/dev/null)" = "$notifyd" ]; }

tell_installed() {
    step "notifyd is installed in $venv, its command is $command."
    case ":$PATH:" in
    *":${link%/*}:"*) ;;
    *) say "    ${link%/*} is not on your PATH. Until it is, write the command in full." ;;
    esac
    tell_undo
}

tell_undo() {
    say "    To undo everything: sh deploy/quickstart.sh --remove$([ "$dir" = "$default_dir" ] || echo " --dir $dir")"
    tell_packages
}

tell_packages() {
    [ -s "$PACKAGES_RECORD" ] || return 0
    say "    Debian packages that were installed for it, and how to remove them (nothing does that for you):"
    say "    apt-get purge $(sort -u "$PACKAGES_RECORD" | tr '\n' ' ')"
}

tell_next_steps() {
    say
    say "Next: $command init      writes your configuration and starts notifyd"
    say "      $command doctor    checks that everything works"
}

choose_command() {
    command=$notifyd
    if link_is_ours; then
        command=$link
        [ "$(command -v notifyd)" != "$link" ] || command=notifyd
    fi
}

# --- the demo

find_slurm() {
    if squeue_answers; then
        kind=real interval=30s
        return
    fi
    if ! is_root; then
        tell_installed
        fail "no Slurm answers here ($squeue_trouble). Do one of these and run this again:
  - log in to a machine where squeue works, such as your cluster's login node
  - on a Debian machine, run this as root (sudo sh deploy/quickstart.sh): it then starts a private Slurm
Or set notifyd up for later: $command init"
    fi
    kind=private interval=2s
    say "No Slurm answers here ($squeue_trouble). You are root, so this starts a private one in $slurm."
    say "Debian packages that are missing for it get installed; at the end you read how to remove them."
}

squeue_answers() {
    squeue_trouble='there is no squeue command'
    command -v squeue >/dev/null || return 1
    squeue_rc=0
    squeue_trouble=$(timeout 15 squeue -h -u "$(id -un)" -o %i 2>&1 >/dev/null) || squeue_rc=$?
    [ "$squeue_rc" -ne 124 ] || squeue_trouble='squeue took longer than 15 s'
    squeue_trouble=$(echo "$squeue_trouble" | tail -n 1)
    return "$squeue_rc"
}

start_slurm() {
    [ "$kind" = private ] || return 0
    export PACKAGES_RECORD
    sh "$checkout/deploy/slurm.sh" up "$slurm"
    export SLURM_CONF="$slurm/slurm.conf"
}

write_config() {
    cat >"$demo/config.yaml" <<END
# Written by deploy/quickstart.sh for its demo. Your own comes from: notifyd init
slurm:
  interval: $interval
  users: [me]
channels:
  terminal:
    type: console
    events: [all]
END
}

prepare_demo() {
    mkdir -p "$demo/jobs"
    (umask 077 && write_config)
    # The demo has a state and a socket of its own, so that it never meets a daemon that you run.
    export NOTIFYD_CONFIG="$demo/config.yaml" NOTIFYD_STATE_DIR="$demo/state"
    unset XDG_RUNTIME_DIR
}

# In a session of its own, so that a Ctrl-C reaches this script alone, which then stops all in order.
start_daemon() {
    step "Starting notifyd: it asks Slurm every $interval and logs to $demo/notifyd.log"
    setsid "$notifyd" --foreground 2>"$demo/notifyd.log" &
    echo $! >"$demo/notifyd.pid"
    wait_for 3 daemon_alive || daemon_ended # only after its exec is it known
    wait_for 30 daemon_polled || warn "notifyd has not reached Slurm within 30 s. It goes on trying."
    daemon_alive || daemon_ended
}

daemon_ended() {
    tail -n 20 "$demo/notifyd.log" >&2
    fail "notifyd ended by itself. The end of its log is above."
}

daemon_polled() {
    daemon_alive || return 0
    "$notifyd" status --json 2>/dev/null | "$venv/bin/python" -c '
import json, sys
sys.exit(not json.load(sys.stdin)["slurm"]["last_poll"])' 2>/dev/null
}

daemon_alive() {
    [ -s "$demo/notifyd.pid" ] &&
        grep -qszxF "NOTIFYD_STATE_DIR=$demo/state" "/proc/$(cat "$demo/notifyd.pid")/environ"
}

daemon_gone() { ! daemon_alive; }

stop_daemon() {
    daemon_alive || return 0
    pid=$(cat "$demo/notifyd.pid")
    kill "$pid"
    wait_for 12 daemon_gone || kill -9 "$pid"
}

stop_slurm() {
    [ ! -e "$slurm/slurm.conf" ] || sh "$checkout/deploy/slurm.sh" down "$slurm"
}

run_samples() {
    if [ "$kind" = real ]; then
        step "Submitting 4 tiny sample jobs to your Slurm (an array among them; 50 MB and 2 minutes at most each)"
    else
        step "Submitting 4 sample jobs: one succeeds, one fails, one is an array, one is cancelled"
    fi
    submit_samples || warn "the sample jobs could not all be submitted; sbatch says why above. Watching goes on."
}

keep_watching() {
    step "Watching your jobs. Submit your own with sbatch. Ctrl-C stops."
    [ "$kind" = real ] || say "    In another shell, first: export SLURM_CONF=$SLURM_CONF"
    wait "$(cat "$demo/notifyd.pid")" || true
    daemon_ended
}

await_samples() {
    [ -s "$demo/expected" ] || fail "no sample job was submitted."
    wait_for 120 all_told ||
        fail "not all sample jobs were told within 120 s. Expected: $(tr '\n' ',' <"$demo/expected")"
    step "All sample jobs have been told."
}

stop_all() {
    rc=$?
    set +e # a closed terminal takes no words any more, and must not keep this from going on
    trap '' INT TERM HUP
    trap - EXIT
    say
    step "Stopping what this started"
    stop_daemon
    cancel_samples
    [ "$kind" != private ] || stop_slurm
    tell_installed
    tell_next_steps
    exit "$rc"
}

run_demo() {
    find_slurm
    prepare_demo
    stop_daemon # one that a killed run has left behind
    trap stop_all EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    start_slurm
    start_daemon
    run_samples
    if [ "$mode" = once ]; then await_samples; else keep_watching; fi
}

# --- undoing

# Whether the user unit, which 'notifyd init' writes, runs what is installed here.
unit_is_ours() {
    [ -f "$unit" ] || return 1
    # as systemd reads it: quoted or not, with an escaped % or not
    case $(sed -n 's/%%/%/g; s/\\\(.\)/\1/g; s/^ExecStart=[":]*//p' "$unit") in
    "$venv/bin/"*) ;;
    "$link"[\"\ ]* | '%h/.local/bin/notifyd '*) link_is_ours ;;
    *) false ;;
    esac
}

user_systemctl() { timeout 30 systemctl --user "$@" </dev/null 2>/dev/null; }

remove_service() {
    step "Stopping and removing the service that runs it"
    # The manager of another HOME may know another notifyd, which is not ours to stop.
    known=$(user_systemctl show --property=FragmentPath --value notifyd) || known=
    if [ "$(readlink -f "$known")" != "$(readlink -f "$unit")" ] || ! user_systemctl disable --now notifyd; then
        warn "systemd did not stop it. If notifyd still runs, log in anew and: systemctl --user stop notifyd"
    fi
    rm -f "$unit" "${unit%/*}/default.target.wants/notifyd.service"
    user_systemctl daemon-reload || true
    say "    $unit is removed."
}

tell_kept() {
    for kept in "$config_home/notifyd" "${XDG_STATE_HOME:-$HOME/.local/state}/notifyd"; do
        [ ! -e "$kept" ] || say "    Your configuration or state stays: $kept"
    done
}

remove_all() {
    [ -e "$mark" ] || fail "nothing of notifyd in $dir."
    ! unit_is_ours || remove_service
    stop_daemon
    [ -e "$slurm" ] || cancel_samples
    [ ! -e "$slurm" ] || sh "$checkout/deploy/slurm.sh" remove "$slurm"
    ! link_is_ours || rm "$link"
    packages=$(tell_packages)
    rm -rf "$dir"
    step "$dir and $link are removed."
    tell_kept
    [ -z "$packages" ] || say "$packages"
}

parse_arguments "$@"
if [ "$mode" = remove ]; then
    remove_all
    exit
fi
install_notifyd
choose_command
case $mode in
install)
    tell_installed
    tell_next_steps
    ;;
*) run_demo ;;
esac
