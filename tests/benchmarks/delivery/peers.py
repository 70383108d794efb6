"""Those who do the same: a bare client, Apprise, Alertmanager, aiosmtplib."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from tests.benchmarks.delivery.alertmanager import Package, delivered
from tests.benchmarks.delivery.processes import measure, python, sink, started
from tests.benchmarks.delivery.report import Round

MANY = 25_000
SOME = 5_000
"""For those that do about 1,500 a second."""
MAILS = 2_000
"""For those that do about 500."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One line of the table."""

    name: str
    run: Callable[[], Round]


def client(name: str, what: str, messages: int, at_once: int, kind: str = "http") -> Contestant:
    """Return a library, in a process that sends and ends."""

    def run() -> Round:
        with sink(kind) as there:
            command = python("clients", what, there.port, messages, at_once)
            with started(command) as process:
                return measure(there, process, messages)

    return Contestant(name=name, run=run)


def web_peers(package: Package | None) -> Iterator[Contestant]:
    """Yield those who post to webhooks, as far as they are on this machine."""
    if package is not None:
        yield Contestant(name="Alertmanager", run=lambda: delivered(package, MANY))
    if find_spec("apprise"):
        yield client("Apprise", "apprise", SOME, 1)
        yield client("Apprise, async", "apprise_async", SOME, 1)
    for at_once in (1, 20, 100):
        yield client(f"aiohttp, {at_once} at once", "bare", MANY, at_once)


def mail_peers() -> Iterator[Contestant]:
    """Yield those who hand in mails."""
    yield client("aiosmtplib, one connection", "smtp", MAILS, 1, "smtp")
    yield client("aiosmtplib, 4 connections", "smtp", MAILS, 4, "smtp")
    yield client("aiosmtplib, one each", "smtp_anew", MAILS, 1, "smtp")
