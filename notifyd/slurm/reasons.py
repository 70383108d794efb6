"""Why a waiting job will never start, in plain words, and what to do about it.

The reason words are those of squeue's JOB REASON CODES; only those are listed that do not
clear by themselves when resources become free. Versions differ in spelling (blanks or
underscores), so both are read.
"""

from __future__ import annotations

import re

from notifyd.model import Job
from notifyd.slurm.states import Phase, phase

_HELD = "scontrol release lets it start"
_BY_STATE = {
    "SPECIAL_EXIT": f"it asked for attention when it ended (special exit) and is held; {_HELD}",
    "REQUEUE_HOLD": f"it was put back and is held; {_HELD}",
    "RESV_DEL_HOLD": "its reservation was deleted and it is held; "
    "give it another with scontrol update, then scontrol release it",
}
_BY_REASON = {
    "DependencyNeverSatisfied": "the job it depends on did not end as asked; "
    "cancel it, or change its dependency with scontrol update",
    "JobHeldAdmin": "an administrator holds it; ask them",
    "BadConstraints": "no node has the features or resources asked for; "
    "change --constraint, --mem, --gres or the partition",
    "PartitionTimeLimit": "its time limit is longer than the partition allows; "
    "lower --time or change the partition",
    "PartitionNodeLimit": "it asks for more or fewer nodes than the partition allows; "
    "change --nodes or the partition",
    "PartitionConfig": "it asks for more than the partition allows; "
    "ask for less, or change the partition",
    "InvalidAccount": "its account is not valid; submit it with another --account",
    "InvalidQOS": "its quality of service is not valid; submit it with another --qos",
    "AccountNotAllowed": "its account may not use this partition; change --account or --partition",
    "QOSNotAllowed": "its quality of service may not be used there; change --qos or --partition",
    "DeadLine": "it cannot end before its deadline any more; submit it with a later --deadline",
    "ReservationDeleted": "its reservation is gone; submit it without, or with another one",
    "JobHoldMaxRequeue": f"it was put back too often and is held; {_HELD}",
    "user env retrieval failed requeued held": "its user's environment could not be read; "
    f"see that your shell's start-up files are quick, then {_HELD}",
    "AssociationTimeLimit": "its time limit is longer than its account may ask for; lower --time",
    "QOSTimeLimit": "its time limit is longer than its quality of service allows; lower --time",
    "QOSMinGRES": "it asks for fewer GPUs than its quality of service wants; ask for more, "
    "or use another --qos",
    "QOSUsageThreshold": "its quality of service has used up its share; use another --qos, or wait",
    "PartitionDown": "its partition is down; ask an administrator, or use another --partition",
    "PartitionInactive": "its partition takes no jobs; use another --partition",
    "BurstBufferStageIn": "its files could not be staged in; look at its burst buffer options",
    "launch failed requeued held": "its launch failed and it is held; "
    f"look at its output and its node, then {_HELD}",
    "job requeued in held state": f"it was put back and is held; {_HELD}",
    "Job's account not permitted to use this partition": "its account may not use this "
    "partition; change --account or --partition",
    "Job's QOS not permitted to use this partition": "its quality of service may not be used "
    "there; change --qos or --partition",
}
_EXPLAINS_AN_END = frozenset(
    {
        *("JobLaunchFailure", "NodeDown", "TimeLimit", "SystemFailure", "OutOfMemory"),
        *("DependencyNeverSatisfied", "DeadLine", "BadConstraints", "ReservationDeleted"),
    }
)
_PER_JOB_LIMIT = re.compile(
    r"(Assoc|QOS|Account)\w{0,40}(Max|Min)\w{0,60}(PerJob|PerJobLimit|PerNode|Per\w{1,40}Memory)"
)
_PER_JOB_ADVICE = "it asks for more than one job may have; ask for less, or for another limit"


def end_reason(reason: str | None) -> str | None:
    """Return a reason that says why a job ended; accounting keeps those of its waiting, too."""
    plain = (reason or "").partition(":")[0]
    return reason if plain in _EXPLAINS_AN_END or plain == "RaisedSignal" else None


def stuck_advice(job: Job) -> str | None:
    """Return what to do about a wait that never ends by itself; None for one that may."""
    if phase(job.state) is not Phase.WAITING:
        return None
    reason = (job.reason or "").strip("()")
    plain = reason.replace("_", " ") if reason.islower() else reason
    if _PER_JOB_LIMIT.match(plain):
        return _PER_JOB_ADVICE
    return _BY_STATE.get(job.state) or _BY_REASON.get(plain)
