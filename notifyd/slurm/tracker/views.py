"""First looks, changes of what is watched, and what accounting has to be asked. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

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


def rescoped(memory: Memory, scope: Scope, look: Look) -> tuple[Memory, Look]:
    """Return memory and look for another set of jobs: what nobody watched has no past.

    Another cluster is a new beginning.
    """
    if memory.scope == scope:
        return memory, look
    others = first_step(scope, look, since=look.now).memory
    if memory.scope.cluster != scope.cluster:
        return others, dataclasses.replace(look, records=(), asked=frozenset(), gone=frozenset())
    watched = {key: run for key, run in memory.runs.items() if scope.covers(run.job)}
    fresh = {key: run for key, run in others.runs.items() if not memory.scope.covers(run.job)}
    done = {key: end for key, end in others.done.items() if key not in watched}
    both = dataclasses.replace(
        memory,
        scope=scope,
        runs={**fresh, **watched},
        missing={key: one for key, one in memory.missing.items() if key in watched},
        alarms={
            key: at for key, at in {**others.alarms, **memory.alarms}.items() if key in watched
        },
        done={**done, **memory.done},
    )
    records = [record for record in look.records if memory.scope.covers(record)]
    return both, dataclasses.replace(look, records=records)


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
