"""Reading a file that may be missing, huge, a pipe or somebody else's."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

_WORDS = {
    errno.ENOENT: "no such file",
    errno.EACCES: "may not be read by this user",
    errno.ENAMETOOLONG: "not a path: too long",
    errno.ENXIO: "not a regular file",
    errno.ELOOP: "a symbolic link that leads to itself",
}


class UnreadableError(Exception):
    """A file that cannot be used, with the reason in words for people."""

    def __init__(self, reason: str, missing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.missing = missing


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Content:
    """What a file holds, and whose it is. Shows neither in its repr: it may be a secret."""

    data: bytes
    mode: int
    owner: int

    def text(self) -> str:
        """Return the text. Raises UnreadableError when it is not UTF-8."""
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
        # Outside of the handler: the error holds the bytes, and would be chained.
        raise UnreadableError(f"not UTF-8 text on line {line}; save it as UTF-8")


def read(path: Path, limit: int) -> Content:
    """Return what a regular file holds, at most `limit` bytes.

    What is checked is the opened file, which nobody can swap in between; a pipe without a
    writer does not block. Raises UnreadableError.
    """
    descriptor = _open(path)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise UnreadableError("a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("not a regular file")
        with open(descriptor, "rb", closefd=False) as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise UnreadableError(_words(error)) from None
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise UnreadableError(f"larger than {limit // 1024} kB")
    return Content(data=data, mode=stat.S_IMODE(status.st_mode), owner=status.st_uid)


def replace_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(private_file(path, text.encode()), path)


def private_file(beside: Path, data: bytes) -> Path:
    """Write a file of a name that nobody uses, beside another, private. Raises OSError."""
    descriptor, name = tempfile.mkstemp(prefix=f".{beside.name}.", dir=beside.parent)
    with open(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(descriptor)
    return Path(name)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableError(_words(error), missing=error.errno == errno.ENOENT) from None
    except ValueError:
        raise UnreadableError("not a path") from None


def _words(error: OSError) -> str:
    return _WORDS.get(error.errno or 0) or error.strerror or "cannot be read"
