"""How long to wait for what Slurm does not say. Pure.

A run that is not in the queue any more has not ended for that. Accounting is asked less and
less often; when it stays silent, it is told that the outcome is not known.
"""

from __future__ import annotations

import dataclasses

from notifyd.slurm.states import Phase
from notifyd.slurm.tracker.memory import Missing, Run

ASK_AGAIN = 5.0
"""Seconds until accounting is asked again; doubled each time. It can lag by 12 s and more."""
ASK_AT_MOST_EVERY = 3600.0
REQUEUE_GRACE = 300.0
"""Seconds in which a preempted run, or one whose node failed, may come back under its id."""
SUPERSEDED_GRACE = 60.0
"""Seconds until a run is let go whose id is in the queue again, and which nobody knows of."""
OUTCOME_DUE = 600.0
"""Seconds after which it is told that an outcome is not known: the database is down, or lags."""
TRACELESS_DUE = 120.0
"""The same for a job that never began, when accounting answers and does not know its end: the
cancelled tasks of an array that still waits leave no trace in any version (22.05 to 26.05)."""
NO_ACCOUNTING_DUE = 60.0
"""The same where there is no accounting to ask."""
FORGET_STARTED = 7 * 86400.0
FORGET_UNSTARTED = 86400.0


def asked_again(missing: Missing, now: float) -> Missing:
    """Return the state of a run that accounting has just been asked about in vain."""
    pause = min(ASK_AGAIN * 2.0 ** min(missing.tries, 20), ASK_AT_MOST_EVERY)
    return dataclasses.replace(missing, ask_at=now + pause, tries=missing.tries + 1)


def outcome_is_overdue(run: Run, missing: Missing, waited: float, accounting: bool) -> bool:
    """Tell whether it is time to say that a run's outcome is not known."""
    if run.unknown_told:
        return False
    if not accounting:
        return waited >= NO_ACCOUNTING_DUE
    if run.told is Phase.WAITING and missing.tries >= 3:
        return waited >= TRACELESS_DUE
    return waited >= OUTCOME_DUE


def is_forgotten(run: Run, waited: float) -> bool:
    """Tell whether a run is let go, of which nobody will say any more how it ended."""
    return waited >= (FORGET_UNSTARTED if run.told is Phase.WAITING else FORGET_STARTED)
