"""Draws a scenario from a seed: channels, jobs, and what somebody does to the daemon."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from notifyd.events.catalogue import CATALOGUE
from notifyd.model import Event
from tests.simulation.scenario import (
    Act,
    Batch,
    Channels,
    Deed,
    Scenario,
    SimulatedSettings,
    job_event,
)

NAMES = ("ant", "bee", "cat")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
SPANS = (5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, 5 * DAY)
ENDS = tuple(name for name, kind in CATALOGUE.items() if kind.parent == "job_ended")
DEEDS: Sequence[Deed] = ("kill", "kill", "kill", "stop", "reload", "reload", "mute", "jump")


def a_scenario(random: Random) -> Scenario:
    """Return what happens in a few minutes, or in some days."""
    span = random.choices(SPANS, weights=(6, 6, 3, 1, 0.1))[0]
    names = NAMES[: random.randint(1, len(NAMES))]
    channels = {name: a_channel(random, names) for name in names}
    acts = [an_act(random, channels, span) for _ in range(random.randint(0, 8))]
    return Scenario(
        channels=channels,
        batches=some_batches(random, span),
        acts=acts,
        end=span,
        latency=random.choice((0.0, 0.0, 0.003, 0.2)),
    )


def a_channel(random: Random, names: Sequence[str]) -> SimulatedSettings:
    """Return the settings of a channel, each of them as likely there as not."""
    settings: dict[str, object] = {
        "events": random.choice((["all"], ["job_ended"], ["job_ended", "job_started"])),
        "concurrency": random.choice((1, 2, 4, 10)),
        "timeout": random.choice((1, 5, 15)),
        "editable": random.random() < 0.3,
        "retry": a_retry(random),
    }
    for name, draw in _OPTIONS.items():
        if random.random() < 0.3:
            settings[name] = draw(random)
        elif name == "batch" and random.random() < 0.3:
            settings[name] = None
    if random.random() < 0.5:
        settings["fallback"] = random.sample(names, random.randint(1, len(names)))
    return SimulatedSettings.model_validate(settings)


def a_retry(random: Random) -> dict[str, object]:
    return {
        "initial_delay": random.choice((0.1, 1, 10)),
        "max_delay": random.choice((10, 60, 900)),
        "give_up_after": random.choice((MINUTE, 10 * MINUTE, HOUR, 6 * DAY)),
    }


def a_rate(random: Random) -> dict[str, object]:
    return {
        "max_requests": random.randint(1, 5),
        "window": random.choice((1, 10, 60)),
        "burst": random.randint(1, 20),
    }


def a_breaker(random: Random) -> dict[str, object]:
    return {
        "failure_threshold": random.randint(1, 5),
        "timeout": random.choice((1, 3, 30)),
        "max_timeout": random.choice((30, 300)),
        "success_threshold": random.randint(1, 3),
    }


def a_batch(random: Random) -> dict[str, object]:
    return {
        "by": random.choice(("event_type", "channel", "group")),
        "max_size": random.randint(1, 10),
        "max_wait": random.choice((1, 30, 120)),
    }


def a_digest(random: Random) -> dict[str, object]:
    return {"every": random.choice((60, 600, 3600)), "max_size": random.randint(1, 20)}


_OPTIONS = {
    "rate_limit": a_rate,
    "circuit_breaker": a_breaker,
    "batch": a_batch,
    "digest": a_digest,
    "deduplicate": lambda random: random.choice((60, 3600)),
    "addresses": lambda random: ("x", "y", "z")[: random.randint(1, 3)],
    "per_address": a_rate,
}


def some_batches(random: Random, span: float) -> list[Batch]:
    """Return what is seen at each look, every half minute; sometimes a storm of jobs."""
    jobs = 100 if random.random() < 0.01 else random.randint(1, 5)
    looks: dict[int, list[Event]] = {}
    for job in range(jobs):
        for event in a_story(random, job, random.uniform(0, span * 0.9)):
            looks.setdefault(int(event.time // 30) + 1, []).append(event)
    return [Batch(look * 30.0, tuple(events)) for look, events in sorted(looks.items())]


def a_story(random: Random, job: int, submitted: float) -> list[Event]:
    """Return what is told of one job; one of a collection carries its total."""
    data = {"total": 9} if random.random() < 0.3 else {}
    types = ["job_submitted", "job_started"]
    types += ["job_suspended", "job_resumed"] if random.random() < 0.2 else []
    types += [random.choice(ENDS)]
    times = sorted(submitted + random.expovariate(1 / 120) for _ in types)
    story = [job_event(job, type, time, **data) for type, time in zip(types, times, strict=True)]
    if random.random() < 0.2:  # somebody says the same again
        later = times[-1] + random.expovariate(1 / 300)
        story.append(job_event(job, types[-1], later, 1, **data))
    return story


def an_act(random: Random, channels: Channels, span: float) -> Act:
    """Return what somebody does at some moment, mostly where there is something to spoil."""
    deed = random.choice(DEEDS)
    return Act(
        at=random.uniform(0, span),
        deed=deed,
        channel=random.choice(tuple(channels)),
        number=_number(random, deed),
        late=random.random() < 0.5,
        channels=changed(random, channels) if deed == "reload" else channels,
    )


def _number(random: Random, deed: Deed) -> float:
    match deed:
        case "kill":
            return random.randint(0, 20)
        case "mute":
            return random.choice((MINUTE, 10 * MINUTE, HOUR))
        case _:
            return random.choice((-HOUR, -1.0, 1.0, HOUR))


def changed(random: Random, channels: Channels) -> Channels:
    """Return the channels, some with new settings; their addresses stay."""
    drawn = {name: a_channel(random, tuple(channels)) for name in channels}
    return {
        name: drawn[name].model_copy(update={"addresses": one.addresses})
        if random.random() < 0.5
        else one
        for name, one in channels.items()
    }
