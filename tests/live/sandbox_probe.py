"""Run inside the unit: tries what each of its filters forbids, and prints what was refused."""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

_ADDR_NO_RANDOMIZE = 0x0040000
_CLONE_NEWUSER = 0x10000000
_PTRACE_TRACEME = 0


def call(name: str, *arguments: int) -> None:
    """Call a function of the C library. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def refused(act: Callable[[], object]) -> bool:
    """Return whether the kernel says no."""
    try:
        act()
    except OSError:
        return True
    return False


ACTS: dict[str, Callable[[], object]] = {
    "write-and-run": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "setuid-file": lambda: Path(__file__).chmod(0o4700),
    "personality": lambda: call("personality", _ADDR_NO_RANDOMIZE),
    "trace": lambda: call("ptrace", _PTRACE_TRACEME, 0, 0, 0),
    "odd-socket": lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close(),
    "namespace": lambda: call("unshare", _CLONE_NEWUSER),
}

if __name__ == "__main__":
    umask = os.umask(0)
    names = [name for name, act in ACTS.items() if refused(act)]
    sys.stdout.write(f"refused: {' '.join(names)}; umask {umask:03o}\n")
