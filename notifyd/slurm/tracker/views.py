"""First looks, changes of what is watched, and what accounting has to be asked. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from notifyd.model import Job
from notifyd.slurm.tables.cells import leader_of
from notifyd.slurm.tables.queue import RunKey, key_of
from notifyd.slurm.tracker.look import Look, Transition
from notifyd.slurm.tracker.memory import Memory, Scope
from notifyd.slurm.tracker.step import Step, step

ASK_AT_ONCE = 500
"""Runs: a list of thousands of ids is longer than an argument may be."""


def first_step(scope: Scope, look: Look, since: float) -> Step:
    """Return the step of a first look: what was submitted before `since` is known, not told.

    Its transitions are no news; they say only what there is.
    """
    old = [job for job in look.jobs if job.submit_time < int(since)]
    seen_only = dataclasses.replace(look, jobs=old, gone=frozenset(), records=())
    return step(Memory(scope=scope, since=since), seen_only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a look begins with: what is known without being news, and the look at the rest."""

    memory: Memory
    look: Look
    known: Sequence[Transition] = ()
    """What there is already. It is told to nobody, but counted."""
    touched: frozenset[RunKey] = frozenset()


def begin(memory: Memory, scope: Scope, look: Look) -> Begun:
    """Return where to start from: at a first look, on another cluster, for other users, or on."""
    if memory.last_look is None:
        first = first_step(scope, look, memory.since)
        known = first.transitions
        return Begun(memory=first.memory, look=look, known=known, touched=first.touched)
    if memory.scope == scope:
        return Begun(memory=memory, look=look)
    others = first_step(scope, look, since=look.now)
    if memory.scope.cluster != scope.cluster:
        empty = dataclasses.replace(look, records=(), asked=frozenset(), gone=frozenset())
        return Begun(memory=others.memory, look=empty, known=others.transitions)
    return _rescoped(memory, scope, look, others)


def _rescoped(memory: Memory, scope: Scope, look: Look, others: Step) -> Begun:
    """What nobody watched before has no past; what nobody watches any more is let go."""
    old, new = memory.scope, others.memory
    kept = {key: run for key, run in memory.runs.items() if scope.covers(run.job)}
    fresh = {key: run for key, run in new.runs.items() if not old.covers(run.job)}
    runs = {**fresh, **kept}
    alarms = {**new.alarms, **memory.alarms}
    both = dataclasses.replace(
        memory,
        scope=scope,
        runs=runs,
        missing={key: one for key, one in memory.missing.items() if key in kept},
        alarms={key: at for key, at in alarms.items() if key in runs},
        done={**{key: end for key, end in new.done.items() if key not in kept}, **memory.done},
    )
    return Begun(
        memory=both,
        look=dataclasses.replace(look, records=[one for one in look.records if old.covers(one)]),
        known=[one for one in others.transitions if not old.covers(one.job)],
    )


def runs_to_ask(memory: Memory, look: Look) -> frozenset[RunKey]:
    """Return the runs that accounting is to be asked about now: one call's worth at most."""
    seen = {key_of(job) for job in look.jobs}
    due = {key: one.ask_at for key, one in memory.missing.items() if one.ask_at <= look.now}
    due |= {key: 0.0 for key in look.gone if key in memory.runs and key not in memory.missing}
    asked = sorted((key for key in due if key not in seen), key=lambda key: due[key])
    return frozenset(asked[:ASK_AT_ONCE])


def adopted(memory: Memory, collection_of: Callable[[Job], str | None]) -> Step:
    """Return what is known when jobs under watch come into a collection that is new.

    The transitions are no news; they say which jobs it has.
    """
    found = {}
    for key, run in memory.runs.items():
        name = collection_of(run.job) if run.collection is None else None
        if name is not None and leader_of(run.job.job_id) is None:
            found[key] = dataclasses.replace(run, collection=name)
    told = [
        Transition(type="job_submitted", job=run.job, at=key[1], collection=run.collection)
        for key, run in found.items()
    ]
    runs = {**memory.runs, **found}
    return Step(
        memory=dataclasses.replace(memory, runs=runs), transitions=told, touched=frozenset(found)
    )
