"""`notifyd init`: from nothing to a first message, in at most four questions."""

from __future__ import annotations

import pytest

from tests.cli.world import Receiver, World, modes, webhook, widest

QUIET = ("--no-service", "--no-test")
HOOK = ("--channel", "webhook", "--address", "https://example.org/s3cret")


async def test_with_all_options_nothing_is_asked(world: World, receiver: Receiver) -> None:
    """The configuration is written and a test message sent."""
    done = await world.run(
        *("init", "--channel", "webhook", "--address", receiver.url, "--no-service")
    )

    assert (done.code, done.err) == (0, "")
    assert f"Written: {world.config} (only you can read it)" in done.out
    assert "A test message is on its way" in done.out
    assert "notifyd status" in done.out
    assert "notifyd doctor" in done.out
    assert "s3cret" not in done.out
    assert widest(done.out) <= 80
    assert len(receiver.got) == 1
    assert (modes(world.config), modes(world.config.parent)) == (0o600, 0o700)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ((), "add --channel, --address, --service or --no-service"),
        (("--channel", "slack", "--no-service"), "add --address"),
        (("--channel", "console"), "add --service or --no-service"),
        (("--channel", "telegram", "--address", "7", "--no-service"), "add --token"),
    ],
)
async def test_without_a_terminal_the_missing_options_are_named(
    world: World, given: tuple[str, ...], missing: str
) -> None:
    """Wrong usage: exit 2, and nothing is written."""
    done = await world.run("init", *given)

    assert done.code == 2
    assert f"no terminal to ask at; {missing}\n" in done.err
    assert not world.config.parent.exists()


@pytest.mark.parametrize(
    "given",
    [
        ("--channel", "slack", "--address", "http://example.org/s3cret"),
        ("--channel", "email", "--address", "s3cret"),
        ("--channel", "email", "--address", "me@example.org", "--smtp-host", "a b"),
        ("--channel", "telegram", "--address", "7", "--token", "s3cret"),
        ("--channel", "matrix", "--address", "!s3cret:matrix.org", "--token", "x"),
    ],
)
async def test_what_makes_no_sense_is_wrong_usage(world: World, given: tuple[str, ...]) -> None:
    """Exit 2, and a secret is not repeated."""
    done = await world.run("init", *given, *QUIET)

    assert done.code == 2
    assert "s3cret" not in done.err
    assert not world.config.exists()


async def test_a_configuration_is_not_overwritten(world: World) -> None:
    """Exit 1, with what to do; --force keeps the old one beside the new."""
    world.write("# mine\n")
    refused = await world.run("init", *HOOK, *QUIET)
    untouched = world.config.read_text()
    forced = await world.run("init", *HOOK, *QUIET, "--force")

    assert refused.code == 1
    assert "is there already" in refused.err
    assert "--force" in refused.err
    assert untouched == "# mine\n"
    assert forced.code == 0
    assert world.config.with_name("config.yaml.bak").read_text() == "# mine\n"


async def test_a_secret_can_come_by_standard_input(world: World) -> None:
    """What stands on the command line, everybody sees in `ps`."""
    done = await world.run(
        *("init", "--channel", "webhook", "--address", "-", *QUIET),
        given="https://example.org/s3cret\n",
    )

    assert done.code == 0
    assert "https://example.org/s3cret" in world.config.read_text()


async def test_a_token_can_come_by_standard_input_too(world: World) -> None:
    """Each `-` is a line of its own, the address first, however they are ordered."""
    given = "https://matrix.example.org/!abc:example.org\nsyt_s3cret\n"
    options = ("--channel", "matrix", "--token", "-", "--address", "-", *QUIET)
    done = await world.run("init", *options, given=given)

    assert (done.code, done.err) == (0, "")
    assert "s3cret" not in done.out
    for line in ('homeserver: "https://matrix.example.org"', 'access_token: "syt_s3cret"'):
        assert line in world.config.read_text()


async def test_what_would_not_load_is_not_written(world: World) -> None:
    """Here a variable that is not set: exit 1, with the reason."""
    done = await world.run("init", "--channel", "slack", "--address", "${NOT_SET}", *QUIET)

    assert done.code == 1
    assert "Nothing was written" in done.err
    assert "NOT_SET is not set" in " ".join(done.err.split())
    assert list(world.config.parent.iterdir()) == []


async def test_a_folder_that_is_not_yours_is_named(world: World) -> None:
    """Exit 1; no traceback."""
    done = await world.run("init", *HOOK, *QUIET, "--config", "/proc/nowhere/config.yaml")

    assert done.code == 1
    assert "Nothing was written: /proc/nowhere: " in done.err


async def test_a_test_message_that_fails_leaves_the_configuration(
    world: World, receiver: Receiver
) -> None:
    """Exit 1 with the reason and where to mend it."""
    receiver.status = 404
    done = await world.run(
        *("init", "--channel", "discord", "--address", receiver.url, "--no-service")
    )

    assert done.code == 1
    assert "The test message was not taken: " in done.out
    assert "404" in done.out
    assert "notifyd test --channel discord" in done.out
    assert world.config.exists()


async def test_the_service_is_installed_and_started(world: World) -> None:
    """With what it needs to find Slurm; linger is mentioned either way."""
    world.has_systemd()
    done = await world.run("init", *HOOK, "--no-test", "--service")
    unit = world.folder / ".config/systemd/user/notifyd.service"

    assert done.code == 0
    assert "The service runs" in done.out
    assert "log out" in done.out
    assert world.systemctl_calls[-4:] == [
        "--user --no-pager daemon-reload",
        "--user --no-pager reset-failed notifyd",
        "--user --no-pager enable notifyd",
        "--user --no-pager restart notifyd",
    ]
    assert "-m notifyd run\n" in unit.read_text()
    assert f"\nEnvironment=PATH={world.folder}/bin:" in unit.read_text()


async def test_a_service_that_does_not_start_is_a_failure(world: World) -> None:
    """Exit 1 with systemd's own words, and where the log is."""
    world.has_systemd("case $* in *restart*) echo 'Job for notifyd failed' >&2; exit 1;; esac")
    done = await world.run("init", *HOOK, "--no-test", "--service")

    assert done.code == 1
    assert "The service does not run: Job for notifyd failed" in done.out
    assert "journalctl --user -u notifyd" in done.out


async def test_without_systemd_it_says_what_to_do_instead(world: World) -> None:
    """Exit 0, for the configuration is written."""
    done = await world.run("init", *HOOK, "--no-test", "--service")

    assert done.code == 0
    assert "No service was installed" in done.out
    assert "tmux new -d" in done.out
    assert "nohup " in done.out


async def test_a_service_can_be_added_later(world: World) -> None:
    """The configuration that is there stays as it is, and nothing else is asked for."""
    world.write("# mine\n")
    world.has_systemd()
    done = await world.run("init", "--service")

    assert done.code == 0
    assert world.config.read_text() == "# mine\n"
    assert "--user --no-pager restart notifyd" in world.systemctl_calls


async def test_a_service_is_warned_of_variables_that_it_does_not_see(world: World) -> None:
    """Its unit reads them from a file."""
    world.has_systemd()
    world.changes["URL"] = "https://example.org/s3cret"
    world.changes["CHAT"] = "7"
    world.changes["BOT"] = "110201543:AAHdqTcvCH1v"
    address = ("--channel", "webhook", "--address", "${URL}")
    done = await world.run("init", *address, "--no-test", "--service")
    chat = ("--channel", "telegram", "--address", "${CHAT}", "--token", "${BOT}")
    other = await world.run("init", *chat, "--no-test", "--service", "--force")

    assert "Put BOT, CHAT" in other.out
    assert f"{world.folder}/.config/notifyd/environment" in done.out
    assert "s3cret" not in done.out + world.config.read_text()


async def test_a_daemon_that_runs_takes_the_new_configuration(
    world: World, receiver: Receiver
) -> None:
    """It is told of it at once."""
    async with world.daemon(webhook(receiver)):
        done = await world.run("init", "--channel", "console", *QUIET, "--force")
        channels = (await world.run("channel", "list", "--json")).json()

    assert "has taken the new configuration" in done.out
    assert [one["name"] for one in channels] == ["console"]


async def test_a_variable_can_come_from_the_services_file(world: World, receiver: Receiver) -> None:
    """It loads, the test message arrives, and the service needs no word."""
    world.has_systemd()
    world.environment(f"URL='{receiver.url}'\n")
    done = await world.run("init", "--channel", "webhook", "--address", "${URL}", "--service")

    assert (done.code, done.err) == (0, "")
    assert len(receiver.got) == 1
    assert "shell's variables" not in done.out
    assert "s3cret" not in done.out + world.config.read_text()


async def test_a_daemon_with_another_configuration_is_pointed_out(
    world: World, receiver: Receiver
) -> None:
    """It has not taken the new one; how to start one with it is shown."""
    other = world.folder / "other.yaml"
    async with world.daemon(webhook(receiver)) as daemon:
        done = await world.run("init", "--channel", "console", *QUIET, "--config", str(other))
        channels = (await world.run("channel", "list", "--json")).json()

    said = " ".join(done.out.split())
    assert done.code == 0
    assert f"runs already, with another configuration: {world.config}" in said
    assert f"(process {daemon.process.pid})" in said
    assert "has taken" not in said
    assert f"run --config {other}" in said
    assert [one["name"] for one in channels] == ["team"]


async def test_a_daemon_started_by_hand_is_in_a_services_way(
    world: World, receiver: Receiver
) -> None:
    """Two cannot own one state folder; it says which process to stop."""
    world.has_systemd("case $* in *is-active*) echo inactive; exit 3;; esac")
    async with world.daemon(webhook(receiver)) as daemon:
        done = await world.run("init", "--service")

    assert done.code == 1
    assert f"process {daemon.process.pid}" in done.out
