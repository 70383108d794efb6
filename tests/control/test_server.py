"""The control socket answers its owner, whatever lies in its place or has become of its file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from notifyd.client import Client
from notifyd.control.server import SocketError, bind, serve
from tests.cli.world import modes
from tests.control.parts import FakeActions

NOBODY = 65534
LOOPS = (asyncio.new_event_loop, uvloop.new_event_loop)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose name is short (unix(7): 107 bytes) and that others can be let into."""
    made = Path(tempfile.mkdtemp(prefix="n-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextlib.contextmanager
def acting_as(uid: int) -> Iterator[None]:
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def connected(path: Path) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        door.connect(str(path))
    except OSError:
        door.close()
        raise
    return door


async def answer_to(door: socket.socket) -> bytes:
    """Ask for a mute over this connection and return all that comes back."""
    loop = asyncio.get_running_loop()
    request = b"POST /v1/channels/team/unmute HTTP/1.0\r\nHost: localhost\r\n\r\n"
    answer = b""
    with door:
        door.setblocking(False)
        async with asyncio.timeout(10):
            await loop.sock_sendall(door, request)
            while piece := await loop.sock_recv(door, 4096):
                answer += piece
    return answer


@pytest.mark.parametrize("mask", [0o022, 0])
def test_only_the_owner_can_reach_the_file(folder: Path, mask: int) -> None:
    """Socket 0600 in a folder 0700, also where the umask forbids nothing."""
    path = folder / "run" / "control.sock"
    with umask(mask), bind(path):
        assert (modes(path), modes(path.parent)) == (0o600, 0o700)
        assert os.umask(mask) == mask, "the umask is what it was"


def test_what_a_killed_daemon_left_is_replaced(folder: Path) -> None:
    """A socket file that nobody listens on any more is in nobody's way."""
    path = folder / "control.sock"
    bind(path).close()
    with pytest.raises(ConnectionRefusedError):
        connected(path)
    with bind(path), connected(path):
        assert stat.S_ISSOCK(path.stat().st_mode)


def test_what_is_no_socket_is_left_alone(folder: Path) -> None:
    """A file in its place may be precious."""
    path = folder / "control.sock"
    path.write_text("precious")
    with pytest.raises(SocketError, match=r"control\.sock is in the way and is no socket"):
        bind(path)

    assert path.read_text() == "precious"


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_can_write_in_is_refused(folder: Path, mode: int) -> None:
    """They could put a socket of theirs in its place; whose folder it is decides what to do."""
    folder.chmod(mode)
    with pytest.raises(SocketError, match=f"chmod 700 {folder}"):
        bind(folder / "control.sock")

    assert stat.S_IMODE(folder.stat().st_mode) == mode
    assert list(folder.iterdir()) == []


def test_a_folder_of_somebody_else_is_refused(folder: Path) -> None:
    """Its owner could replace the socket whenever they like."""
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(folder, NOBODY, NOBODY)
    with pytest.raises(SocketError, match="is not yours"):
        bind(folder / "control.sock")


@pytest.mark.parametrize("place", ["file/control.sock", f"{'x' * 108}.sock"])
def test_a_place_where_no_socket_can_be_is_explained(folder: Path, place: str) -> None:
    """The error names the path, and nothing stays open."""
    (folder / "file").touch()
    with pytest.raises(SocketError, match=r"\.sock cannot be made: "):
        bind(folder / place)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_owner_is_answered_until_the_end(
    folder: Path, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """On asyncio's loop and on uvloop; after it the file is gone."""
    path, actions = folder / "control.sock", FakeActions()

    async def ask() -> None:
        async with serve(actions, path):
            client = Client(str(path), timeout=10)
            assert await asyncio.to_thread(client.mute, "team", 60) == {"muted": True}

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(ask())

    assert actions.muted == [("team", 60)]
    assert not path.exists()


@pytest.mark.parametrize("loop", LOOPS)
def test_another_user_is_refused(
    folder: Path, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """The file keeps them out; and where it does not any more, the daemon does."""
    if os.getuid() != 0:
        pytest.skip("only root can connect as somebody else")
    path, actions = folder / "control.sock", FakeActions()

    async def ask() -> bytes:
        async with serve(actions, path):
            folder.chmod(0o755)
            with acting_as(NOBODY), pytest.raises(PermissionError):
                connected(path)
            folder.chmod(0o777)
            path.chmod(0o777)
            with acting_as(NOBODY):
                door = connected(path)
            return await answer_to(door)

    with asyncio.Runner(loop_factory=loop) as runner:
        answer = runner.run(ask())

    assert answer.startswith(b"HTTP/1.0 403 ")
    assert b"this socket is not yours" in answer
    assert actions.unmuted == []
