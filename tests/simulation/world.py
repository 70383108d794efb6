"""A world with a plan: daemon after daemon lives in it until everything is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random

from notifyd.outbox.errors import OutboxError
from notifyd.outbox.records import Outcome, Record
from notifyd.outbox.store import Outbox
from tests.simulation.disk import Disk, Killed, Mishap
from tests.simulation.life import Life, Machine
from tests.simulation.receiver import Receiver
from tests.simulation.scenario import Act, Channels, Scenario
from tests.simulation.trace import Trace

RESTART = 5.0
"""Seconds until a daemon that has ended is started anew."""
LOOK = 300.0
"""Seconds between two looks at whether all is told."""
BOUND = 6 * 3600.0
"""Seconds after the last fault in which everything must have been told."""
MOST_RECORDS = 100_000


@dataclass(slots=True, kw_only=True)
class World:
    """One run. What goes wrong by itself is in the disk and in the receivers."""

    scenario: Scenario
    trace: Trace
    disk: Disk
    receivers: dict[str, Receiver]
    source: Callable[[Life], Coroutine[None, None, None]]
    is_fed: Callable[[], bool]
    chance: Random = field(default_factory=lambda: Random(0))
    records: Sequence[Record] = ()
    """All that was owed, in the order in which it was."""
    _channels: Channels = field(default_factory=dict)
    _life: Life | None = None
    _is_over: bool = False

    async def run(self) -> None:
        """Live through the scenario, and until all is told; then read what the store has."""
        self._channels = self.scenario.channels
        self.disk.settled = self._settled
        async with asyncio.TaskGroup() as group:
            group.create_task(self._plan())
            while not self._is_over:
                await self._live()
                await asyncio.sleep(RESTART)
        self.records = await self._read()

    async def _live(self) -> None:
        machine = Machine(
            clock=self.trace.clock,
            disk=self.disk,
            receivers=self.receivers.__getitem__,
            chance=self.chance,
            source=self.source,
        )
        for receiver in self.receivers.values():
            receiver.witness.restarts()
        self.trace.note("starts")
        self._life = Life(machine, self._channels)
        self._life.task = asyncio.create_task(self._life.live())
        await asyncio.wait([self._life.task])
        self._bury(self._life.task)

    def _bury(self, task: asyncio.Task[None]) -> None:
        self._life = None
        self.trace.note("ended")
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, BaseExceptionGroup):
            error = error.split((Killed, OutboxError, asyncio.CancelledError))[1]
        if error is not None and not isinstance(error, Killed | OutboxError):
            raise error

    async def _plan(self) -> None:
        for act in sorted(self.scenario.acts, key=lambda act: act.at):
            await self._sleep_until(act.at)
            self._do(act)
        await self._sleep_until(self.scenario.end)
        self.disk.deadly = None
        self.trace.note("all faults are over")
        await self._drain()
        self._is_over = True
        if self._life is not None:
            self._life.stopping.set()

    def _do(self, act: Act) -> None:
        self.trace.note(act.deed)
        if act.deed == "kill":
            self.disk.deadly = act.number, Mishap.KILLED_LATE if act.late else Mishap.KILLED
        elif act.deed == "jump":
            self.trace.clock.offset += act.number
        elif act.deed == "reload":
            self._channels = act.channels
        if self._life is None or not self._life.is_well:
            return
        match act.deed:
            case "stop":
                self._life.stopping.set()
            case "reload":
                self._life.attempt(self._life.reload(act.channels))
            case "mute":
                self._life.attempt(self._life.mute(act.channel, act.number))

    async def _drain(self) -> None:
        """Wait until nothing is owed; a person mends what only a person can."""
        for receiver in self.receivers.values():
            receiver.mend()
        until = self.trace.clock.monotonic() + BOUND
        while self.trace.clock.monotonic() < until:
            await asyncio.sleep(LOOK)
            if self._life is not None and self._life.is_well and self.is_fed():
                self._life.readmit()
                if not await self._life.outbox.owes():
                    return
        self.trace.breaks("I8: not drained in time")

    async def _sleep_until(self, time: float) -> None:
        await asyncio.sleep(max(time - self.trace.clock.monotonic(), 0.0))

    def _settled(self, outcomes: Sequence[Outcome], with_gate: bool) -> None:
        for name in {one.claim.delivery.channel for one in outcomes}:
            mine = [one for one in outcomes if one.claim.delivery.channel == name]
            self.receivers[name].witness.notes(mine, with_gate)

    async def _read(self) -> list[Record]:
        outbox = Outbox(self.disk.path)
        await outbox.open()
        records = await outbox.history(MOST_RECORDS)
        await outbox.close()
        return records[::-1]
