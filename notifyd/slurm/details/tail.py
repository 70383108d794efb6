"""The last lines that a job has written: read as its own user, and made harmless to show."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from notifyd.slurm.details import reader
from notifyd.slurm.details.errands import Errands

Read = Callable[[str, int], bytes]
"""Returns the last bytes of the file at a path, at most so many. Raises OSError."""

MOST_BYTES = 65536
MOST_CHARACTERS = 16_000
LONGEST_LINE = 300

_KEPT = ("LD_LIBRARY_PATH",)
_LOCALE = {"LC_ALL": "C.UTF-8"}

# Every part excludes what the next begins with, so that each character is looked at once.
_ESCAPES = re.compile(
    r"""
    (?: \x1b\[ | \x9b ) [0-?]*+ [\ -/]*+ [@-~]                          # colours, the cursor
  | (?: \x1b[]PX^_] | [\x90\x98\x9d-\x9f] ) [^\x00-\x1f\x7f-\x9f]*+
    (?: \x07 | \x1b\\ | \x9c )                                          # titles, links
  | \x1b [\ -/]*+ [0-~]                                                 # all others
    """,
    re.VERBOSE,
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom the daemon runs as."""

    name: str | None
    root: bool


def own_identity() -> Identity:
    """Return whom this process runs as; a uid without a name is nobody's."""
    uid = os.geteuid()
    try:
        return Identity(name=pwd.getpwuid(uid).pw_name, root=uid == 0)
    except KeyError:
        return Identity(name=None, root=uid == 0)


class OutputReader:
    """Reads the ends of outputs, one at a time, each within a time-out (seconds).

    The daemon's own user's are read by itself. Root reads other people's as those people;
    nobody else does: with `--output`, a job names any file it likes, and the daemon's user
    may read what the job's may not.
    """

    def __init__(
        self,
        read: Read = reader.read_tail,
        timeout: float = 5.0,
        identity: Identity | None = None,
    ) -> None:
        self._read = read
        self._timeout = timeout
        self._me = identity or own_identity()
        self._errands = Errands()
        self.trouble: str | None = None
        """Why the last read gave nothing, if something went wrong."""

    @property
    def skipped(self) -> int:
        """Return how many reads were not even begun, because too many hung."""
        return self._errands.skipped

    async def tail(self, path: str, owner: str | None, lines: int) -> str | None:
        """Return the last lines of a job's output; None if there is nothing to be had."""
        self.trouble = None
        try:
            work = partial(_read_and_clean, self._reader_for(owner), path, lines)
            return await self._errands.run(work, self._timeout) or None
        except TimeoutError:
            self.trouble = "not read in time"
        except Exception as error:  # the end of a job is told with or without its output
            self.trouble = getattr(error, "strerror", None) or str(error) or repr(error)
        return None

    def _reader_for(self, owner: str | None) -> Read:
        if owner is not None and owner == self._me.name:
            return _read_own_as_root if self._me.root else self._read
        if owner is None or not self._me.root:
            raise PermissionError("output of others is read by root alone")
        # It gives up before the caller does, so that its thread is over and counts as no hang.
        return partial(_read_as, owner, self._timeout * 0.8)


def _read_and_clean(read: Read, path: str, lines: int) -> str:
    raw = read(path, MOST_BYTES + 1)
    # The one byte more tells whether the first line is whole.
    cut = len(raw) > MOST_BYTES and raw[:1] not in b"\r\n"
    return clean_tail(raw[-MOST_BYTES:], lines, MOST_CHARACTERS, cut=cut)


def _read_own_as_root(path: str, most_bytes: int) -> bytes:
    """Read what root's own job has written, if nobody else can put a link in its way."""
    for folder in Path(path).parents:
        about = folder.lstat()
        if about.st_uid != 0 or about.st_mode & 0o022:
            raise PermissionError(f"{folder} is not root's alone")
    return reader.read_tail(path, most_bytes)


def _read_as(user: str, timeout: float, path: str, most_bytes: int) -> bytes:
    """Read as another user, in a process that becomes that user first. Raises OSError."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", reader.__file__, path, str(most_bytes), user],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            cwd="/",
            env={name: os.environ[name] for name in _KEPT if name in os.environ} | _LOCALE,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").split("\n")
        raise OSError(lines[0][:200] or "the reader failed")
    return done.stdout


def clean_tail(raw: bytes, lines: int, most_characters: int, *, cut: bool = False) -> str:
    """Return the last lines of an output, without what steers a terminal or a reader.

    Of a progress bar only its last state is left. With `cut`, the first line has lost its
    beginning, and is dropped. A line has at most 300 characters; blank ones at both ends go.
    """
    longest, room = min(LONGEST_LINE, most_characters), most_characters
    kept: list[str] = []
    for line in reversed(_whole_lines(raw, cut).split(b"\n")):
        text = _clean_line(line, longest)
        if not text and not kept:
            continue
        room -= len(text) + bool(kept)
        if len(kept) >= lines or room < 0:
            break
        kept.append(text)
    return "\n".join(reversed(kept)).lstrip("\n")


def _whole_lines(raw: bytes, cut: bool) -> bytes:
    if not cut:
        return raw
    # The states of a progress bar count: for hours it may write nothing but one line.
    end = re.search(rb"[\r\n]", raw)
    return raw[end.end() :] if end else b""


def _clean_line(raw: bytes, longest: int) -> str:
    text = _ESCAPES.sub("", raw.decode("utf-8", "replace"))
    states = (_CONTROLS.sub("", state).rstrip() for state in reversed(text.split("\r")))
    last = next((state for state in states if state), "").replace("\t", "    ")
    return last if len(last) <= longest else (last[: longest - 1] + "…")[:longest]
