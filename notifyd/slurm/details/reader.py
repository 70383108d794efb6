"""Reads the end of a file of somebody's choosing: of a plain file, and never more than asked.

It stands alone, on the standard library: where root reads for a user, it is also a program,
`reader.py PATH BYTES USER`, which becomes that user before it so much as looks at the path.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
import sys
from collections.abc import Sequence


def read_tail(path: str, most_bytes: int) -> bytes:
    """Return the last bytes of a regular file, at most so many. Raises OSError.

    A symbolic link is followed; a device or a FIFO is never opened, so that nothing can wait
    at its other end and nothing happens to it.
    """
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except ValueError as error:  # a NUL, half a surrogate pair
        raise OSError(errno.EINVAL, "not a path") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        # By its handle: under its name there may be something else by now.
        file = os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    finally:
        os.close(handle)
    try:
        return _last_bytes(file, most_bytes)
    finally:
        os.close(file)


def _last_bytes(file: int, most_bytes: int) -> bytes:
    # What has no size has no end: this also keeps the daemon's own /proc/self/environ closed.
    size = os.fstat(file).st_size
    place = max(0, size - max(0, most_bytes))
    pieces = []
    while piece := os.pread(file, size - place, place):
        pieces.append(piece)
        place += len(piece)
    return b"".join(pieces)


def become(user: str) -> None:
    """Give up root for good and be that user, with its groups. Raises OSError."""
    try:
        entry = pwd.getpwnam(user)
    except (KeyError, ValueError) as error:
        raise OSError(errno.EPERM, "no such user") from error
    if entry.pw_uid == 0:
        raise OSError(errno.EPERM, "nothing is read as root")
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    if {*os.getresuid()} != {entry.pw_uid} or {*os.getresgid()} != {entry.pw_gid} or _is_root():
        raise OSError(errno.EPERM, "root could not be given up")


def _is_root() -> bool:
    try:
        os.setuid(0)
    except PermissionError:
        return False
    return True


def main(arguments: Sequence[str]) -> int:
    """Write the bytes to stdout and return 0; or say on stderr why not, and return 1."""
    path, most_bytes, *user = arguments
    try:
        for name in user:
            become(name)
        sys.stdout.buffer.write(read_tail(path, int(most_bytes)))
        sys.stdout.buffer.flush()
    except OSError as error:
        sys.stderr.write(f"{error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
