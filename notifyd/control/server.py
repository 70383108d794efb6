"""The control socket: for its owner alone, whoever else can reach the file."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from notifyd.control.actions import Actions, NotAllowed
from notifyd.control.problems import Handler, problems
from notifyd.control.routes import add_routes

_PEER = struct.Struct("3i")  # pid, uid, gid (unix(7), SO_PEERCRED)
_MOST_BODY = 64 * 1024
_GRACE = 1.0
"""Seconds that an answer has when the daemon stops; aiohttp may take them twice."""


class SocketError(Exception):
    """The control socket cannot be made. The text says where, why, and what to do."""


@asynccontextmanager
async def serve(actions: Actions, path: Path) -> AsyncIterator[None]:
    """Answer on the socket until the block is left. Raises SocketError."""
    app = web.Application(middlewares=[problems, owner_only], client_max_size=_MOST_BODY)
    add_routes(app, actions)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_GRACE)
    await runner.setup()
    listener = bind(path)
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
        listener.close()
        _remove_stale(path)


def bind(path: Path) -> socket.socket:
    """Return a listening socket that only the owner can reach. Raises SocketError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_folder(path.parent)
        _remove_stale(path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Under this umask the file is private from its first moment on: there is no gap.
        umask = os.umask(0o177)
        try:
            listener.bind(str(path))
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(umask)
    except OSError as error:
        raise SocketError(f"{path} cannot be made: {error.strerror or error}") from error
    listener.listen(16)
    listener.setblocking(False)
    return listener


def _check_folder(folder: Path) -> None:
    """Refuse a folder in which somebody else could put a socket of theirs in place of ours."""
    found = folder.stat()
    if found.st_uid != os.getuid():
        raise SocketError(f"{folder} is not yours: name another folder")
    if found.st_mode & 0o022:
        raise SocketError(f"others can write in {folder}: run `chmod 700 {folder}`, or use another")


def _remove_stale(path: Path) -> None:
    """Remove what a killed daemon left. The store's lock has told that no other one lives."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SocketError(f"{path} is in the way and is no socket: remove it")
        path.unlink()


@web.middleware
async def owner_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse everybody but the owner and root, whatever the file's permissions have become."""
    if _peer_uid(request) not in (os.getuid(), 0):
        raise NotAllowed("this socket is not yours", status=403)
    return await handler(request)


def _peer_uid(request: web.Request) -> int | None:
    door = request.transport.get_extra_info("socket") if request.transport else None
    if door is None:
        return None
    # uvloop hands out a wrapper without getsockopt: ask a copy of its file descriptor.
    with socket.socket(fileno=os.dup(door.fileno())) as copy:
        raw = copy.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    _, uid, _ = _PEER.unpack(raw)
    return int(uid)
