"""Slurm's state words, and which part of a job's life each belongs to.

The words are those of Slurm's job_state_codes page. Text output shows one word only, a
flag before the base state, so COMPLETING may hide any outcome: it is never an end.
"""

from __future__ import annotations

import enum


class Phase(enum.IntEnum):
    """The parts of a run's life, in the order in which they come."""

    UNKNOWN = 0
    WAITING = 1
    RUNNING = 2
    SUSPENDED = 3
    ENDING = 4
    ENDED = 5


END_EVENTS = {
    "COMPLETED": "job_completed",
    "CANCELLED": "job_cancelled",
    "FAILED": "job_failed",
    "BOOT_FAIL": "job_failed",
    "DEADLINE": "job_failed",
    "TIMEOUT": "job_timed_out",
    "OUT_OF_MEMORY": "job_out_of_memory",
    "NODE_FAIL": "job_node_failed",
    "PREEMPTED": "job_preempted",
}
"""The explicit terminal states: nothing else is an end."""

SILENT_ENDS = frozenset({"REVOKED"})
"""Ends that are none: a sibling in a federation is revoked when another cluster runs the job."""

MAYBE_REQUEUED = frozenset({"NODE_FAIL", "PREEMPTED", "REQUEUED"})
"""In accounting these close a run that Slurm may start again under the same id."""

_PHASES = {
    Phase.WAITING: "PENDING CONFIGURING REQUEUED REQUEUE_HOLD REQUEUE_FED SPECIAL_EXIT "
    "RESV_DEL_HOLD EXPEDITING POWER_UP_NODE",
    Phase.RUNNING: "RUNNING RESIZING SIGNALING STOPPED",
    Phase.SUSPENDED: "SUSPENDED",
    Phase.ENDING: "COMPLETING STAGE_OUT UPDATE_DB",
    Phase.ENDED: " ".join((*END_EVENTS, *SILENT_ENDS)),
}
_PHASE_OF = {word: phase for phase, words in _PHASES.items() for word in words.split()}


def phase(state: str) -> Phase:
    """Return the part of life that a state word belongs to; an unknown word says nothing."""
    return _PHASE_OF.get(state, Phase.UNKNOWN)
