"""What notifyd promises, each as a test of that name.

Here the parts are real (tracker, router, renderer, SQLite, workers) and the world is small;
`tests/live` shows the same on a real Slurm.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.base import Channel, Receipt
from notifyd.channels.failures import TemporaryFailure
from notifyd.channels.registry import KINDS, Tools
from notifyd.channels.transport import Transport
from notifyd.delivery.desk import Desk
from notifyd.delivery.gate import Gate
from notifyd.delivery.intake import Intake, Rules
from notifyd.delivery.mutes import Mutes
from notifyd.delivery.worker import Worker
from notifyd.model import Delivery, DeliveryState, Job
from notifyd.outbox.archive import Archive
from notifyd.outbox.records import Backlog
from notifyd.outbox.store import Outbox
from notifyd.rendering.renderer import Renderer
from notifyd.routing.router import Router, Subscriber
from notifyd.slurm.poller import Poller
from notifyd.slurm.settings import SlurmSettings
from tests.channels.parts import HOSTILE, hostile_delivery, running_sink
from tests.cli.world import Receiver, World, webhook
from tests.fakes import (
    FakeChannel,
    FakeClock,
    FakeSlurm,
    PlainSettings,
    a_delivery,
    a_job,
    drain,
    no_details,
    owed,
)
from tests.slurm.tracker.watch import Watch

T = TypeVar("T")

WAITING = dataclasses.replace(a_job("2", "PENDING"), reason="DependencyNeverSatisfied")
LOOKS: tuple[list[Job], ...] = (
    [],
    [a_job("1", "PENDING")],
    [a_job("1", "RUNNING"), WAITING],
    [a_job("1", "SUSPENDED"), WAITING],
    [a_job("1", "RUNNING"), WAITING, a_job("3", "FAILED")],
    [a_job("1", "TIMEOUT"), a_job("2", "CANCELLED", node_list=None), a_job("3", "FAILED")],
)
STORIES = {
    "1": ["submitted", "started", "suspended", "resumed", "timed_out"],
    "2": ["submitted", "stuck", "cancelled"],
    "3": ["submitted", "started", "failed"],
}


class Killed(BaseException):
    """The process is gone: nothing after this point has happened."""


class MortalOutbox(Outbox):
    """A real store whose process is killed before or after its n-th operation."""

    def __init__(self, path: Path, operations: Iterator[int], kill_at: int, after: bool) -> None:
        super().__init__(path)
        self._operations = operations
        self._kill_at = kill_at
        self._after = after
        self._dead = self._buried = False

    async def bury(self) -> None:
        """Let the file go, as the system does for a process that is gone."""
        self._buried = True
        await self.close()

    async def backlog(self) -> Mapping[str, Backlog]:
        """Return what is owed: the test's own question, no operation of the daemon."""
        if self._dead:
            raise Killed
        return await super()._in_thread(lambda: Archive(self._statements()).backlog())

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._buried:
            return await super()._in_thread(work)
        dies = next(self._operations) == self._kill_at
        self._dead = self._dead or dies
        if self._dead and not (dies and self._after):
            raise Killed
        result = await super()._in_thread(work)
        if dies:
            if isinstance(result, tuple):
                result[0].close()  # the system would
            raise Killed
        return result


class SmallWorld:
    """A cluster, a receiver, and daemons that are killed and started anew."""

    def __init__(self, folder: Path, kill_at: int, after: bool) -> None:
        self.path = folder / f"{kill_at}-{after}.sqlite"
        self.slurm = FakeSlurm()
        self.clock = FakeClock(1_000_000)
        self.channel = FakeChannel()
        self.operations = itertools.count()
        self.kill = (kill_at, after)
        self.killed = False

    async def live(self) -> None:
        """Let daemon after daemon live through all the looks."""
        looks = iter(LOOKS)
        self.slurm.jobs = next(looks)
        ended = False
        while not ended:
            outbox = MortalOutbox(self.path, self.operations, *self.kill)
            try:
                await self._daemon(outbox, looks)
                ended = True
            except* Killed:
                self.killed = True
            finally:
                await outbox.bury()

    async def _daemon(self, outbox: Outbox, looks: Iterator[list[Job]]) -> None:
        await outbox.open()
        rules = Rules(
            router=Router(subscribers=(Subscriber(channel="team", patterns=("all",)),)),
            renderer=Renderer(),
            channels={"team": PlainSettings()},
        )
        intake = Intake(outbox, self.clock, lambda names: None, rules)
        settings = SlurmSettings(interval=30, users=("alice",))
        details = no_details(settings)
        poller = Poller(self.slurm, settings, outbox, intake.take_in, self.clock, details)
        await poller.restore()
        while True:
            self.clock.time += 30
            await poller.poll()
            await drain(a_worker("team", self.channel, outbox, self.clock), outbox)
            jobs = next(looks, None)
            if jobs is None:
                return
            self.slurm.jobs = jobs

    def stories(self) -> dict[str, list[str]]:
        """Return each job's story as a receiver knows it that honours the delivery's id."""
        told: dict[str, list[str]] = {}
        for delivery in {delivery.id: delivery for delivery in self.channel.sent}.values():
            kind = delivery.event.type.removeprefix("job_")
            told.setdefault(delivery.event.subject, []).append(kind)
        return told


def a_worker(name: str, channel: Channel, outbox: Outbox, clock: FakeClock) -> Worker:
    settings = PlainSettings(type="fake")
    desk = Desk(outbox=outbox, clock=clock, mutes=Mutes(outbox))
    return Worker(name, channel, settings, desk, Gate(settings, clock.monotonic()))


async def every_killing(folder: Path) -> list[SmallWorld]:
    """Kill at the first operation of the store, the second …, until a run is not killed."""
    worlds = []
    for after in (False, True):
        for kill_at in itertools.count():
            world = SmallWorld(folder, kill_at, after)
            await world.live()
            if not world.killed:
                break
            worlds.append(world)
    return worlds


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[SmallWorld]:
    """Return some hundred worlds, in each of which a daemon was killed once."""
    return asyncio.run(every_killing(tmp_path_factory.mktemp("kills")))


@pytest.mark.timeout(300)  # it waits for all these daemons
def test_nothing_lost(worlds: Sequence[SmallWorld]) -> None:
    """Killed before or after any operation of the store, the whole story is told."""
    assert len(worlds) > 100
    assert [world.kill for world in worlds if world.stories() != STORIES] == []


@pytest.mark.timeout(300)  # it waits for all these daemons
def test_nothing_repeated(worlds: Sequence[SmallWorld]) -> None:
    """A kill repeats of each job at most what was in flight or not yet noted, under its old id."""
    for world in worlds:
        ids = [delivery.id for delivery in world.channel.sent]
        whats = {(one.event.subject, one.event.type): one.id for one in world.channel.sent}
        assert len(set(ids)) == len(whats), "one id for one thing told"
        subjects = Counter(one.event.subject for one in world.channel.sent)
        told = Counter(subject for subject, _ in whats)
        assert max((subjects - told).values(), default=0) <= 1, "a job's next waits for the note"


ABSENCES = st.lists(
    st.sampled_from(["here", "gone", "COMPLETING", "no row", "RUNNING", "PENDING"]), max_size=30
)


@given(ABSENCES)
def test_absence_is_never_failure(looks: Sequence[str]) -> None:
    """Whatever is missing, and whatever accounting still believes: no end without an end."""
    running = a_job("1", "RUNNING")
    watch = Watch(running)
    for sight in looks:
        jobs = [running] if sight == "here" else []
        if sight == "COMPLETING":
            jobs = [a_job("1", sight)]
        records = [a_job("1", sight)] if sight in ("RUNNING", "PENDING") else []
        told = watch.look(*jobs, records=records, after=60.0)
        assert told in ([], ["job_outcome_unknown"])
    assert len(watch.told) <= 1


@given(st.lists(st.booleans(), max_size=60))
async def test_in_order(tmp_path_factory: pytest.TempPathFactory, failures: list[bool]) -> None:
    """Whatever fails and is retried, no message of a job overtakes an earlier one."""
    outbox = Outbox(tmp_path_factory.mktemp("order") / "outbox.sqlite")
    await outbox.open()
    fails = iter(failures)

    def maybe_fail(delivery: Delivery) -> None:
        if next(fails, False):
            raise TemporaryFailure("down")

    channel = FakeChannel(on_send=maybe_fail)
    steps = ("submitted", "started", "completed")
    await outbox.add(owed(*[a_delivery(f"{job} {n}", group=job) for n in steps for job in "ab"]))
    await drain(a_worker("team", channel, outbox, FakeClock()), outbox)
    await outbox.close()

    for job in "ab":
        told = [one.id[2:] for one in channel.sent if one.id.startswith(job)]
        assert told == list(steps)


async def test_no_channel_waits_for_another(tmp_path: Path) -> None:
    """One channel never comes back from its first message; the other tells all of its own."""
    outbox, clock = Outbox(tmp_path / "outbox.sqlite"), FakeClock()
    await outbox.open()
    stuck, sent = asyncio.Event(), asyncio.Event()

    class Hanging:
        async def send(self, delivery: Delivery) -> Receipt:
            stuck.set()
            await asyncio.Event().wait()
            return Receipt()

    def count(delivery: Delivery) -> None:
        if delivery.id == "b9":
            sent.set()

    await outbox.add(
        owed(*[a_delivery(f"{name}{n}", channel=name) for n in range(10) for name in "ab"])
    )
    hanging = a_worker("a", Hanging(), outbox, clock)
    healthy = a_worker("b", FakeChannel(on_send=count), outbox, clock)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        tasks = [group.create_task(hanging.run()), group.create_task(healthy.run())]
        await stuck.wait()
        await sent.wait()
        for task in tasks:
            task.cancel()
    await outbox.close()


async def test_slurm_is_spared(tmp_path: Path) -> None:
    """A hundred jobs, twenty looks: twenty calls of squeue, and one sacct for all that vanished."""
    slurm, outbox = FakeSlurm(), Outbox(tmp_path / "outbox.sqlite")
    await outbox.open()
    clock = FakeClock(1_000_001)

    async def publish(events: object) -> None:
        return

    settings = SlurmSettings(interval=30, users=("alice",))
    poller = Poller(slurm, settings, outbox, publish, clock, no_details(settings))
    slurm.jobs = [a_job(str(number), "RUNNING") for number in range(100)]
    for _ in range(19):
        await poller.poll()
        clock.time += 30
    assert (slurm.asked, slurm.windows) == ([], [])
    slurm.jobs = slurm.jobs[:50]
    await poller.poll()
    await outbox.close()

    assert slurm.polls == 20
    assert [len(ids) for ids in slurm.asked] == [50]


async def test_secrets_stay_secret(tmp_path: Path) -> None:
    """A canary in every secret is in no output, log, answer, or file of the daemon."""
    world = World(tmp_path)
    world.has_slurm()
    receiver = Receiver(status=500)
    async with receiver.serving():
        config = webhook(receiver) + "    headers: {Authorization: Bearer CANARY}\n"
        config = config.replace("/s3cret", "/CANARY?token=CANARY")
        async with world.daemon(config) as daemon:
            await world.run("send", "hello", "--channel", "team")
            seen = [await world.run(*words.split()) for words in ("status", "history --json")]
            seen.append(await world.run("test", "--channel", "team"))
            arguments = Path(f"/proc/{daemon.process.pid}/cmdline").read_text()
        state = b"".join(file.read_bytes() for file in world.state.iterdir() if file.is_file())
        log = daemon.err

    shown = "".join(done.out + done.err for done in seen) + arguments + log
    assert "500" in shown, "the trouble itself is told"
    assert "CANARY" not in shown
    assert b"CANARY" not in state
    assert receiver.got, "the secret was used"


@pytest.mark.parametrize("text", HOSTILE)
async def test_text_is_only_text(text: str) -> None:
    """What a user writes into a job's name does nothing in any service that is told of it."""
    printed: list[str] = []
    async with running_sink() as sink, Transport() as transport:
        tools = Tools(transport=transport, clock=FakeClock(), write=printed.append)
        for kind, key in (("slack", "webhook_url"), ("discord", "webhook_url"), ("webhook", "url")):
            settings = KINDS[kind].settings.model_validate({"type": kind, key: sink.url})
            await KINDS[kind].build(settings, tools).send(hostile_delivery(text))
        console = KINDS["console"].settings.model_validate({"type": "console"})
        await KINDS["console"].build(console, tools).send(hostile_delivery(text))
        slack, discord, _ = (taken.body.decode() for taken in sink.taken)

    assert "<!" not in slack
    assert "<@" not in slack
    assert json.loads(discord)["allowed_mentions"] == {"parse": []}
    assert "](" not in discord
    assert all(c.isprintable() or c == "\n" for c in "".join(printed))
    rendered = Renderer().render(hostile_delivery(text).event)
    assert "49" not in rendered.title or "49" in text


async def test_a_bad_config_changes_nothing(tmp_path: Path) -> None:
    """A reload of what is not valid is refused with every reason, and the old one goes on."""
    world = World(tmp_path)
    world.has_slurm()
    receiver = Receiver()
    async with receiver.serving(), world.daemon(webhook(receiver)):
        world.write("channels:\n  team: {type: webhok}\n  mail: {type: email, hots: x}\n")
        refused = await world.run("reload")
        status = await world.run("status", "--json")
        tested = await world.run("test", "--channel", "team")

    assert refused.code == 1
    assert "webhook" in refused.err
    assert "hots" in refused.err
    assert status.json()["config_trouble"]
    assert [one["name"] for one in status.json()["channels"]] == ["team"]
    assert (tested.code, len(receiver.got)) == (0, 1)


async def test_every_delivery_has_one_end(tmp_path: Path) -> None:
    """After all is said, nothing is pending, and each end is one of the three."""
    world = SmallWorld(tmp_path, kill_at=-1, after=False)
    await world.live()
    outbox = Outbox(world.path)
    await outbox.open()
    records = await outbox.history(1000)
    await outbox.close()

    assert {record.state for record in records} == {DeliveryState.DELIVERED}
    assert len(records) == sum(map(len, STORIES.values()))
