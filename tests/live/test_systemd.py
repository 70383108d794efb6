"""The user unit, on a real systemd: what people see when they enable, reload, kill and stop it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.cluster import Cluster, User
from tests.live.receivers import WebServer
from tests.live.systemd_machine import Done, Machine, booted

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

UNIT = Path(__file__).parent.parent.parent / "systemd" / "notifyd.service"
PROBE = Path(__file__).with_name("sandbox_probe.py")
UNITS = ".config/systemd/user"
CONFIG = ".config/notifyd/config.yaml"
NOTIFYD = ".local/bin/notifyd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """notifyd as the service of one user of a machine."""

    machine: Machine

    async def systemctl(self, *arguments: str) -> Done:
        """Run systemctl for the user's services."""
        return await self.machine.run("systemctl", "--user", *arguments)

    async def start(self) -> None:
        """Enable and start it, as the README says."""
        await self.machine.must("systemctl", "--user", "enable", "--now", "notifyd")

    async def configure(self, text: str) -> None:
        """Write the configuration."""
        await self.machine.write(CONFIG, text)

    async def change(self, text: str) -> None:
        """Change the unit by a drop-in."""
        await self.machine.write(f"{UNITS}/notifyd.service.d/test.conf", f"[Service]\n{text}\n")
        await self.machine.must("systemctl", "--user", "daemon-reload")

    async def show(self) -> dict[str, str]:
        """Return systemd's view of it."""
        return await self.machine.show("notifyd.service")

    async def status(self) -> dict[str, Any]:
        """Return what `notifyd status` says."""
        command = f"{self.machine.user.pw_dir}/{NOTIFYD}"
        status: dict[str, Any] = json.loads(await self.machine.must(command, "status", "--json"))
        return status

    async def kill(self, signal: str) -> None:
        """Send a signal to the daemon itself."""
        await self.machine.must(
            *("systemctl", "--user", "kill", "--kill-who=main", f"--signal={signal}", "notifyd")
        )


@pytest.fixture
async def service(cluster: Cluster, web: WebServer, tmp_path: Path) -> AsyncIterator[Service]:
    """A fresh machine on which the user has installed notifyd, with a channel to `web`."""
    notifyd = Path(os.environ.get("NOTIFYD_TEST_BIN", ""))
    for needed in (notifyd, cluster.folder):
        # The machine has its own /tmp, and its user may not look into /root.
        assert needed.is_absolute(), "run `sh deploy/test.sh`: it sets NOTIFYD_TEST_BIN"
        assert needed.parts[1] not in ("tmp", "run", "root"), f"the machine cannot see {needed}"
    async with booted("notifyd-alice", tmp_path) as machine:
        await machine.must("mkdir", "-p", f"{machine.user.pw_dir}/{Path(NOTIFYD).parent}")
        await machine.must("ln", "-s", str(notifyd), f"{machine.user.pw_dir}/{NOTIFYD}")
        await machine.write(f"{UNITS}/notifyd.service", UNIT.read_text())
        await machine.write(CONFIG, config(web.url))
        await machine.write(".config/notifyd/environment", f"SLURM_CONF={cluster.conf}\n")
        yield Service(machine=machine)
        print(await machine.journal())  # noqa: T201 - pytest shows it when the test fails


def config(url: str, name: str = "hook") -> str:
    """Return a configuration with one channel."""
    return f"""
slurm: {{interval: 1s}}
channels:
  {name}: {{type: webhook, url: "{url}", events: [job_started, job_ended]}}
"""


async def test_systemd_understands_every_line(service: Service) -> None:
    """The unit is checked by systemd itself, which complains of what it ignores."""
    path = f"{service.machine.user.pw_dir}/{UNITS}/notifyd.service"

    done = await service.machine.run("systemd-analyze", "verify", "--user", path)

    assert done == Done(code=0, out="")


async def test_enabled_it_runs_and_is_ready_at_once(service: Service) -> None:
    """`enable --now` returns when commands are answered, not before; `disable` undoes it."""
    await service.start()

    unit, status = await service.show(), await service.status()
    assert (unit["ActiveState"], unit["SubState"]) == ("active", "running")
    assert unit["UnitFileState"] == "enabled"
    assert unit["StatusText"] == "Watching your jobs"
    assert status["pid"] > 1
    assert [one["name"] for one in status["channels"]] == ["hook"]
    assert seconds(unit, "ExecMainStartTimestamp", "ActiveEnterTimestamp") < 10
    await service.machine.must("systemctl", "--user", "disable", "--now", "notifyd")
    unit = await service.show()
    assert (unit["ActiveState"], unit["UnitFileState"]) == ("inactive", "disabled")


async def test_a_stop_is_clean_and_quick(service: Service) -> None:
    """Well within the 10 s that the daemon promises, and with success."""
    await service.start()

    began = time.monotonic()
    done = await service.systemctl("stop", "notifyd")
    took = time.monotonic() - began

    unit = await service.show()
    assert done.code == 0
    assert took < 10
    assert (unit["ActiveState"], unit["Result"]) == ("inactive", "success")
    assert (unit["ExecMainCode"], unit["ExecMainStatus"]) == ("1", "0")  # CLD_EXITED


async def test_a_reload_takes_the_new_configuration(service: Service, web: WebServer) -> None:
    """When `systemctl reload` returns, it is in use, in the same process."""
    await service.start()
    before = await service.status()

    await service.configure(config(web.url, name="renamed"))
    done = await service.systemctl("reload", "notifyd")

    after = await service.status()
    assert done == Done(code=0, out="")
    assert [one["name"] for one in after["channels"]] == ["renamed"]
    assert after["pid"] == before["pid"]
    assert (await service.show())["ActiveState"] == "active"


async def test_a_reload_of_a_bad_configuration_fails(service: Service) -> None:
    """systemctl says so, the journal says why, and the old configuration goes on."""
    await service.start()
    before = await service.status()

    await service.configure("channels: {hook: {type: webhok}}")
    done = await service.systemctl("reload", "notifyd")

    after, unit = await service.status(), await service.show()
    assert done.code == 1
    assert "failed" in done.out
    assert 'did you mean "webhook"?' in await service.machine.journal()
    assert after["channels"] == before["channels"]
    assert after["pid"] == before["pid"]
    assert 'did you mean "webhook"?' in after["config_trouble"]
    assert (unit["ActiveState"], unit["SubState"]) == ("active", "running")


async def test_killed_it_comes_back_and_goes_on(
    service: Service, alice: User, web: WebServer
) -> None:
    """A job that was seen before a kill -9 and ended while nobody looked is told of after it."""
    await service.change("RestartSec=3")
    await service.start()
    first = await service.status()
    job = await running_job(service, alice, web)

    await service.kill("KILL")
    await web.wait_for(lambda: len(web.stories()[job]) == 2, 30)

    assert web.stories()[job] == ["job_started", "job_completed"]
    assert (await service.show())["NRestarts"] == "1"
    assert (await service.status())["pid"] != first["pid"]


async def test_a_daemon_that_hangs_is_restarted(
    service: Service, alice: User, web: WebServer
) -> None:
    """The watchdog is fed by the event loop; one that stands still is ended and begun anew."""
    await service.change("WatchdogSec=2\nRestartSec=1")
    await service.start()
    job = await running_job(service, alice, web)

    await service.kill("STOP")
    await web.wait_for(lambda: len(web.stories()[job]) == 2, 30)

    assert web.stories()[job] == ["job_started", "job_completed"]
    assert (await service.show())["NRestarts"] == "1"
    assert "Watchdog timeout" in await service.machine.journal()


async def test_a_bad_configuration_is_not_tried_for_ever(service: Service) -> None:
    """After five tries it is left alone, with the reason in the journal."""
    await service.change("RestartSec=100ms")
    await service.configure("channels: {hook: {type: webhok}}")

    done = await service.systemctl("start", "notifyd")
    await service.machine.until("systemctl --user --quiet is-failed notifyd")

    journal = await service.machine.journal()
    assert done.code == 1
    assert (await service.show())["NRestarts"] == "5"
    assert journal.count('did you mean "webhook"?') == 5


async def test_the_sandbox_bites(service: Service) -> None:
    """The kernel refuses what the unit forbids, and would not refuse it without the unit."""
    await service.machine.write("probe.py", PROBE.read_text())
    python = Path(os.environ["NOTIFYD_TEST_BIN"]).with_name("python")
    probe = f"{python} {service.machine.user.pw_dir}/probe.py"
    await service.change(f"Type=oneshot\nRestart=no\nWatchdogSec=0\nExecStart=\nExecStart={probe}")

    await service.machine.must("systemctl", "--user", "start", "notifyd")
    outside = await service.machine.must(*probe.split())

    every = "refused: write-and-run setuid-file personality trace odd-socket namespace; umask 077"
    assert every in await service.machine.journal()
    # Whether an ordinary user has the other two is the kernel's and the site's choice.
    always_there = {"write-and-run", "setuid-file", "personality", "trace"}
    assert always_there.isdisjoint(outside.split())


async def running_job(service: Service, alice: User, web: WebServer) -> str:
    """Submit a job of two seconds, and return when its start has been told."""
    # What the first look finds is taken for old, and not announced.
    await service.machine.until(f"~/{NOTIFYD} status --json | grep -q '\"last_poll\": [0-9]'")
    job = alice.sbatch("sleep 2", "survivor", "--chdir=/")
    await web.wait_for(lambda: job in web.stories(), 20)
    assert web.stories().get(job) == ["job_started"]
    return job


def seconds(unit: dict[str, str], start: str, end: str) -> float:
    """Return the time between two moments of a unit's life."""
    return (int(unit[f"{end}Monotonic"]) - int(unit[f"{start}Monotonic"])) / 1e6
