"""Keeps what a request holds secret out of what is shown of its answer."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

_SHORTEST = 6
"""Shorter pieces of a path are words such as `hooks`, and would blot out half of an answer."""
_SHORTEST_VALUE = 3


def blot_out(text: str, url: str, secrets: Iterable[str] = ()) -> str:
    """Return the text with `*` for each part of the address or of a secret that it repeats.

    The length stays, so that a cut at a fixed place cannot bring back the end of a secret.
    """
    pieces = {*_of_address(url), *(word for secret in secrets for word in _of_secret(secret))}
    if not pieces:
        return text
    longest_first = sorted(pieces, key=len, reverse=True)
    found = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
    return found.sub(lambda match: "*" * len(match[0]), text)


def _of_address(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    whole_path = parts.path if len(parts.path) > 1 else ""
    for whole in (url, f"{whole_path}?{parts.query}" if parts.query else whole_path):
        if whole:
            yield whole
            yield whole.replace("/", "\\/")
    for piece in parts.path.split("/"):
        yield from _spellings(piece, _SHORTEST)
    for pair in parts.query.split("&"):
        yield from _spellings(pair.partition("=")[2], _SHORTEST_VALUE)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    for piece in (parts.username or "", parts.password or "", _basic(user, password)):
        yield from _spellings(piece, _SHORTEST_VALUE)


def _basic(user: str, password: str) -> str:
    """Return how the header of HTTP's basic authentication writes the two."""
    return base64.b64encode(f"{user}:{password}".encode()).decode() if password else ""


def _of_secret(secret: str) -> Iterator[str]:
    for word in (secret, *secret.split()):
        yield from _spellings(word, _SHORTEST_VALUE)


def _spellings(piece: str, shortest: int) -> Iterator[str]:
    for spelling in {piece, unquote(piece)}:
        if len(spelling) >= shortest:
            yield spelling
