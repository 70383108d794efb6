"""`notifyd doctor`: every check at once, on a whole machine."""

from __future__ import annotations

from tests.cli.world import Receiver, World, webhook, widest

NAMES = [
    *("config", "config-private", "state", "state-file-system", "state-space"),
    *("slurm", "accounting", "daemon", "store", "service", "linger", "channel:team"),
]


async def test_a_machine_on_which_all_works(world: World, receiver: Receiver) -> None:
    """Exit 0; each check has its line, within 80 columns and without escape codes."""
    world.has_systemd("echo enabled")
    async with world.daemon(webhook(receiver)):
        done = await world.run("doctor")

    assert (done.code, done.err) == (0, "")
    for words in (
        "✔ The configuration is valid (channels: team)",
        "✔ Slurm answers (demo, 0 jobs, ",
        "✔ Accounting answers (0 ended in the last hour, ",
        "✔ The daemon is running (process ",
        "✔ The daemon's store works",
        "✔ The service is installed and starts by itself (enabled)",
        "✔ Channel team (webhook) took a test message",
    ):
        assert words in done.out
    assert "✘" not in done.out
    assert "\x1b" not in done.out
    assert widest(done.out) <= 80
    assert len(receiver.got) == 1


async def test_one_failure_fails_the_whole(world: World, receiver: Receiver) -> None:
    """Exit 1; the other checks go on."""
    receiver.status = 404
    world.command("squeue", "exit 1")
    world.write(webhook(receiver))
    done = await world.run("doctor")

    assert done.code == 1
    assert "✘ Slurm does not answer" in done.out
    assert "✘ Channel team (webhook): " in done.out
    assert "2 of 10 checks failed, " in done.out
    assert "s3cret" not in done.out + done.err


async def test_programs_get_a_list(world: World, receiver: Receiver) -> None:
    """And nothing else on standard output, whatever a console channel wants to print."""
    world.has_systemd("echo enabled")
    world.write(webhook(receiver) + "  here: {type: console}\n")
    done = await world.run("doctor", "--json")
    found = done.json()

    assert done.code == 0
    assert [one["name"] for one in found] == [*NAMES, "channel:here"]
    assert {frozenset(one) for one in found} == {frozenset({"name", "state", "text", "mend"})}
    assert {one["state"] for one in found} <= {"ok", "warning"}


async def test_the_services_variables_count(world: World, receiver: Receiver) -> None:
    """As in the service; a file of secrets that others can read is a failure."""
    world.environment(f"URL={receiver.url}\n")
    world.write("channels: {team: {type: webhook, url: '${URL}'}}\n")
    private = await world.run("doctor")
    file = world.config.with_name("environment")
    file.chmod(0o640)
    shared = await world.run("doctor")

    assert private.code == 0
    assert "✔ Channel team (webhook) took a test message" in private.out
    assert shared.code == 1
    assert "✘ Others can get at the secrets in" in shared.out
    assert f"chmod 600 {file}" in shared.out


async def test_nothing_is_sent_unless_wanted(world: World, receiver: Receiver) -> None:
    """With --no-send the channels are only listed."""
    world.write(webhook(receiver))
    done = await world.run("doctor", "--no-send")

    assert "not tried (--no-send)" in done.out
    assert receiver.got == []


async def test_without_a_configuration_the_rest_is_checked(world: World) -> None:
    """Slurm and the state do not depend on it."""
    done = await world.run("doctor", "--json")
    found = {one["name"]: one["state"] for one in done.json()}

    assert done.code == 1
    assert (found["config"], found["slurm"]) == ("failed", "ok")


async def test_a_configuration_that_changed_since_is_told(world: World, receiver: Receiver) -> None:
    """The daemon goes on with what it read."""
    async with world.daemon(webhook(receiver)):
        world.write(webhook(receiver) + "# changed\n")
        done = await world.run("doctor", "--no-send")

    assert "! The configuration has changed since the daemon read it" in done.out


async def test_a_terminal_that_knows_no_unicode_is_served(world: World) -> None:
    """A question mark is better than a crash."""
    world.changes["PYTHONIOENCODING"] = "latin-1"
    done = await world.run("doctor")

    assert done.code == 1
    assert "? Slurm answers" in done.out
    assert "Traceback" not in done.err
