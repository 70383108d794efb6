"""The composition root: builds the parts, hands them their neighbours, starts and stops them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog

from notifyd.bus import Bus, Subscription
from notifyd.channels.transport import Transport
from notifyd.clock import SystemClock
from notifyd.config.schema import Config
from notifyd.control.actions import NotAllowed
from notifyd.control.operator import ConfigState, Operator
from notifyd.control.server import SocketError, serve
from notifyd.delivery.desk import Desk
from notifyd.delivery.fleet import Fleet
from notifyd.delivery.intake import Intake
from notifyd.delivery.mutes import Mutes
from notifyd.outbox.errors import OutboxError
from notifyd.outbox.housekeeping import Housekeeper
from notifyd.outbox.store import Outbox
from notifyd.plan import Plan, plan_of
from notifyd.reload import ConfigFile
from notifyd.slurm.poller import Poller
from notifyd.slurm.watches import watches
from notifyd.systemd import Systemd

GRACE = 6.0
"""Seconds that a message which is being sent has when the daemon stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where the daemon finds and keeps its things."""

    config: Path
    state: Path
    socket: Path
    environ: Mapping[str, str]


class Daemon:
    """Everything that runs. `run` ends when `stopping` is set, or raises what went wrong."""

    def __init__(self, where: Where, config: Config) -> None:
        self._where = where
        self._config = config
        self._clock = SystemClock()
        self._systemd = Systemd(where.environ)
        self._log = structlog.get_logger("daemon")
        self._outbox = Outbox(where.state / "outbox.sqlite")
        self._bus = Bus()
        self._housekeeper = Housekeeper(self._outbox, self._clock, socket.gethostname())
        self._mutes = Mutes(self._outbox)
        self._reloading = asyncio.Lock()
        self._reloads: set[asyncio.Task[None]] = set()
        self._pollers: tuple[Poller, ...] = ()
        self._polling: list[asyncio.Task[None]] = []
        self._state = ConfigState(str(where.config), self._clock.now())
        self._file = ConfigFile(where.config, where.environ, self._state)
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Start from the back to the front, wait, and stop from the front to the back."""
        async with AsyncExitStack() as stack:
            _make_folder(self._where.state)
            await self._open_outbox(stack)
            await self._mutes.restore()
            self._transport = await stack.enter_async_context(Transport())
            inbox = stack.enter_context(self._bus.subscribe("intake", lossless=True))
            self._group = await stack.enter_async_context(asyncio.TaskGroup())
            self._listen_to_signals()
            async with self._reloading:  # a SIGHUP waits until there is something to swap
                await self._begin(inbox, stack)
            await stack.enter_async_context(serve(self._operator(), self._where.socket))
            keeping = self._housekeeper.keep(self._configured, self.stopping)
            self._start("housekeeping", keeping, stack)
            self._start("watchdog", self._feed_watchdog(), stack)
            self._systemd.ready("Watching your jobs")
            channels, state = list(self._fleet.workers), str(self._where.state)
            self._log.info("started", channels=channels, state=state)
            await self.stopping.wait()
            self._systemd.stopping()
            self._log.info("stopping")
        self._log.info("stopped")

    async def _begin(self, inbox: Subscription, stack: AsyncExitStack) -> None:
        """Start whoever works: those who send first, those who watch last."""
        self._fleet = Fleet(self._desk(), self._spawn, GRACE)
        plan = self._plan(self._config)
        self._intake = Intake(self._outbox, self._clock, self._fleet.wake, plan.rules)
        self._start("intake", self._intake.run(inbox), stack)
        stack.push_async_callback(self._stop_work)
        stack.push_async_callback(self._stop_reloads)
        await self._fleet.swap(plan.places)
        self._pollers = self._new_pollers()
        for poller in self._pollers:
            await poller.restore()
        self._polling = self._poll()

    async def reload(self) -> None:
        """Swap the configuration. A bad one changes nothing. Raises NotAllowed."""
        async with self._reloading:
            self._systemd.reloading()
            try:
                await self._swap()
            finally:
                self._systemd.ready("Watching your jobs")

    async def set_collection(self, name: str, settings: Mapping[str, object] | None) -> None:
        """Set a collection, or remove it, in the file that commands write. Raises NotAllowed."""
        async with self._reloading:
            await self._file.set_collection(name, settings, self._swap)

    async def _swap(self) -> None:
        plan = await self._file.read(self._plan)
        # From here on nothing can fail.
        old, self._config = self._config, plan.config
        self._intake.rules = plan.rules
        await self._fleet.swap(plan.places)
        self._fleet.readmit()
        if old.slurm != plan.config.slurm:
            # They may be cut off anywhere: what is not stored, the next look finds again.
            for task in self._polling:
                await _cancelled(task)
            self._pollers = self._new_pollers()
            self._polling = self._poll()
        self._state.loaded, self._state.trouble = self._clock.now(), None
        self._log.info("reloaded", channels=list(plan.places))

    def _plan(self, config: Config) -> Plan:
        return plan_of(config, self._transport, self._clock)

    async def _open_outbox(self, stack: AsyncExitStack) -> None:
        # Before it is opened: a start that fails must not keep other hosts waiting.
        stack.push_async_callback(self._housekeeper.move_out)
        await self._housekeeper.move_in()
        stack.push_async_callback(self._outbox.close)
        recovered = await self._outbox.open()
        await self._housekeeper.renew()  # that may have taken its time
        if recovered is not None:
            self._log.error(
                "store_was_damaged",
                action="started_anew",
                saved=recovered.rows,
                missing=recovered.missing,
                kept=str(recovered.kept),
            )

    def _configured(self) -> list[str]:
        # Not who is at work: during a reload, those that are swapped are not.
        return [name for name, one in self._config.channels.items() if one.enabled]

    def _desk(self) -> Desk:
        return Desk(
            outbox=self._outbox,
            clock=self._clock,
            mutes=self._mutes,
            owner=f"{socket.gethostname()}/{os.getpid()}",
            tell=self._bus.publish,
            wake=lambda names: self._fleet.wake(names),
            settings_of=lambda name: self._intake.rules.channels.get(name),
        )

    def _operator(self) -> Operator:
        return Operator(
            outbox=self._outbox,
            bus=self._bus,
            fleet=self._fleet,
            mutes=self._mutes,
            clock=self._clock,
            config=self._state,
            started=self._clock.now(),
            pollers=lambda: self._pollers,
            reload_config=self.reload,
            set_collection=self.set_collection,
        )

    def _new_pollers(self) -> tuple[Poller, ...]:
        environ, publish = self._where.environ, self._bus.publish
        return watches(self._config.slurm, environ, self._outbox, publish, self._clock)

    def _poll(self) -> list[asyncio.Task[None]]:
        return [
            self._spawn(poller.run(self.stopping), f"poller {poller.watch}".strip())
            for poller in self._pollers
        ]

    async def _stop_work(self) -> None:
        """Stop pollers and workers side by side, so that their limits do not add up."""
        for task in self._polling:
            task.cancel()
        await self._fleet.stop()
        if self._polling:
            await asyncio.wait(self._polling)

    async def _stop_reloads(self) -> None:
        # All of them: one that reads, and those that wait for its end.
        for task in self._reloads:
            task.cancel()
        if self._reloads:
            await asyncio.wait(self._reloads)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        return self._group.create_task(work, name=name)

    def _start(self, name: str, work: Coroutine[None, None, None], stack: AsyncExitStack) -> None:
        stack.push_async_callback(_cancelled, self._spawn(work, name))

    async def _feed_watchdog(self) -> None:
        """Feed it from the loop itself: a loop that hangs goes hungry, and is restarted."""
        if self._systemd.watchdog_seconds is None:
            return
        while True:
            self._systemd.alive()
            await self._clock.wait(asyncio.Event(), self._systemd.watchdog_seconds / 3)

    def _listen_to_signals(self) -> None:
        # They stay until the loop ends: a second Ctrl-C must not cut the stop short.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload_on_signal)

    def _reload_on_signal(self) -> None:
        if not self.stopping.is_set():
            task = self._spawn(self._reload_quietly(), "reload")
            self._reloads.add(task)
            task.add_done_callback(self._reloads.discard)

    async def _reload_quietly(self) -> None:
        try:
            await self.reload()
        except NotAllowed:
            return  # it is in the log, and in `notifyd status`
        except Exception:
            self._log.exception("reload_failed")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutboxError(f"{path} cannot be made: {error.strerror}") from error


async def _cancelled(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait for its end; its own error is the task group's to raise."""
    task.cancel()
    await asyncio.wait([task])


def run_daemon(where: Where, config: Config) -> str | None:
    """Run a daemon until it is stopped. Return what kept it from running, for people.

    The loop stays open: closing it would wait without an end for a thread that asks a dead
    name server, and the caller is about to leave the process anyway.
    """
    os.umask(0o077)  # whatever it writes is its owner's alone
    trouble = None
    loop = _new_loop()
    try:
        loop.run_until_complete(Daemon(where, config).run())
    except* (OutboxError, SocketError) as group:
        trouble = "; ".join(str(error) for error in group.exceptions)
    return trouble


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
