#!/bin/sh
# A real Slurm with four nodes and accounting on this one machine, in one folder.
set -eu

. "$(dirname "$0")/common.sh"

nodes='n1 n2 n3 n4'
services="munged mariadbd slurmdbd slurmctld $nodes" # in the order in which they start
mark='# A private cluster made by deploy/slurm.sh.'

usage() {
    cat <<END
usage: sh deploy/slurm.sh up DIR              start a private Slurm that lives in DIR
       sh deploy/slurm.sh down DIR            cancel its jobs and stop it; DIR stays
       sh deploy/slurm.sh remove DIR          the same, and delete DIR
       sh deploy/slurm.sh env DIR             print what a shell needs to use it
       sh deploy/slurm.sh start DIR NAME...   start parts of it: $services
       sh deploy/slurm.sh stop DIR NAME...    stop parts of it

MIN_JOB_AGE (300): for how many seconds squeue still shows a job that has ended.
END
}

# --- the folder

open_dir() {
    is_root || fail "this needs root: slurmd starts each job as the user who submitted it."
    case $1 in
    *[!A-Za-z0-9/._-]*) fail "Slurm cannot live in $1. Choose a path of letters, digits, '.', '_' and '-'." ;;
    esac
    if [ -d "$1" ] && [ -n "$(ls -A "$1")" ] && ! is_ours "$1"; then
        fail "$1 holds something else. Name a new or an empty folder."
    fi
    umask 022
    mkdir -p "$1"
    dir=$(cd "$1" && pwd -P)
    [ ${#dir} -le 80 ] || fail "$dir is too long: a socket in it would pass the limit of 107 characters."
    chmod 755 "$dir"
    export SLURM_CONF="$dir/slurm.conf"
}

is_ours() { grep -qsxF "$mark" "$1/slurm.conf"; }

known_dir() {
    is_ours "$1" || fail "no private Slurm in $1. Start one: sh deploy/slurm.sh up $1"
    open_dir "$1"
}

port_taken() {
    grep -qs "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") [0-9A-F]*:0000 0A" /proc/net/tcp /proc/net/tcp6
}

ports_taken() { # from $1: slurmctld, slurmdbd, n1 … n4
    for port in 0 1 2 3 4 5; do
        ! port_taken $(($1 + port)) || return 0
    done
    return 1
}

# Where the search starts depends on DIR, so that two clusters starting at once do not meet.
free_ports() {
    ports=$((17000 + $(printf %s "$dir" | cksum | cut -d ' ' -f 1) % 1000 * 10))
    while ports_taken "$ports"; do ports=$((ports + 10)); done
    echo "$ports"
}

node_port() { echo $(($(sed -n 's/^SlurmctldPort=//p' "$SLURM_CONF") + 1 + ${1#n})); }

write_config() {
    ports=$(free_ports)
    host=$(uname -n)
    host=${host%%.*}
    (
        umask 077
        cat >"$dir/slurmdbd.conf" <<END
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
SlurmUser=root
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort=$((ports + 1))
PidFile=$dir/run/slurmdbd.own.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm_acct_db
CommunicationParameters=NoInAddrAny
END
    )
    cat >"$dir/slurm.conf" <<END
$mark
ClusterName=demo
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort=$ports
SlurmctldPidFile=$dir/run/slurmctld.own.pid
SlurmdPidFile=$dir/run/%n.own.pid
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n

# The machine has fewer CPUs than the nodes say, and no cgroup of its own.
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/none
MpiDefault=none
MailProg=/bin/true

MaxArraySize=50001
MaxJobCount=100000
MinJobAge=${MIN_JOB_AGE:-300}
InactiveLimit=0
KillWait=2
OverTimeLimit=0
JobRequeue=1
ReturnToService=2

# Jobs start within a second.
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0,bf_interval=1

AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=$((ports + 1))
AccountingStoragePass=$dir/munge/socket
AccountingStoreFlags=job_comment

NodeName=n[1-4] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((ports + 2))-$((ports + 5))] CPUs=16 RealMemory=16000
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
    # Nothing here uses cgroups, but slurmd asks for them: it would not start where there are none,
    # and where there is v2 it would ask systemd.
    echo CgroupPlugin=cgroup/v1 >"$dir/cgroup.conf"
}

make_folders() {
    mkdir -p "$dir/log" "$dir/run" "$dir/spool" "$dir/munge"
    [ -d "$dir/state" ] || mkdir -m 700 "$dir/state"
    [ -s "$dir/munge/key" ] || (umask 077 && head -c 128 /dev/urandom >"$dir/munge/key")
    [ -d "$dir/mariadb/mysql" ] || make_database
}

make_database() {
    rm -rf "$dir/mariadb" "$dir/mariadb.new"
    mkdir -m 700 "$dir/mariadb.new"
    quietly "Making an accounting database" mariadb-install-db --no-defaults --user=root \
        --datadir="$dir/mariadb.new" --skip-test-db \
        --auth-root-authentication-method=socket --auth-root-socket-user=root
    mv "$dir/mariadb.new" "$dir/mariadb" # so that half a database is never taken for one
}

# --- its services: each runs in the foreground of its own session and is known by a mark in its
# environment, so that a pid which the system has given to another process is never taken for it

launch() {
    name=$1
    shift
    setsid env -i -C "$dir" PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 SLURM_CONF="$SLURM_CONF" \
        MYSQL_UNIX_PORT="$dir/mariadb/socket" NOTIFYD_SLURM="$dir:$name" \
        "$@" </dev/null >>"$dir/log/$name.log" 2>&1 &
    echo $! >"$dir/run/$name.pid"
    wait_for 3 alive "$name" || true # only after its exec does it carry the mark
}

run_service() {
    case $1 in
    # It would refuse a folder below one that not everybody may enter, such as /root; hence --force.
    munged) launch munged munged --force --foreground \
        --socket="$dir/munge/socket" --key-file="$dir/munge/key" \
        --seed-file="$dir/munge/seed" --pid-file="$dir/run/munged.own.pid" ;;
    mariadbd) launch mariadbd mariadbd --no-defaults --user=root --skip-networking \
        --socket="$dir/mariadb/socket" --datadir="$dir/mariadb" \
        --pid-file="$dir/run/mariadbd.own.pid" --innodb-lock-wait-timeout=900 ;;
    slurmdbd) launch slurmdbd slurmdbd -D ;;
    slurmctld) launch slurmctld slurmctld -D -f "$SLURM_CONF" ;;
    n[1-4]) launch "$1" slurmd -D -f "$SLURM_CONF" -N "$1" ;;
    *) fail "no part is named $1. There are: $services." ;;
    esac
}

pid_of() { # prints the pid of a service that lives
    pid=$(cat "$dir/run/$1.pid" 2>/dev/null) || return 1
    grep -qszxF "NOTIFYD_SLURM=$dir:$1" "/proc/$pid/environ" && echo "$pid"
}

alive() { pid_of "$1" >/dev/null; }
gone() { ! alive "$1"; }

answers() {
    alive "$1" || return 1
    case $1 in
    munged) munge -n -S "$dir/munge/socket" | unmunge -S "$dir/munge/socket" ;;
    mariadbd) grep -qF " $dir/mariadb/socket" /proc/net/unix ;;
    slurmdbd) timeout 15 sacctmgr -n show cluster ;;
    slurmctld) timeout 15 scontrol ping | grep -q 'is UP' ;;
    *) port_taken "$(node_port "$1")" && timeout 15 sinfo -h -n "$1" -o %T | grep -Eqv 'unknown|down|\*' ;;
    esac >/dev/null 2>&1
}

launch_service() { alive "$1" || run_service "$1"; }

await_service() {
    wait_for 60 settled "$1" && answers "$1" && return
    tail -n 20 "$dir/log/$1.log" >&2
    if alive "$1"; then trouble='did not answer within 60 s'; else trouble='has ended by itself'; fi
    fail "$1 $trouble. Its last lines are above; the rest is in $dir/log/$1.log"
}

settled() { gone "$1" || answers "$1"; }

start_services() {
    for service; do launch_service "$service"; done
    for service; do await_service "$service"; done
}

stop_service() {
    case " $services " in
    *" $1 "*) ;;
    *) fail "no part is named $1. There are: $services." ;;
    esac
    pid=$(pid_of "$1") || return 0
    kill "$pid"
    wait_for 20 gone "$1" && return
    kill -9 "$pid"
    wait_for 10 gone "$1" || fail "$1 (pid $pid) does not end."
}

# --- the commands

any_alive() {
    for service in $services; do
        ! alive "$service" || return 0
    done
    return 1
}

all_alive() {
    for service in $services; do
        alive "$service" || return 1
    done
}

install_slurm() {
    fresh=$(missing_packages slurmctld slurmd slurmdbd munge)
    need_packages slurmctld slurmd slurm-client slurmdbd munge mariadb-server-core mariadb-client-core
    # Debian would have them start at boot. This Slurm is started by hand.
    for service in $fresh; do update-rc.d "$service" disable >/dev/null 2>&1 || true; done
}

# Any user may submit jobs; those with an account are also named in sacct's rows.
register() {
    users=$(awk -F : '$3 == 0 || ($3 >= 1000 && $3 < 60000) { printf "%s%s", comma, $1; comma = "," }' /etc/passwd)
    {
        sacctmgr -i add cluster demo
        sacctmgr -i add account demo Description='Demo jobs' Organization=demo
        sacctmgr -i add user "$users" Account=demo
    } >>"$dir/log/sacctmgr.log" 2>&1 || true # it says no when there is nothing to add
}

up() {
    open_dir "$1"
    begun=$(date +%s)
    if is_ours "$dir" && all_alive && answers slurmdbd && answers slurmctld; then
        say "Slurm is already running in $dir."
        return
    fi
    install_slurm
    any_alive || write_config
    make_folders
    for service in munged mariadbd slurmdbd; do start_services "$service"; done
    register
    # shellcheck disable=SC2086 # one word a node
    start_services slurmctld $nodes
    step "Slurm runs in $dir: 4 nodes, ready in $(($(date +%s) - begun)) s."
    say "To use it in a shell: export SLURM_CONF=$SLURM_CONF"
}

no_jobs() { [ -z "$(timeout 15 squeue -h -t running,suspended,completing)" ]; }

end_jobs() {
    answers slurmctld || return 0
    for state in PENDING RUNNING SUSPENDED; do timeout 15 scancel --state="$state" || true; done
    wait_for 10 no_jobs || true
}

# What a job leaves behind when Slurm could not end it, and the step daemons of dead slurmds.
# A shell of salloc's has the SLURM_CONF and SLURM_JOB_ID too; only what a node runs has its name.
end_leftovers() {
    spared=$(self_and_parents)
    found=$(grep -lszxF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ) || true
    for environ in $found; do
        process=${environ#/proc/}
        process=${process%/environ}
        case " $spared " in *" $process "*) continue ;; esac
        if from_a_job "$environ" || from_a_service "$environ"; then kill -9 "$process" 2>/dev/null || true; fi
    done
}

from_a_job() { grep -qszE '^SLURM_JOB_ID=' "$1" && grep -qszE '^SLURMD_NODENAME=n[1-4]$' "$1"; }
from_a_service() { grep -qszF "NOTIFYD_SLURM=$dir:" "$1"; }

self_and_parents() {
    process=$$
    while [ "${process:-0}" -gt 0 ]; do
        printf '%s ' "$process"
        process=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$process/status" 2>/dev/null) || true
    done
}

down() {
    known_dir "$1"
    end_jobs
    for service in slurmctld $nodes slurmdbd mariadbd munged; do stop_service "$service"; done
    end_leftovers
    step "Slurm in $dir is stopped."
}

remove() {
    if [ -d "$1" ] && [ -z "$(ls -A "$1")" ]; then rmdir "$1"; fi
    [ -e "$1" ] || return 0
    down "$1"
    rm -rf "$dir"
    step "$dir is removed."
}

case ${1:-}/$# in
up/2) up "$2" ;;
down/2) down "$2" ;;
remove/2) remove "$2" ;;
env/2) known_dir "$2" && echo "export SLURM_CONF=$SLURM_CONF" ;;
start/[3-9] | start/1[0-9]) known_dir "$2" && shift 2 && start_services "$@" ;;
stop/[3-9] | stop/1[0-9])
    known_dir "$2"
    shift 2
    for service; do stop_service "$service"; done
    ;;
-h/1 | --help/1 | help/1) usage ;;
*)
    usage >&2
    exit 2
    ;;
esac
