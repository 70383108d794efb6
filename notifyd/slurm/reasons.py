"""Why a waiting job will never start, in plain words, and what to do about it.

The reason words are those of squeue's JOB REASON CODES; only those are listed that do not
clear by themselves when resources become free.
"""

from __future__ import annotations

import re

_ADVICE = {
    "DependencyNeverSatisfied": "the job it depends on did not end as asked; "
    "cancel it, or change its dependency with scontrol update",
    "JobHeldAdmin": "an administrator holds it; ask them",
    "BadConstraints": "no node has the features or resources asked for; "
    "change --constraint, --mem, --gres or the partition",
    "PartitionTimeLimit": "its time limit is longer than the partition allows; "
    "lower --time or change the partition",
    "InvalidAccount": "its account is not valid; submit it with another --account",
    "InvalidQOS": "its quality of service is not valid; submit it with another --qos",
    "AccountNotAllowed": "its account may not use this partition; change --account or --partition",
    "QOSNotAllowed": "its quality of service may not be used there; change --qos or --partition",
    "DeadLine": "it cannot end before its deadline any more; submit it with a later --deadline",
    "launch failed requeued held": "its launch failed and it is held; "
    "look at its output, then scontrol release it",
    "job requeued in held state": "it was put back and is held; scontrol release lets it start",
}
_PER_JOB_LIMIT = re.compile(r"(Assoc|QOS|Account)\w*(Max|Min)\w*(PerJob|PerJobLimit|Per\w*Memory)")
_PER_JOB_ADVICE = "it asks for more than one job may have; ask for less, or for another limit"


def stuck_advice(reason: str | None) -> str | None:
    """Return what to do about a reason that never clears, or None for one that may."""
    if not reason:
        return None
    plain = reason.replace("_", " ") if reason.islower() else reason
    if _PER_JOB_LIMIT.match(plain):
        return _PER_JOB_ADVICE
    return _ADVICE.get(plain) or None
