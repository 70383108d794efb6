"""The end of an output: read from plain files alone, as its own user, and made harmless."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from notifyd.slurm.details import reader
from notifyd.slurm.details.reader import read_tail
from notifyd.slurm.details.tail import (
    LONGEST_LINE,
    MOST_BYTES,
    Identity,
    OutputReader,
    clean_tail,
)

ALICE = Identity(name="alice", root=False)
SOMEBODY = "nobody"
"""A user that every machine has."""
MEGABYTE = 1_000_000

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")


@pytest.fixture
def common() -> Iterator[Path]:
    """A folder that everybody may enter; pytest's own is closed to others."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.mark.parametrize(
    ("most", "end"), [(0, b""), (3, b"ef\n"), (7, b"abcdef\n"), (99, b"abcdef\n")]
)
def test_the_last_bytes_are_read(tmp_path: Path, most: int, end: bytes) -> None:
    """As many as were asked for, or as there are."""
    (tmp_path / "out").write_bytes(b"abcdef\n")

    assert read_tail(str(tmp_path / "out"), most) == end


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    """Many jobs write to a link."""
    (tmp_path / "out").write_bytes(b"abc")
    (tmp_path / "link").symlink_to("out")

    assert read_tail(str(tmp_path / "link"), 9) == b"abc"


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    """Of a terabyte, only the end is touched."""
    with (tmp_path / "out").open("wb") as file:
        file.truncate(2**40)
        file.seek(2**40)
        file.write(b"end")

    assert read_tail(str(tmp_path / "out"), 4) == b"\0end"


@pytest.mark.parametrize("what", ["/dev/zero", "/", "fifo", "link", "/proc/self", "a\0b", "\ud800"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, what: str) -> None:
    """No device or FIFO is opened, not even by a link: a FIFO without a writer would wait."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/zero")

    with pytest.raises(OSError, match="not a"):
        read_tail(str(tmp_path / what), 10)


def test_what_the_kernel_makes_up_is_not_read() -> None:
    """A job's output may be named /proc/self/environ, which would be the daemon's."""
    assert Path("/proc/self/environ").read_bytes()
    assert read_tail("/proc/self/environ", 99) == b""


def test_nothing_stays_open(tmp_path: Path) -> None:
    """A daemon that reads for months runs out of no files."""
    (tmp_path / "out").write_bytes(b"abc")
    before = os.listdir("/proc/self/fd")
    for path in (tmp_path, tmp_path / "out", tmp_path / "missing"):
        for _ in range(5):
            try:
                read_tail(str(path), 9)
            except OSError:
                continue

    assert len(os.listdir("/proc/self/fd")) == len(before)


def run_reader(*arguments: str, groups: Sequence[int] = ()) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", "-S", reader.__file__, *arguments]
    extra = groups or None  # only root may set any
    return subprocess.run(command, capture_output=True, check=False, timeout=30, extra_groups=extra)


def test_the_reader_is_a_program(tmp_path: Path) -> None:
    """It writes the bytes as they are, or says in a line why it cannot."""
    (tmp_path / "out").write_bytes(b"a\xff\0b")

    assert run_reader(str(tmp_path / "out"), "3").stdout == b"\xff\0b"
    refused = run_reader(str(tmp_path), "3")
    assert (refused.returncode, refused.stderr) == (1, b"not a regular file\n")


@as_root
@pytest.mark.parametrize(
    ("user", "why"), [("root", b"nothing is read as root\n"), ("no-such-user", b"no such user\n")]
)
def test_the_reader_does_not_stay_root(tmp_path: Path, user: str, why: bytes) -> None:
    """If it cannot become a user without power, it does not look at the path."""
    (tmp_path / "out").write_bytes(b"secret")
    refused = run_reader(str(tmp_path / "out"), "9", user)

    assert (refused.returncode, refused.stdout, refused.stderr) == (1, b"", why)


@as_root
def test_no_group_of_root_is_kept(common: Path) -> None:
    """The groups that the daemon happens to have open nothing for the job's user."""
    (common / "secret").write_bytes(b"secret")
    (common / "secret").chmod(0o640)
    refused = run_reader(str(common / "secret"), "9", SOMEBODY, groups=[0])

    assert (refused.returncode, refused.stderr) == (1, b"Permission denied\n")


@as_root
async def test_root_reads_as_the_owner(common: Path) -> None:
    """What a job's user may read is read."""
    out = common / "out"
    out.write_bytes(b"one\ntwo\n")
    out.chmod(0o600)
    shutil.chown(out, SOMEBODY)

    assert await OutputReader().tail(str(out), SOMEBODY, 1) == "two"


@as_root
@pytest.mark.parametrize("mode", [0o600, 0o640])
async def test_root_is_not_tricked(common: Path, mode: int) -> None:
    """What only root or its group may read stays closed, by a link too."""
    (common / "secret").write_bytes(b"secret\n")
    (common / "secret").chmod(mode)
    (common / "out").symlink_to("secret")
    outputs = OutputReader()

    for name in ("secret", "out"):
        assert await outputs.tail(str(common / name), SOMEBODY, 9) is None
        assert outputs.trouble == "Permission denied"
    assert await outputs.tail(str(common / "out"), "root", 9) is None, "a link in others' folder"


@as_root
def test_another_user_is_read_under_uvloop(common: Path) -> None:
    """The daemon's own loop starts and ends the process as well."""
    (common / "out").write_bytes(b"abc\n")
    (common / "out").chmod(0o644)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        text = runner.run(OutputReader().tail(str(common / "out"), SOMEBODY, 9))

    assert text == "abc"


@as_root
async def test_a_process_that_takes_too_long_is_ended(common: Path) -> None:
    """No process begins and reads within a thousandth of a second."""
    (common / "out").write_bytes(b"abc\n")
    outputs = OutputReader(timeout=0.001)

    assert await outputs.tail(str(common / "out"), SOMEBODY, 9) is None
    assert outputs.trouble == "not read in time"


@pytest.mark.parametrize("owner", ["bob", None, ""])
async def test_others_are_not_read_with_the_daemons_rights(owner: str | None) -> None:
    """Else anybody's job could name a file of the daemon's user as its output."""
    outputs = OutputReader(lambda path, most: b"secret", identity=ALICE)

    assert await outputs.tail("/home/alice/secret", owner, 9) is None
    assert outputs.trouble == "output of others is read by root alone"
    assert await outputs.tail("/home/alice/secret", "alice", 9) == "secret"


async def test_an_unknown_owner_is_not_read_by_root() -> None:
    """Root's rights are for nobody's output but root's."""
    outputs = OutputReader(lambda path, most: b"secret", identity=Identity(name="root", root=True))

    assert await outputs.tail("/x", None, 9) is None
    assert await outputs.tail("/x", "no-such-user", 9) is None


@pytest.mark.parametrize(
    ("before", "text"), [(b"", "first\nend"), (b"x", "end"), (b"x\n", "first\nend")]
)
async def test_a_line_that_was_cut_is_not_told(tmp_path: Path, before: bytes, text: str) -> None:
    """A file is read from somewhere in its middle; a line that begins just there is whole."""
    out = tmp_path / "out"
    filled = b"first" + b"\0" * (MOST_BYTES - 9) + b"\nend"
    out.write_bytes(before + filled)

    outputs = OutputReader(identity=ALICE)

    assert await outputs.tail(str(out), ALICE.name, 9) == text


@pytest.mark.parametrize("failure", [OSError(5, "I/O error"), ValueError("odd"), RuntimeError()])
async def test_no_failure_is_raised(failure: Exception) -> None:
    """An end is told with or without its output."""

    def fail(path: str, most: int) -> bytes:
        raise failure

    outputs = OutputReader(fail, identity=ALICE)

    assert await outputs.tail("/x", "alice", 9) is None
    assert outputs.trouble


@dataclass
class HungServer:
    """A file server that answers only when it is told to."""

    answer: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def read(self, path: str, most: int) -> bytes:
        self.asked += 1
        self.answer.wait(60)
        return b"late"

    def recover(self) -> None:
        """Answer, and wait until the readers have gone."""
        self.answer.set()
        for thread in threading.enumerate():
            if thread.name == "errand":
                thread.join(10)


async def test_a_hung_file_server_stops_nothing() -> None:
    """Two reads may hang; then none is begun until one of them is over."""
    server = HungServer()
    outputs = OutputReader(server.read, timeout=0.05, identity=ALICE)
    texts = await asyncio.gather(*(outputs.tail("/x", "alice", 9) for _ in range(4)))
    texts += [await outputs.tail("/x", "alice", 9) for _ in range(4)]

    assert (set(texts), server.asked) == ({None}, 2)
    assert outputs.skipped > 0
    assert outputs.trouble == "2 others hang"
    server.recover()
    assert await outputs.tail("/x", "alice", 9) == "late"


async def test_who_stops_waiting_leaves_a_read_that_counts() -> None:
    """A cancelled call ends at once and says so; its thread still hangs."""
    server = HungServer()
    outputs = OutputReader(server.read, identity=ALICE)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await outputs.tail("/x", "alice", 9)

    assert await outputs.tail("/x", "alice", 9) is None
    assert (outputs.skipped, server.asked) == (1, 2)
    server.recover()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a\n\n b \r\n\n\n", "a\n\n b"),
        (b" 10%\r 50%\r100%\ndone\r\n", "100%\ndone"),
        (b"50%\r\x1b[K\n", "50%"),
        (b"\x1b[1;31mred\x1b[0m \x1b(Bplain\x1b7", "red plain"),
        (b"\x1b]0;title\x07a\x1b]8;;http://evil.example\x1b\\b", "ab"),
        (b"\x1bP1$rq\x1b\\a\xc2\x9b31mb\xc2\x9d0;t\xc2\x9cc", "abc"),
        (b"\x1b]never ended", "never ended"),
        (b"\x1b\x1b[m[31m\x9b", "[31m\N{REPLACEMENT CHARACTER}"),
        (b"a\tb\0\x07\x08c\x7f", "a    bc"),
        ("\u202eabc\u2066\u200f\u2028é".encode(), "abcé"),
        (b"\xff\xfe\n", "\N{REPLACEMENT CHARACTER}" * 2),
        (b"", ""),
        (b"\0" * 99, ""),
    ],
)
def test_text_is_only_text(raw: bytes, text: str) -> None:
    """Nothing that steers a terminal is left, and of a progress bar its last state."""
    assert clean_tail(raw, 99, 999) == text


def test_only_the_last_lines_are_told() -> None:
    """As many as were asked for, whole, in the room that there is."""
    assert clean_tail(b"a\nbb\nccc\n\n", 2, 999) == "bb\nccc"
    assert clean_tail(b"a\nbb\nccc\n", 9, 6) == "bb\nccc"
    assert clean_tail(b"a\nbb\nccc\n", 9, 5) == "ccc"
    assert clean_tail(b"a\nbb\nccc\n", 9, 2) == "c…"


def test_a_long_line_is_cut() -> None:
    """A line of data does not fill a message."""
    assert clean_tail(b"x" * 999, 9, 9999) == "x" * (LONGEST_LINE - 1) + "…"


def test_a_cut_first_line_is_dropped() -> None:
    """Half a line says the wrong thing; the states of a progress bar are lines of their own."""
    assert clean_tail(b"alf\nwhole", 9, 99, cut=True) == "whole"
    assert clean_tail(b"%\r50%\r60%", 9, 99, cut=True) == "60%"
    assert clean_tail(b"endless", 9, 99, cut=True) == ""


PIECES = (b"\x1b[", b"\x1b]", b"\x1b", b"\xc2\x9b", b"\xc2\x9d", b"0;", b" ", b"\r", b"\n", b"\t")
MORE = (b"\x07", b"m", b"\xff", b"\xe2\x80\xae", "é".encode(), b"\x1b\\", b"\0", b"\x1bP")


def is_harmless(text: str) -> bool:
    kinds = {unicodedata.category(sign) for sign in text if sign != "\n"}
    return not kinds & {"Cc", "Cs", "Zl", "Zp"} and not set("\u202a\u202e\u2066") & set(text)


@given(
    st.lists(st.sampled_from([*PIECES, *MORE]) | st.binary(max_size=3)),
    st.integers(0, 9),
    st.integers(0, 50),
    st.booleans(),
)
def test_any_bytes_become_harmless(parts: list[bytes], lines: int, most: int, cut: bool) -> None:
    """What is left has no controls, and keeps to its limits."""
    text = clean_tail(b"".join(parts), lines, most, cut=cut)

    assert is_harmless(text)
    assert len(text) <= most
    assert len(text.split("\n")) <= max(lines, 1)


@pytest.mark.parametrize("end", [b"\x1b[", b"\x1b]", b"\x1b", b"x"])
@pytest.mark.parametrize("piece", [*PIECES, *MORE, b"\x1b[0;", b"\x1b]a", b"\xc2\x9da"])
def test_a_megabyte_of_malice_is_small_in_the_end(end: bytes, piece: bytes) -> None:
    """However often a sequence begins and never ends, each byte is looked at once."""
    text = clean_tail(end + piece * (MEGABYTE // len(piece)) + end, 5, 1000)

    assert is_harmless(text)
    assert len(text) <= 1000
