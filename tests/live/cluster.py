"""The private cluster and its users, driven from tests by Slurm's own commands."""

from __future__ import annotations

import os
import pwd
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

DEPLOY = Path(__file__).parent.parent.parent / "deploy"


class Cluster:
    """The cluster that deploy/slurm.sh keeps in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.conf = folder / "slurm.conf"

    def stop(self, service: str) -> None:
        """Stop slurmctld, slurmdbd or a node."""
        self._script("stop", service)

    def start(self, service: str) -> None:
        """Start it again, and return when it answers."""
        self._script("start", service)

    def scontrol(self, *arguments: str) -> None:
        """Run scontrol as root."""
        env = {**os.environ, "SLURM_CONF": str(self.conf)}
        subprocess.run(["scontrol", *arguments], env=env, check=True, timeout=60)

    def set(self, name: str, value: str) -> None:
        """Change a line of slurm.conf and let the controller read it."""
        text = self.conf.read_text()
        self.conf.write_text(re.sub(rf"(?m)^{name}=.*$", f"{name}={value}", text))
        self.scontrol("reconfigure")

    def _script(self, verb: str, service: str) -> None:
        command = ["sh", str(DEPLOY / "slurm.sh"), verb, str(self.folder), service]
        subprocess.run(command, check=True, timeout=120, capture_output=True)


class Daemon:
    """A notifyd process of an ordinary user."""

    def __init__(self, process: subprocess.Popen[bytes], pid: int, log: Path) -> None:
        self._process = process
        self.pid = pid
        self.log = log

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the daemon itself."""
        os.kill(self.pid, number)

    def wait(self, timeout: float = 15) -> int:
        """Return the exit code when it has ended."""
        return self._process.wait(timeout)

    def end(self) -> None:
        """End it, whatever it does."""
        if self._process.poll() is None:
            self.kill()
            self.wait()

    def wait_for_log(self, event: str, seconds: int = 30) -> None:
        """Return when a log line tells of an event."""
        loop = f'until grep -q \'"event": "{event}"\' {self.log}; do sleep 0.2; done'
        subprocess.run(["timeout", str(seconds), "sh", "-c", loop], check=True)

    def logged(self, event: str) -> int:
        """Return how many log lines tell of an event."""
        return self.log.read_text().count(f'"event": "{event}"')


class User:
    """An ordinary user of the cluster, with a home for notifyd."""

    def __init__(self, name: str, cluster: Cluster) -> None:
        self.name = name
        entry = pwd.getpwnam(name)
        self.uid = entry.pw_uid
        # Not in pytest's folder, which is root's alone; not in /tmp by name, which may be long.
        self.home = Path(tempfile.mkdtemp(prefix="notifyd-", dir=entry.pw_dir))
        os.chown(self.home, entry.pw_uid, entry.pw_gid)
        self.state = self.home / "state"
        self._daemons: list[Daemon] = []
        self._prefix = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}"]
        self._prefix += ["--init-groups", "--"]
        self._env = {
            "HOME": str(self.home),
            "USER": name,
            "PATH": os.environ["PATH"],
            "SLURM_CONF": str(cluster.conf),
            "NOTIFYD_CONFIG": str(self.home / "config.yaml"),
            "NOTIFYD_STATE_DIR": str(self.state),
        }
        self._notifyd = os.environ.get("NOTIFYD_TEST_BIN") or shutil.which("notifyd") or "notifyd"

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command as this user and return what it prints."""
        done = subprocess.run(
            [*self._prefix, *command],
            env=self._env,
            cwd=self.home,
            check=check,
            timeout=60,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout

    def notifyd(self, *arguments: str) -> str:
        """Run a notifyd command as this user."""
        return self.run(self._notifyd, *arguments)

    def sbatch(self, script: str, name: str, *options: str) -> str:
        """Submit a job and return its id."""
        command = ["sbatch", "--parsable", "--output=/dev/null", f"--job-name={name}"]
        return self.run(*command, *options, f"--wrap={script}").strip().split(";")[0]

    def cancel_all(self) -> None:
        """Cancel every job of this user and wait until none is left."""
        self.run("scancel", f"--user={self.name}", check=False)
        command = (
            f"timeout 60 sh -c 'while [ -n \"$(squeue -h -u {self.name})\" ]; do sleep 0.2; done'"
        )
        self.run("sh", "-c", command)

    def wait_for_empty_queue(self) -> None:
        """Return when no job of anybody's is shown any more, ended ones included."""
        loop = 'while [ -n "$(squeue -h -t all)" ]; do sleep 1; done'
        self.run("timeout", "90", "sh", "-c", loop)

    def write_config(self, text: str) -> None:
        """Write the configuration, private."""
        path = self.home / "config.yaml"
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, self.uid, -1)

    def start_daemon(self, ready: bool = True) -> Daemon:
        """Start notifyd and, if asked to, wait until it says that it is ready."""
        door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = f"\0notifyd-test-{os.getpid()}-{id(door)}"
        door.bind(address)
        log = self.home / "log"
        with log.open("ab") as lines:
            process = subprocess.Popen(
                [*self._prefix, self._notifyd, "run"],
                env={**self._env, "NOTIFY_SOCKET": "@" + address[1:]},
                cwd=self.home,
                stdout=lines,
                stderr=lines,
            )
        daemon = Daemon(process, process.pid, log)  # setpriv has become notifyd
        self._daemons.append(daemon)
        if ready:
            assert select.select([door], [], [], 20)[0], log.read_text()
        door.close()
        return daemon

    def end_daemons(self) -> None:
        """End all daemons that this user has started."""
        for daemon in self._daemons:
            daemon.end()

    def remove_home(self) -> None:
        """Remove all that this user's daemons have left."""
        shutil.rmtree(self.home)
