"""Keeps what Slurm's commands print, on its way to the client.

The client is given small scripts that run the real commands as an ordinary user, and write down
what was asked and what was said. What differs from one recording to the next for no reason (drawn
marks, the time of day, names of this machine) is replaced by something that stays the same.
"""

from __future__ import annotations

import pwd
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.live.cluster import User

COMMANDS = ("squeue", "sacct", "scontrol")
BEGINNING = 1_800_000_000
"""Unix seconds: when each case begins, as its recording says."""
BYSTANDER = "1001"
"""The uid that a recording knows its user by."""

_SCRIPT = """#!/bin/sh
call={folder}/$(date +%s.%N)
for word; do printf '%s\\0' "$word"; done >"$call.arguments"
status=0
setpriv --reuid={uid} --regid={gid} --init-groups -- {name} "$@" \\
    >"$call.out" 2>"$call.err" || status=$?
cat "$call.out"
cat "$call.err" >&2
echo {name} $status >"$call.end"
exit $status
"""
_MARK = re.compile(rb"m[0-9a-f]{16}")
_TIME = re.compile(rb"(?<!\d)1[78]\d{8}(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One command: what it was asked, and what it said."""

    name: str
    arguments: tuple[bytes, ...]
    status: int
    at: int
    out: bytes
    err: bytes


class Calls:
    """The scripts that the client runs instead of the commands, and what they have kept."""

    def __init__(self, folder: Path, user: User) -> None:
        self._folder = folder
        folder.mkdir()
        gid = pwd.getpwuid(user.uid).pw_gid
        for name in COMMANDS:
            script = folder / name
            script.write_text(_SCRIPT.format(name=name, folder=folder, uid=user.uid, gid=gid))
            script.chmod(0o755)
        self.paths = {name: str(folder / name) for name in COMMANDS}

    def take(self) -> list[Call]:
        """Return what was kept since the last time, in order."""
        ends = sorted(self._folder.glob("*.end"))
        calls = [_read(end) for end in ends]
        for path in self._folder.glob("[0-9]*"):
            path.unlink()
        return calls


def _read(end: Path) -> Call:
    name, status = end.read_text().split()
    return Call(
        name=name,
        arguments=tuple(end.with_suffix(".arguments").read_bytes().split(b"\0")[:-1]),
        status=int(status),
        at=int(end.name.partition(".")[0]),
        out=end.with_suffix(".out").read_bytes(),
        err=end.with_suffix(".err").read_bytes(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """What is replaced in a recording so that the next one is the same."""

    begun: int
    names: Sequence[tuple[str, str]]
    """What this machine calls things, and what a recording calls them."""
    jobs: frozenset[str]
    """The ids of the case's jobs: rows of any other are left out."""

    def section(self, call: Call) -> bytes:
        """Return one command and its output, as a recording holds it."""
        marks = list(dict.fromkeys(_MARK.findall(b" ".join(call.arguments))))
        names = [b"<TEXT>", b"<RECORD>"] if call.name == "squeue" else [b"<NONCE>"]
        out = call.out
        for mark, name in zip(marks, names, strict=False):
            out = out.replace(mark, name)
        asked = b" ".join(word for word in call.arguments if not _MARK.search(word))
        asked = re.sub(rb" -O$| --format=\S+| --delimiter=\S+", b"", asked)
        head = b"=== %d exit %d: %s %s\n" % (call.at, call.status, call.name.encode(), asked)
        text = self._always_the_same(head + self._of_this_case(out))
        return text + (b"=== stderr\n" + self._always_the_same(call.err) if call.err else b"")

    def _of_this_case(self, out: bytes) -> bytes:
        end = b"<RECORD>\n"
        if end not in out:
            return out
        heading, rows = re.match(rb"(CLUSTER: .*\n)?", out), out.split(end)[:-1]
        assert heading
        rows[0] = rows[0][heading.end() :]
        kept = [row for row in rows if re.split(rb"\D", row, maxsplit=1)[0].decode() in self.jobs]
        return heading[0] + b"".join(row + end for row in kept)

    def _always_the_same(self, text: bytes) -> bytes:
        for here, name in self.names:
            text = re.sub(rb"(?<!\w)%s(?!\w)" % re.escape(here.encode()), name.encode(), text)
        return _TIME.sub(lambda found: b"%d" % (int(found[0]) - self.begun + BEGINNING), text)
