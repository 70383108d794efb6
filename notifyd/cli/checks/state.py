"""Can the state folder keep what must not be lost?"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from notifyd.cli.checks.finding import Finding, failed, ok, warning

_NETWORK: Mapping[str, str] = {
    "nfs": "NFS",
    "nfs4": "NFS",
    "lustre": "Lustre",
    "gpfs": "GPFS",
    "beegfs": "BeeGFS",
    "ceph": "CephFS",
    "fuse.ceph-fuse": "CephFS",
    "fuse.glusterfs": "GlusterFS",
    "fuse.sshfs": "SSHFS",
    "cifs": "SMB",
    "smb3": "SMB",
    "afs": "AFS",
    "panfs": "PanFS",
    "pvfs2": "OrangeFS",
    "wekafs": "WekaFS",
    "9p": "9P",
}
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_LITTLE = 200 * 2**20
_TOO_LITTLE = 16 * 2**20
_OCTAL = re.compile(r"\\([0-7]{3})")


def check_folder(folder: Path) -> Finding:
    """Return whether the daemon can write into its folder, and nobody else can read it."""
    if not folder.exists():
        parent = nearest(folder)
        if os.access(parent, os.W_OK | os.X_OK) and parent.is_dir():
            return ok("state", f"The state folder will be made at the first start ({folder})")
        mend = "Name another one with --state-dir, or in $NOTIFYD_STATE_DIR."
        return failed("state", f"{folder} cannot be made: {parent} is not yours to write", mend)
    if not folder.is_dir():
        mend = "Move it away, or name another folder with --state-dir."
        return failed("state", f"{folder} is no folder", mend)
    status = folder.stat()
    if status.st_uid != os.geteuid() or not os.access(folder, os.W_OK | os.X_OK):
        mend = "Name one of your own with --state-dir, or in $NOTIFYD_STATE_DIR."
        return failed("state", f"{folder} is not yours to write", mend)
    if status.st_mode & 0o077:
        return warning("state", f"Others can look into {folder}", f"chmod 700 {folder}")
    return ok("state", f"The state folder is writable and private ({folder})")


def check_file_system(kind: str | None) -> Finding:
    """Return whether the state is safe on this type of file system."""
    name = "state-file-system"
    network = _NETWORK.get(kind or "")
    if network:
        text = f"The state is on {network}, a network file system: works, one daemon at a time"
        return warning(name, text, "Keep it on a local disk if you can: --state-dir.")
    if kind in _IN_MEMORY:
        text = f"The state is in memory ({kind}): the next reboot forgets it"
        return warning(name, text, "Keep it on a disk: --state-dir.")
    return ok(name, f"The state is on a local file system ({kind or 'unknown'})")


def check_space(free: int) -> Finding:
    """Return whether so many free bytes are enough."""
    text = f"{free // 2**20:,} MB are free for the state"
    mend = "Make room there, or name another place with --state-dir."
    if free < _TOO_LITTLE:
        return failed("state-space", f"Only {text}", mend)
    if free < _LITTLE:
        return warning("state-space", f"Only {text}", mend)
    return ok("state-space", text)


def file_system(mountinfo: str, path: str) -> str | None:
    """Return the type of the file system that holds a path (proc_pid_mountinfo(5))."""
    best, found = -1, None
    for line in mountinfo.split("\n"):  # names hold what splitlines() breaks at
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4])
        # What is mounted later over the same place hides what was there.
        if _is_under(path, point) and len(point) >= best:
            best, found = len(point), after.split(" ")[0]
    return found


def look_at(folder: Path) -> list[Finding]:
    """Return everything about the folder, or about where it will be."""
    findings = [check_folder(folder)]
    place = nearest(folder)
    try:
        # Not UTF-8 in general; the same escapes bring each byte back as one letter.
        mountinfo = Path("/proc/self/mountinfo").read_bytes().decode("latin-1")
        real = os.fsencode(os.path.realpath(place)).decode("latin-1")
        findings.append(check_file_system(file_system(mountinfo, real)))
        findings.append(check_space(shutil.disk_usage(place).free))
    except OSError as error:
        text = f"The file system of {place} cannot be looked at: {error.strerror}"
        findings.append(warning("state-file-system", text, "Is it still mounted?"))
    return findings


def nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that there is."""
    return next((one for one in (folder, *folder.parents) if one.exists()), Path("/"))


def _is_under(path: str, point: str) -> bool:
    return point == "/" or path == point or path.startswith(f"{point}/")
