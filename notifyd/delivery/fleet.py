"""All the workers of the daemon: started, swapped by a reload, stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass

from notifyd.channels.base import Channel
from notifyd.channels.settings import ChannelSettings
from notifyd.delivery.desk import Desk
from notifyd.delivery.gate import Gate
from notifyd.delivery.worker import Worker

Spawn = Callable[[Coroutine[None, None, None], str], asyncio.Task[None]]
"""Starts a named task in the daemon's task group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A channel that is ready to send, and the settings that it was built from."""

    channel: Channel
    settings: ChannelSettings


class Fleet:
    """One worker a channel."""

    def __init__(self, desk: Desk, spawn: Spawn, grace: float) -> None:
        self._desk = desk
        self._spawn = spawn
        self._grace = grace
        self.workers: dict[str, Worker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    async def swap(self, places: Mapping[str, Place]) -> None:
        """Run these channels and no others; one whose settings are the same goes on untouched."""
        gone = [
            name
            for name, worker in self.workers.items()
            if name not in places or places[name].settings != worker.settings
        ]
        before = {name: (self.workers[name], self._tasks[name]) for name in gone}
        await self._stop(gone)
        for name, place in places.items():
            if name not in self.workers and not self._closed:
                self._start(name, place, before[name][0].gate if name in before else None)
                if name in before:
                    _hand_over(*before[name], self.workers[name])

    async def stop(self) -> None:
        """Let each worker finish the message it is sending, for as long as the grace lasts.

        Nothing starts any more after this, whatever a reload that is under way still wants.
        """
        self._closed = True
        await self._stop(list(self.workers))

    def wake(self, names: Iterable[str]) -> None:
        """Tell these workers that there is something for them."""
        for name in names:
            if name in self.workers:
                self.workers[name].wake()

    def readmit(self) -> None:
        """Try again what services have refused: somebody may have mended it."""
        for worker in self.workers.values():
            worker.readmit()

    def _start(self, name: str, place: Place, old: Gate | None) -> None:
        gate = Gate(place.settings, self._desk.clock.monotonic())
        if old is not None and old.fits(place.settings):
            old.readmit()
            gate = old
        elif old is not None and not old.is_new:
            # By the steady clock: what a receiver has asked for is not undone by other limits.
            now, wall = self._desk.clock.monotonic(), self._desk.clock.now()
            gate.load(old.dump(now, wall), now, wall)
            gate.is_back = old.is_back or old.refusal is not None
        worker = Worker(name, place.channel, place.settings, self._desk, gate)
        self.workers[name] = worker
        self._tasks[name] = self._spawn(worker.run(), f"worker {name}")

    async def _stop(self, names: Iterable[str]) -> None:
        tasks = {name: self._tasks[name] for name in names if name in self._tasks}
        for name in tasks:
            self.workers[name].stop()
        try:
            if tasks:
                await asyncio.wait(tasks.values(), timeout=self._grace)
        finally:
            for name, task in tasks.items():
                task.cancel()
                self.workers.pop(name, None)
                self._tasks.pop(name, None)
        if tasks:
            # What it had in hand has to be owed again before another worker looks.
            await asyncio.wait(tasks.values(), timeout=self._grace)


def _hand_over(old: Worker, task: asyncio.Task[None], new: Worker) -> None:
    """Let the new worker go on with what the old one leaves, as soon as that has really ended."""
    task.add_done_callback(lambda ended: new.inherit(old))
