"""`notifyd dead`: what was given up is listed, explained, tried again or forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import click
import pytest

from notifyd.client import Json
from tests.cli.test_terminal import Terminal
from tests.cli.world import Receiver, World, webhook, widest

LONG = "a hook that is archived takes no message any more, ask whoever owns the workspace " * 2


async def say(world: World, text: str) -> None:
    """Send a text, sooner than a command could."""
    await asyncio.to_thread(world.client.send, text, "team")


@pytest.fixture
async def dead(world: World, receiver: Receiver) -> AsyncIterator[list[Json]]:
    """A daemon whose receiver has refused `one` and `two`; the newest comes first."""
    receiver.status, receiver.words = 409, LONG
    async with world.daemon(webhook(receiver)):
        for number, name in enumerate(("one", "two"), 1):
            await say(world, f"{name} {'x' * 90}\nmore of {name}")
            letters = await world.ended(number)
        yield letters


async def test_without_any_it_says_so(world: World, receiver: Receiver) -> None:
    """For people in a sentence, for programs as nothing."""
    async with world.daemon(webhook(receiver)):
        shown = await world.run("dead", "list")
        of_one = await world.run("dead", "list", "--channel", "team")
        told = (await world.run("dead", "list", "--json")).json()
        retried = await world.run("dead", "retry", "--all")
        purged = await world.run("dead", "purge", "--all", "--channel", "team")

    assert shown.out == "No dead letters: nothing was given up.\n"
    assert of_one.out == "No dead letters of team: nothing was given up.\n"
    assert told == {"counts": {}, "deliveries": []}
    assert (retried.code, retried.out) == (0, "No dead letters to retry.\n")
    assert (purged.code, purged.out) == (0, "No dead letters to forget.\n")


async def test_each_is_listed_with_its_reason(world: World, dead: list[Json]) -> None:
    """Newest first, whole in a pipe, and counted by channel."""
    shown = await world.run("dead", "list")
    told = (await world.run("dead", "list", "--limit", "1", "--json")).json()
    newest = await world.run("dead", "list", "--limit", "1")

    header, two, why, one, _, _, total, how = shown.out.splitlines()
    assert header.split() == ["TIME", "ID", "CHANNEL", "TRIES", "MESSAGE"]
    assert two.split()[1:5] == [dead[0]["id"][:8], "team", "1", "two"]
    assert one.split()[1:5] == [dead[1]["id"][:8], "team", "1", "one"]
    assert why.startswith("  the service answered 409: a hook that is archived")
    assert total == "2 dead letters (team 2)."
    assert "`notifyd dead retry ID`" in how
    assert told["counts"] == {"team": 2}
    assert [one["id"] for one in told["deliveries"]] == [dead[0]["id"]]
    assert "2 dead letters (team 2), the newest 1 above." in newest.out


@pytest.mark.parametrize("changes", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
async def test_on_a_terminal_nothing_is_wider(
    world: World, dead: list[Json], changes: dict[str, str]
) -> None:
    """Titles are cut, reasons wrapped; colours are for terminals that want them."""
    world.changes.update(changes)
    shown = []
    for arguments in (("list",), ("show", dead[0]["id"])):
        with Terminal(world, "dead", *arguments) as terminal:
            await asyncio.to_thread(terminal.end)
        shown.append(terminal.shown)

    assert ("\x1b[" in "".join(shown)) is (not changes)
    assert widest(click.unstyle("\n".join(shown))) <= 80
    assert all("workspace" in " ".join(one.split()) for one in shown)


async def test_one_is_shown_whole(world: World, dead: list[Json]) -> None:
    """By a beginning of its id: message, reason, times and every try."""
    id = dead[0]["id"]
    shown = await world.run("dead", "show", id[:6])
    told = (await world.run("dead", "show", id[:6], "--json")).json()

    for words in (
        f"Delivery     {id}",
        "             more of two",
        "Channel      team",
        "Sent because somebody named team",
        "State        dead: the service answered 409: a hook that is archived",
        "409     permanent",
    ):
        assert words in shown.out
    assert told == dead[0]


async def test_what_is_owed_says_until_when_it_is_tried(world: World, receiver: Receiver) -> None:
    """It has not been given up."""
    receiver.status = 503
    async with world.daemon(webhook(receiver)):
        await say(world, "hello")
        await world.fares("team", "failing")
        (owed,) = world.client.history()
        shown = await world.run("dead", "show", owed["id"])

    assert "Tried until  20" in shown.out
    assert "Given up" not in shown.out


async def test_a_mistyped_channel_is_told(world: World, dead: list[Json]) -> None:
    """It is no good news, whatever was to be done."""
    for what in (("list",), ("retry", "--all"), ("purge", "--all")):
        done = await world.run("dead", *what, "--channel", "taem")
        assert (done.code, done.out) == (1, "")
        assert done.err == "notifyd: no channel `taem`; there are: team\n"


async def test_an_unknown_id_is_told(world: World, dead: list[Json]) -> None:
    """Exit 1, whatever was to be done with it."""
    for what in ("show", "retry", "purge"):
        done = await world.run("dead", what, "zzz")
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("notifyd: no delivery `zzz`, or more than one begins so")


async def test_one_is_tried_again(world: World, receiver: Receiver, dead: list[Json]) -> None:
    """At once, and told like any other; the other stays. It is dead no more."""
    receiver.status = 200
    id = dead[0]["id"]
    done = await world.run("dead", "retry", id[:8])
    told = {one["id"]: one for one in await world.ended(2)}
    again = await world.run("dead", "purge", id)

    assert done.out == "1 dead letter is owed again, and sent as soon as can be.\n"
    assert [told[one["id"]]["state"] for one in dead] == ["delivered", "dead"]
    assert [one["outcome"] for one in told[id]["attempts"]] == ["permanent", "delivered"]
    assert 80_000 < told[id]["expires"] - told[id]["finished"] < 90_000
    assert (again.code, again.err) == (1, f"notifyd: {id[:8]} is no dead letter, it is delivered\n")


async def test_all_are_tried_again(world: World, receiver: Receiver, dead: list[Json]) -> None:
    """Also when they fail once more: then they are dead again, with another try."""
    done = await world.run("dead", "retry", "--all", "--channel", "team")
    told = await world.ended(2)
    unknown = await world.run("dead", "retry", "--all", "--channel", "x")

    assert done.out == "2 dead letters are owed again, and sent as soon as can be.\n"
    assert [(one["state"], len(one["attempts"])) for one in told] == [("dead", 2)] * 2
    assert (unknown.code, unknown.err) == (1, "notifyd: no channel `x`; there are: team\n")


async def test_what_tells_nobody_is_left(world: World, dead: list[Json]) -> None:
    """A muted channel would only suppress them."""
    await world.run("mute", "team")
    one = await world.run("dead", "retry", dead[0]["id"])
    everything = await world.run("dead", "retry", "--all")
    after = (await world.run("dead", "list", "--json")).json()

    assert (one.code, one.err) == (
        1,
        "notifyd: team is muted, and tells nobody; `notifyd unmute team` first\n",
    )
    assert everything.out == "Left: 2 dead letters of team, which is muted or not configured.\n"
    assert after["counts"] == {"team": 2}


async def test_a_channel_that_is_gone_leaves_what_can_only_be_purged(
    world: World, receiver: Receiver, dead: list[Json]
) -> None:
    """Nobody would send it; status says whose it is."""
    world.write(webhook(receiver, "other"))
    await world.run("reload")
    one = await world.run("dead", "retry", dead[0]["id"])
    everything = await world.run("dead", "retry", "--all")
    status = await world.run("status")
    purged = await world.run("dead", "purge", "--all", "--channel", "team")

    assert (one.code, one.err) == (1, "notifyd: no channel `team`; there are: other\n")
    assert everything.out == "Left: 2 dead letters of team, which is muted or not configured.\n"
    assert "team: 2 dead letters, and that channel is not configured" in status.out
    assert purged.out == "2 dead letters are forgotten.\n"


async def test_what_is_purged_is_gone(world: World, dead: list[Json]) -> None:
    """One, then the rest; nothing is asked."""
    one = await world.run("dead", "purge", dead[0]["id"][:8])
    shown = await world.run("dead", "show", dead[0]["id"])
    rest = await world.run("dead", "purge", "--all")
    after = await world.run("dead", "list")

    assert one.out == "1 dead letter is forgotten.\n"
    assert shown.code == 1
    assert rest.out == "1 dead letter is forgotten.\n"
    assert after.out == "No dead letters: nothing was given up.\n"


async def test_history_can_be_asked_for_one_state(
    world: World, receiver: Receiver, dead: list[Json]
) -> None:
    """And says so where nothing stands there."""
    receiver.status = 200
    await world.run("dead", "retry", dead[0]["id"])
    await world.ended(2)
    shown = await world.run("history", "--state", "delivered")
    told = (await world.run("history", "--state", "dead", "--json")).json()
    none = await world.run("history", "--state", "suppressed")

    assert dead[0]["id"][:8] in shown.out
    assert dead[1]["id"][:8] not in shown.out
    assert [one["id"] for one in told] == [dead[1]["id"]]
    assert none.out == "Nothing like that is in the history.\n"


async def test_what_was_told_together_names_its_message(world: World, receiver: Receiver) -> None:
    """In the history, and from both ends when one is shown."""
    batch = "    batch: {max_wait: 1s, by: channel}\n"
    async with world.daemon(webhook(receiver) + batch):
        for number in range(4):
            await say(world, f"number {number}")
        told = await world.ended(4)
        folded = next(one for one in told if one["told_in"])
        history = await world.run("history")
        member = await world.run("dead", "show", folded["id"])
        leader = await world.run("dead", "show", folded["told_in"])

    short = folded["told_in"][:8]
    assert f"  in {short}: number " in history.out
    assert f"Told         in the message of {folded['told_in']}" in member.out
    (line,) = (one for one in leader.out.splitlines() if "Told with it " in one)
    number = sum(one["told_in"] == folded["told_in"] for one in told)
    assert line.split()[3] == str(number)
    assert f"\nSent as      {number + 1} notices: " in leader.out
    assert f"\n             {folded['id'][:8]}  {folded['title']}\n" in leader.out
