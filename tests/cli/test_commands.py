"""The commands against a real daemon: what they print, and how they exit."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import click
import pytest

from tests.cli.test_terminal import Terminal
from tests.cli.world import Receiver, World, webhook, widest


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("history",),
        ("dead", "list"),
        ("dead", "show", "1"),
        ("dead", "retry", "--all"),
        ("dead", "purge", "--all"),
        ("channel", "list"),
        ("reload",),
        ("mute", "team"),
        ("unmute", "team"),
        ("send", "hello", "--channel", "team"),
        ("collection", "list"),
        ("collection", "add", "paper", "--jobs", "1"),
    ],
)
async def test_without_a_daemon_a_command_exits_with_3(
    world: World, arguments: tuple[str, ...]
) -> None:
    """It says that nothing runs, and how to start it."""
    done = await world.run(*arguments)

    assert (done.code, done.out) == (3, "")
    assert "notifyd is not running" in done.err
    assert "notifyd run" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("statsu",),
        ("mute",),
        ("mute", "team", "--for", "soon"),
        ("send", "hello"),
        ("test",),
        ("collection", "add", "paper"),
        ("history", "--limit", "0"),
        ("history", "--state", "gone"),
        ("dead", "list", "--limit", "0"),
        ("dead", "show"),
        ("dead", "show", ""),
        ("dead", "retry"),
        ("dead", "retry", ""),
        ("dead", "retry", "1", "--all"),
        ("dead", "retry", "1", "--channel", "team"),
        ("dead", "purge"),
        ("dead", "purge", "1", "--all"),
        ("dead", "purge", "--channel", "team"),
        ("init", "--channel", "pigeon"),
        ("doctor", "--loudly"),
    ],
)
async def test_wrong_usage_exits_with_2(world: World, arguments: tuple[str, ...]) -> None:
    """It says what is wrong on standard error."""
    done = await world.run(*arguments)

    assert (done.code, done.out) == (2, "")
    assert "Error: " in done.err


async def test_a_text_that_is_sent_arrives_and_is_in_the_history(
    world: World, receiver: Receiver
) -> None:
    """`send` stores, the worker tells, `history` shows."""
    async with world.daemon(webhook(receiver)):
        sent = await world.run("send", "the data are ready", "--channel", "team", "--id", "1")
        await world.ended()
        shown = await world.run("history")
        told = (await world.run("history", "--json")).json()

    assert sent.code == shown.code == 0
    assert len(receiver.got) == 1
    assert "the data are ready" in shown.out
    assert [(one["channel"], one["state"], len(one["attempts"])) for one in told] == [
        ("team", "delivered", 1)
    ]


async def test_a_long_text_is_whole_in_a_pipe_and_cut_on_a_terminal(
    world: World, receiver: Receiver
) -> None:
    """`notifyd history | grep` finds its last word."""
    async with world.daemon(webhook(receiver)):
        await world.run("send", "a long text " * 8 + "needle", "--channel", "team")
        await world.ended()
        piped = await world.run("history")
        with Terminal(world, "history") as terminal:
            await asyncio.to_thread(terminal.end)

    assert "needle" in piped.out
    assert "needle" not in terminal.shown
    assert "…" in terminal.shown
    assert widest(click.unstyle(terminal.shown)) <= 80


async def test_a_text_cannot_steer_the_terminal(world: World, receiver: Receiver) -> None:
    """Nor can what a receiver answers: escape codes are left out of history and status."""
    receiver.status, receiver.words = 409, "no\x1b[31m hook"
    async with world.daemon(webhook(receiver)):
        await world.run("send", "red \x1b[31mjob\x1b]0;x\x07", "--channel", "team")
        await world.ended()
        history = await world.run("history")
        status = await world.run("status")

    assert "job" in history.out
    assert "hook" in status.out
    assert "\x1b" not in history.out + status.out
    assert "\x07" not in history.out + status.out


async def test_a_reader_that_has_seen_enough_is_no_fault(world: World) -> None:
    """`notifyd --help | head -1`: no traceback."""
    there, end = os.pipe()
    os.close(there)
    with open(end, "wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "notifyd", "--help"),
            stdout=out,
            stderr=subprocess.PIPE,
            env=world.environ,
        )
    _, err = await process.communicate()

    assert err == b""


async def test_run_takes_the_services_variables(world: World, receiver: Receiver) -> None:
    """In a terminal it does the same as the service."""
    world.environment(f"URL={receiver.url}\n")
    async with world.daemon("channels: {team: {type: webhook, url: '${URL}'}}\n"):
        tested = await world.run("test", "--channel", "team")
        reloaded = await world.run("reload")

    assert (tested.code, reloaded.code) == (0, 0)
    assert len(receiver.got) == 1


async def test_an_empty_history_says_so(world: World, receiver: Receiver) -> None:
    """People read a sentence, programs an empty list."""
    async with world.daemon(webhook(receiver)):
        shown = await world.run("history")
        told = await world.run("history", "--channel", "team", "--json")

    assert shown.out == "Nothing has been told yet.\n"
    assert told.json() == []


async def test_a_mute_shows_until_it_is_taken_back(world: World, receiver: Receiver) -> None:
    """What is sent meanwhile is suppressed, with the reason in the history."""
    async with world.daemon(webhook(receiver)):
        muted = await world.run("mute", "team", "--for", "2h")
        await world.run("send", "hush", "--channel", "team")
        await world.ended()
        history = await world.run("history")
        status = await world.run("status")
        unmuted = await world.run("unmute", "team")
        after = (await world.run("channel", "list", "--json")).json()

    assert muted.out == "team is muted for 2 h.\n"
    assert unmuted.out == "team is on again.\n"
    assert "suppressed" in history.out
    assert "muted" in status.out
    assert [one["state"] for one in after] == ["ok"]
    assert receiver.got == []


async def test_status_shows_the_watching_and_each_channel(world: World, receiver: Receiver) -> None:
    """For people without escape codes, and whole in a pipe; for programs as JSON."""
    name = "a-channel-with-a-very-long-name" * 2
    async with world.daemon(webhook(receiver, name)):
        shown = await world.run("status")
        told = (await world.run("status", "--json")).json()
        listed = await world.run("channel", "list")

    assert "notifyd " in shown.out
    assert "polled" in shown.out
    assert name in shown.out
    assert "…" not in shown.out + listed.out
    assert "\x1b" not in shown.out + listed.out
    assert told["config"] == str(world.config)
    assert [one["kind"] for one in told["channels"]] == ["webhook"]


async def test_what_the_daemon_refuses_exits_with_1(world: World, receiver: Receiver) -> None:
    """The reason is the daemon's: here, which channels there are."""
    async with world.daemon(webhook(receiver)):
        for arguments in (("mute", "x"), ("unmute", "x"), ("send", "hi", "--channel", "x")):
            done = await world.run(*arguments)

            assert done.code == 1
            assert "no channel `x`; there are: team" in done.err


async def test_a_reload_takes_the_new_configuration(world: World, receiver: Receiver) -> None:
    """A channel that was added is there at once."""
    async with world.daemon(webhook(receiver)):
        world.write(webhook(receiver) + f"  mine:\n    type: webhook\n    url: {receiver.url}\n")
        done = await world.run("reload")
        channels = (await world.run("channel", "list", "--json")).json()

    assert done.code == 0
    assert {one["name"] for one in channels} == {"team", "mine"}


async def test_a_collection_set_by_command_is_a_setting(world: World, receiver: Receiver) -> None:
    """It lands in conf.d/managed.yaml, counts at once, and can be taken back."""
    managed = world.config.parent / "conf.d" / "managed.yaml"
    async with world.daemon(webhook(receiver)):
        done = await world.run("collection", "add", "paper", "--jobs", "4711,12_3")
        assert (done.code, done.err) == (0, "")
        assert "4711" in managed.read_text()
        listed = await world.run("collection", "list")
        assert "No collection has jobs" in listed.out
        assert (await world.run("collection", "list", "--json")).json() == []
        assert (await world.run("collection", "remove", "paper")).code == 0
        assert "4711" not in managed.read_text()


async def test_a_collection_that_cannot_be_is_refused(world: World, receiver: Receiver) -> None:
    """It says why, and the file stays as it was."""
    managed = world.config.parent / "conf.d" / "managed.yaml"
    async with world.daemon(webhook(receiver)):
        bad = await world.run("collection", "add", "two words", "--name", "x*")
        assert bad.code == 1
        assert "two words" in bad.err
        assert not managed.exists()
        number = await world.run("collection", "add", "paper", "--jobs", "abc")
        assert (number.code, managed.exists()) == (1, False)
        assert "jobs" in number.err


async def test_a_bad_configuration_changes_nothing(world: World, receiver: Receiver) -> None:
    """The reload names every problem and exits with 1; the old one goes on; status says so."""
    async with world.daemon(webhook(receiver)):
        world.write("slurm: {interval: soon}\nchanels: {}\n")
        done = await world.run("reload")
        status = await world.run("status")
        tested = await world.run("test", "--channel", "team")

    assert done.code == 1
    assert "config.yaml:1: slurm.interval" in done.err
    assert "config.yaml:2: chanels" in done.err
    assert "the last reload was refused" in status.out
    assert "config.yaml:2: chanels" in status.out
    assert tested.code == 0


async def test_a_daemon_does_not_start_with_a_bad_configuration(world: World) -> None:
    """It exits with 1 and names every problem."""
    world.write("slurm: {interval: soon}\nchanels: {}\n")
    done = await world.run("run")

    assert done.code == 1
    assert "config.yaml:1: slurm.interval" in done.err
    assert 'did you mean "channels"?' in done.err


async def test_help_names_every_command(world: World) -> None:
    """Without arguments the command explains itself."""
    done = await world.run()

    assert done.code == 0
    for name in ("init", "doctor", "run", "status", "history", "dead", "test", "send", "reload"):
        assert f"\n  {name} " in done.out
