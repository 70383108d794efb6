"""A booted systemd with one user, in namespaces of its own: it can change nothing outside."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_BOOT_SECONDS = 20.0
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid (unix(7), SCM_CREDENTIALS)

_AROUND = r"""
set -e
root=$1 inside=$2
shift 2
# In a chroot / is no mount, and whoever made it has to have seen to this.
mount --make-rprivate / 2>/dev/null || ! grep -q shared: /proc/self/mountinfo
mount -t tmpfs tmpfs "$root"
mkdir "$root/groups" "$root/root"
mount -t cgroup2 cgroup2 "$root/groups"
group=$root/groups/notifyd-test-$$
mkdir "$group"
sh -ec 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" setpriv --pdeathsig KILL unshare \
    --mount --propagation unchanged --pid --fork --kill-child --cgroup --uts --ipc \
    sh -c "$inside" inside "$root/root" "$@" || :
find "$group" -depth -type d -exec rmdir {} \;
"""
"""Puts the machine into a control group of its own, waits for its end, and removes the group."""

_INSIDE = r"""
set -e
root=$1 user=$2 uid=$3 home=$4 door=$5
mount --rbind / "$root"
cd "$root"
mount -o remount,bind,ro .
mount -o remount,bind,ro dev
mount -t proc proc proc
[ -d sys/fs/cgroup ] || mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
# Fresh folders for what systemd writes. /tmp is needed: its start-up would empty the real one.
# The last two are what this machine mounts, sets and cleans at its own start.
for folder in run tmp var/log var/lib/systemd \
    lib/systemd/system-generators lib/systemd/system/sysinit.target.wants; do
    mount -t tmpfs -o mode=755 tmpfs "$folder"
done
chmod 1777 tmp
mount -t tmpfs -o "uid=$uid,mode=700" tmpfs "./$home"
mkdir -p var/lib/systemd/linger run/systemd/system
ln -s /dev/null run/systemd/system/modprobe@.service
touch "var/lib/systemd/linger/$user"
cat >run/systemd/system/notifyd-test.target <<END
[Unit]
Requires=systemd-journald.service dbus.service systemd-logind.service user@$uid.service
END
exec env -i container=other NOTIFY_SOCKET="$door" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    chroot . /lib/systemd/systemd --unit=notifyd-test.target --log-target=journal
"""
"""Makes the machine's view of the files, in which only its own are writable, and becomes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    """What it printed, errors included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A systemd that runs, and the manager of its one user."""

    init: int
    """The process id of its first process, as this side sees it."""
    user: pwd.struct_passwd

    async def run(
        self, *command: str, text: str = "", root: bool = False, timeout: float = 20
    ) -> Done:
        """Run a command as the user, or as root. Raises TimeoutError after so many seconds."""
        uid, gid = (0, 0) if root else (self.user.pw_uid, self.user.pw_gid)
        process = await asyncio.create_subprocess_exec(
            *("nsenter", f"--target={self.init}", "--root", "--wd", f"--setuid={uid}"),
            *(f"--setgid={gid}", "--mount", "--uts", "--ipc", "--pid", "--cgroup"),
            *("env", "-i", *self._environment(), *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(timeout):
                out, _ = await process.communicate(text.encode())
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            code = await process.wait()
        return Done(code=code, out=out.decode())

    async def must(self, *command: str, text: str = "", timeout: float = 20) -> str:
        """Run a command that has to succeed, and return what it printed."""
        done = await self.run(*command, text=text, timeout=timeout)
        assert done.code == 0, f"{command}: {done.code}: {done.out}"
        return done.out

    async def until(self, condition: str) -> None:
        """Wait until a shell command of the user's succeeds. Raises TimeoutError."""
        await self.must("sh", "-c", f"until {condition}; do sleep 0.1; done")

    async def write(self, path: str, text: str) -> None:
        """Write a private file of the user's; the path is relative to the home."""
        script = 'umask 077; mkdir -p "$(dirname "$0")"; cat >"$0"'
        await self.must("sh", "-c", script, f"{self.user.pw_dir}/{path}", text=text)

    async def show(self, unit: str) -> dict[str, str]:
        """Return the properties of a unit of the user's."""
        lines = (await self.must("systemctl", "--user", "show", unit)).splitlines()
        return dict(line.partition("=")[::2] for line in lines)

    async def journal(self) -> str:
        """Return what the user's manager and services have logged."""
        which = f"_UID={self.user.pw_uid}"
        return (await self.run("journalctl", "--no-pager", "--output=cat", which, root=True)).out

    def _environment(self) -> list[str]:
        user = self.user
        return [
            f"HOME={user.pw_dir}",
            f"USER={user.pw_name}",
            f"XDG_RUNTIME_DIR=/run/user/{user.pw_uid}",
            "PATH=/usr/bin:/bin",
        ]


@asynccontextmanager
async def booted(user: str, root: Path) -> AsyncIterator[Machine]:
    """Boot a machine, with an empty folder to put its files together in, and end it at last."""
    who = pwd.getpwnam(user)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        door.settimeout(_BOOT_SECONDS)
        door.bind("")  # the kernel chooses an abstract name
        name = "@" + door.getsockname()[1:].decode()
        arguments = (str(root), _INSIDE, user, str(who.pw_uid), who.pw_dir, name)
        around = await asyncio.create_subprocess_exec(
            *("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--propagation", "unchanged"),
            *("sh", "-c", _AROUND, "around", *arguments),
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            init = await asyncio.to_thread(_started, door)
            try:
                yield Machine(init=init, user=who)
            finally:
                with suppress(ProcessLookupError):
                    os.kill(init, signal.SIGKILL)  # and with it all that it has started
                await asyncio.wait_for(around.wait(), 20)
        finally:
            with suppress(ProcessLookupError):
                around.kill()
            await around.wait()


def _started(door: socket.socket) -> int:
    """Wait until systemd says that it is up; return its process id."""
    while True:
        text, extra, *_ = door.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        if b"READY=1" in text:
            pid, *_ = _CREDENTIALS.unpack(extra[0][2])
            return int(pid)
