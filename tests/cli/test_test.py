"""`notifyd test`: at once, with or without a daemon, and honest about how it went."""

from __future__ import annotations

from tests.cli.world import Receiver, World, webhook


async def test_a_running_daemon_sends_it(world: World, receiver: Receiver) -> None:
    """Delivered: exit 0, and one message at the receiver."""
    async with world.daemon(webhook(receiver)):
        done = await world.run("test", "--channel", "team")

    assert (done.code, done.out, done.err) == (0, "team took a test message.\n", "")
    assert len(receiver.got) == 1


async def test_without_a_daemon_it_is_sent_directly(world: World, receiver: Receiver) -> None:
    """It says so."""
    world.write(webhook(receiver))
    done = await world.run("test", "--channel", "team")

    assert (done.code, done.out) == (0, "team took a test message.\n")
    assert done.err == "The daemon is not running; sending directly.\n"
    assert len(receiver.got) == 1


async def test_without_a_daemon_the_services_variables_count(
    world: World, receiver: Receiver
) -> None:
    """Those of the shell before them."""
    world.environment("URL=https://nowhere.invalid/\n")
    world.changes["URL"] = receiver.url
    world.write("channels: {team: {type: webhook, url: '${URL}'}}\n")
    by_shell = await world.run("test", "--channel", "team")
    del world.changes["URL"]
    world.environment(f"URL={receiver.url}\n")
    by_file = await world.run("test", "--channel", "team")

    assert (by_shell.code, by_file.code) == (0, 0)
    assert len(receiver.got) == 2


async def test_a_refusal_is_the_reason_and_holds_no_secret(
    world: World, receiver: Receiver
) -> None:
    """Exit 1, directly and by way of the daemon."""
    receiver.status = 404
    world.write(webhook(receiver))
    directly = await world.run("test", "--channel", "team")
    async with world.daemon(webhook(receiver)):
        by_daemon = await world.run("test", "--channel", "team")

    for done in (directly, by_daemon):
        assert done.code == 1
        assert "notifyd: team: " in done.err
        assert "404" in done.err
        assert "s3cret" not in done.out + done.err


async def test_an_unknown_channel_lists_those_that_there_are(
    world: World, receiver: Receiver
) -> None:
    """Exit 1, directly and by way of the daemon, in the same words."""
    world.write(webhook(receiver))
    directly = await world.run("test", "--channel", "x")
    async with world.daemon(webhook(receiver)):
        by_daemon = await world.run("test", "--channel", "x")

    assert directly.code == by_daemon.code == 1
    assert directly.err == by_daemon.err == "notifyd: no channel `x`; there are: team\n"


async def test_a_channel_that_is_switched_off_is_not_tried(
    world: World, receiver: Receiver
) -> None:
    """It is as good as not there, as for the daemon."""
    world.write(webhook(receiver) + "    enabled: false\n")
    done = await world.run("test", "--channel", "team")

    assert done.err == "notifyd: no channel `team`; there are: none\n"
    assert receiver.got == []


async def test_a_bad_configuration_is_explained(world: World) -> None:
    """Every problem, and exit 1."""
    world.write("channels: {a: {type: slack}, b: {type: pigeon}}\n")
    done = await world.run("test", "--channel", "a")

    assert done.code == 1
    assert "channels.a: needs" in done.err
    assert "channels.b.type" in done.err
