"""What every channel does to text before it escapes it for its own medium."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_BREAKS = re.compile("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
# Bidi controls can make a text read backwards; lone surrogates cannot be encoded.
_STEERING = re.compile("[\x80-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PICTURES = {code: chr(0x2400 + code) for code in range(32) if code != 0x0A} | {0x7F: "␡"}
_JOINERS = "\u200d\ufe0e\ufe0f"

Escape = Callable[[str], str]
"""Turns plain text into text of a medium, character by character."""
Size = Callable[[str], int]
"""How a service counts the length of a text."""


def unescaped(text: str) -> str:
    """Return the text as it is: the escape of media that have no markup."""
    return text


def strip_controls(text: str) -> str:
    """Return the text with all that steers a terminal or a reader made visible and harmless.

    Every kind of line break becomes `\\n`, a tab four blanks, ESC `␛`; what turns the
    direction of text becomes `�`.
    """
    lines = _BREAKS.sub("\n", text).replace("\t", "    ")
    return _STEERING.sub("\ufffd", lines).translate(_PICTURES)


def one_line(text: str) -> str:
    """Return harmless text on one line; white space in a row becomes one blank."""
    return " ".join(strip_controls(text).split())


def storable(text: str) -> str:
    """Return the text without what cannot be stored: half an emoji, a NUL, from an answer."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def units(text: str) -> int:
    """Return the length in UTF-16 units.

    Services count characters or these and seldom say which; this is never the smaller.
    """
    return len(text.encode("utf-16-le", "replace")) // 2


def octets(text: str) -> int:
    """Return the length in bytes of UTF-8."""
    return len(text.encode("utf-8", "replace"))


def clamp(text: str, limit: int, escape: Escape = unescaped, size: Size = units) -> str:
    """Return the escaped text in at most `limit` units, a cut marked with `…`.

    The cut is made before escaping, so that it never falls inside an escape.
    """
    whole = escape(text)
    if size(whole) <= limit:
        return whole
    room = limit - size("…")
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = size(escape(text[:middle])) <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    return escape(_whole_signs(text[:low], text[low : low + 1])) + "…"


def fit_lines(text: str, limit: int, escape: Escape = unescaped, size: Size = units) -> str:
    """Return as many whole escaped lines as `limit` units hold, then `… and N more lines`."""
    whole = escape(text)
    if size(whole) <= limit:
        return whole
    lines = text.split("\n")
    room = limit - size(_left_out(len(lines)))
    kept: list[str] = []
    for line in lines:
        room -= size(escape(line)) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept:
        return clamp(text, limit, escape, size)
    return escape("\n".join(kept)) + _left_out(len(lines) - len(kept))


def _left_out(count: int) -> str:
    return f"\n… and {count} more line{'s' if count > 1 else ''}"


def _whole_signs(kept: str, following: str) -> str:
    """Drop the half of a sign that a cut has left: an accent or a joined emoji."""
    while kept and following and (_joins(following) or kept[-1] == "\u200d"):
        kept, following = kept[:-1], kept[-1]
    return kept.rstrip()


def _joins(character: str) -> bool:
    return character in _JOINERS or unicodedata.combining(character) > 0
