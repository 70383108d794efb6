"""Reads the configuration of a running daemon anew, and writes the part that commands set.

In a thread and for a limited time: the files may lie on a file server that hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from notifyd.config.load import load
from notifyd.config.managed import Managed, ManagedError, with_collection
from notifyd.config.problems import ConfigError
from notifyd.config.schema import Config
from notifyd.control.actions import NotAllowed
from notifyd.control.operator import ConfigState
from notifyd.plan import Plan

T = TypeVar("T")

READING = 20.0
"""Seconds in which a new configuration must have been read."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The file that the daemon was started with. Its calls raise NotAllowed."""

    path: Path
    environ: Mapping[str, str]
    state: ConfigState

    async def read(self, build: Callable[[Config], Plan]) -> Plan:
        """Return what it comes to now; what is wrong with it is in `notifyd status` too."""
        try:
            return build(await _in_thread(partial(load, self.path, self.environ)))
        except TimeoutError as error:
            self.state.trouble = f"{self.path} could not be read within {READING:g} s"
            raise NotAllowed(self.state.trouble, status=504) from error
        except ConfigError as error:
            self.state.trouble = str(error)
            log = structlog.get_logger("daemon")
            log.error("reload_refused", action="old_config_kept", problems=str(error))
            problems = tuple(str(problem) for problem in error.problems)
            title = "the new configuration is not valid; the old one goes on"
            raise NotAllowed(title, problems, status=422) from error

    async def set_collection(
        self,
        name: str,
        settings: Mapping[str, object] | None,
        swap: Callable[[], Awaitable[None]],
    ) -> None:
        """Write or remove a collection, and swap; if that is refused, nothing has changed."""
        managed = Managed(self.path)
        try:
            before = await _in_thread(managed.text)
            await _in_thread(partial(managed.write, with_collection(before, name, settings)))
            try:
                await swap()
            except NotAllowed:
                await _in_thread(partial(managed.write, before))
                raise
        except ManagedError as error:
            raise NotAllowed(str(error)) from error
        except TimeoutError as error:
            title = f"{self.path.parent} does not answer; see what is there"
            raise NotAllowed(title, status=504) from error


async def _in_thread(work: Callable[[], T]) -> T:
    async with asyncio.timeout(READING):
        return await asyncio.to_thread(work)
