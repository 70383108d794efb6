"""How fast notifyd delivers, beside those who do the same.

    python -m tests.benchmarks.delivery [web] [mail] [live] [memory] [--rounds 5]
        [--messages 25000] [--at-once 20] [--mails 2000] [--mail-at-once 4]
        [--queued 25000 1000000]

All contestants run on this machine in turn, round after round, against the same receivers, and
only what the receivers have seen counts. Apprise takes part where it is installed, Alertmanager
where Debian's package can be fetched. A round waits for a calm machine, for a while; `other load`
is what else it did meanwhile, in cores: figures with much of it are worth little.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from tests.benchmarks.delivery.alertmanager import NotToBeHad, Package, unpacked
from tests.benchmarks.delivery.live import PACE, Live, by_looks, live
from tests.benchmarks.delivery.ours import backlog, memory
from tests.benchmarks.delivery.peers import Contestant, mail_peers, web_peers
from tests.benchmarks.delivery.processes import wait_for_calm
from tests.benchmarks.delivery.report import MIB, Round, Row, aligned, percentile, summary

WEB_BASES = {
    "x Alertmanager": "Alertmanager",
    "x Apprise": "Apprise",
    "x aiohttp": "aiohttp, 100 at once",
}
MAIL_BASES = {"x aiosmtplib": "aiosmtplib, one connection"}


def web(asked: argparse.Namespace) -> None:
    """Webhooks: from a full outbox to the last arrival."""
    ours = Contestant(name="notifyd", run=partial(backlog, asked.messages, asked.at_once))
    with contextlib.ExitStack() as stack:
        peers = list(web_peers(_package(stack)))
        _race([ours, *peers], asked.rounds, WEB_BASES)


def mail(asked: argparse.Namespace) -> None:
    """Mails: the same."""
    ours = Contestant(name="notifyd", run=partial(backlog, asked.mails, asked.mail_at_once, "smtp"))
    _race([ours, *mail_peers()], asked.rounds, MAIL_BASES)


def news(asked: argparse.Namespace) -> None:
    """One message after the other: how soon each is on the wire."""
    rows = [row for _ in range(asked.rounds) for row in _both(asked.at_once)]
    heads = ["stored/s", "p50 ms", "p99 ms", "most ms", "CPU µs", "refused", "lost", "other load"]
    _say(f"{PACE} messages a second, late since they were")
    _say(aligned([["", *heads], *rows]))


def _both(at_once: int) -> Iterator[Row]:
    yield from _lateness(by_looks(at_once), "looks: ")
    yield from _lateness(live(at_once), "socket: ")


def _lateness(seen: Live, way: str) -> Iterator[Row]:
    ends = [f"{seen.cpu:.0f}", str(seen.refused), str(seen.lost), f"{seen.others:.2f}"]
    for name, late in (("handed in", seen.from_asked), ("stored", seen.from_stored)):
        if not late:
            continue
        spans = [f"{percentile(late, share) * 1e3:.1f}" for share in (0.5, 0.99, 1)]
        yield [way + name, f"{seen.pace:,.0f}", *spans, *ends]


def held(asked: argparse.Namespace) -> None:
    """How much memory a long queue takes, start-up included."""
    most = {queued: memory(queued, asked.at_once) / MIB for queued in asked.queued}
    rows = [[f"{queued:,}", f"{mib:.1f}"] for queued, mib in most.items()]
    _say(aligned([["queued", "most MiB"], *rows]))


def _package(stack: contextlib.ExitStack) -> Package | None:
    try:
        return stack.enter_context(unpacked())
    except NotToBeHad as why:
        _say(f"Alertmanager does not take part: {why}")
    return None


def _race(contestants: Sequence[Contestant], rounds: int, bases: dict[str, str]) -> None:
    """Let each run in turn, round after round, so that what disturbs one disturbs all."""
    results: dict[str, list[Round]] = {one.name: [] for one in contestants}
    for number in range(rounds):
        for one in contestants:
            wait_for_calm()
            done = one.run()
            results[one.name].append(done)
            _say(f"# round {number + 1}: {one.name}: {done.rate:,.0f}/s, others {done.others:.2f}")
    _say(aligned(summary(results, bases)))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "web": web,
    "mail": mail,
    "live": news,
    "memory": held,
}


def main() -> None:
    """Measure what is asked for, or everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", metavar="|".join(PARTS))
    for name, usual in (("rounds", 5), ("messages", 25_000), ("at-once", 20)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    for name, usual in (("mails", 2_000), ("mail-at-once", 4)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--queued", type=int, nargs="+", default=[25_000, 1_000_000])
    asked = parser.parse_args()
    if not set(asked.what) <= set(PARTS):
        parser.error(f"what there is: {', '.join(PARTS)}")
    _say(f"{os.cpu_count()} cores; load before: {os.getloadavg()[0]:.2f}")
    for part in asked.what or PARTS:
        PARTS[part](asked)


if __name__ == "__main__":
    main()
