# shellcheck shell=sh
# The sample jobs of quickstart.sh, which sources this.
# shellcheck disable=SC2154 # quickstart.sh sets demo, notifyd and venv

sample() { # sample NAME COMMAND [OPTION...]: submits a tiny job and prints its id
    sample_name=$1 sample_command=$2
    shift 2
    sbatch --parsable --job-name="$sample_name" --chdir="$demo/jobs" --output=%x-%j.out \
        --time=2 --mem=50M "$@" --wrap="$sample_command" | cut -d ';' -f 1
}

# Each function submits one sample and notes what notifyd has to tell about it.

sample_that_succeeds() {
    id=$(sample demo-succeeds 'sleep 3; echo "epoch 3: accuracy 0.93"')
    expect job_completed "$id"
}

sample_that_fails() {
    id=$(sample demo-fails 'sleep 3
exec python3 - <<END
def load(settings):
    return settings["learning_rate"]

load({"epochs": 3})
END')
    expect job_failed "$id"
}

sample_array() { # its second task fails
    # shellcheck disable=SC2016 # the job expands it
    id=$(sample demo-array 'sleep "$SLURM_ARRAY_TASK_ID"; exit $((SLURM_ARRAY_TASK_ID == 2))' --array=1-3)
    expect job_completed "${id}_1"
    expect job_failed "${id}_2"
    expect job_completed "${id}_3"
}

sample_to_cancel() {
    id=$(sample demo-is-cancelled 'sleep 100')
    expect job_cancelled "$id"
    wait_for 60 started "$id" || true # a busy cluster may not start it soon: then it is cancelled unstarted
    sleep 3
    scancel "$id"
}

started() { squeue -h -j "$1" -o %T | grep -q RUNNING || { sleep 1 && false; }; }

expect() {
    [ -n "$2" ] || return 1 # sbatch has said why
    echo "$1 $2" >>"$demo/expected"
}

submit_samples() {
    rm -f "$demo/expected"
    sample_that_succeeds && sample_that_fails && sample_array && sample_to_cancel
}

# True when the history holds the end of each sample, delivered.
all_told() {
    "$notifyd" history --limit 1000 --json | "$venv/bin/python" -c '
import json, sys
told = {one["event_type"] + " " + one["subject"] for one in json.load(sys.stdin) if one["state"] == "delivered"}
sys.exit(not set(open(sys.argv[1]).read().splitlines()) <= told)
' "$demo/expected"
}

# By number, and the note goes too: later the same number may be another job.
cancel_samples() {
    [ -s "$demo/expected" ] || return 0
    # shellcheck disable=SC2046 # one word a job
    set -- $(sed 's/.* //; s/_.*//' "$demo/expected" | sort -u)
    timeout 15 scancel --quiet --user="$(id -un)" "$@" 2>/dev/null || true
    rm "$demo/expected"
}
