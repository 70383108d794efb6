"""Says in plain words why a connection failed, whichever library had opened it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from notifyd.channels.failures import TemporaryFailure


def connection_failure(error: BaseException, host: str) -> TemporaryFailure:
    """Return the failure for an error of connecting, found in it or in what caused it.

    A refused certificate is temporary too: it is renewed over there, nothing has to change
    here, and nothing was sent to anybody.
    """
    for cause in _chain(error):
        words = _in_words(cause, host)
        if words:
            return TemporaryFailure(words)
    return TemporaryFailure(f"the connection to {host} broke off ({type(error).__name__})")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _in_words(cause: BaseException, host: str) -> str | None:
    if isinstance(cause, ssl.SSLError):
        why = getattr(cause, "verify_message", None)
        if why:
            return f"the certificate of {host} was refused: {why}"
        return f"TLS with {host} failed: {cause.reason}" if cause.reason else None
    if isinstance(cause, socket.gaierror):
        return f"no address is known for the host {host}"
    if isinstance(cause, ConnectionRefusedError):
        return f"{host} refuses the connection"
    return None
