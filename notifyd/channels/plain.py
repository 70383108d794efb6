"""A message as nothing but lines of text: the form that every service takes."""

from __future__ import annotations

from notifyd.channels.severities import SYMBOLS
from notifyd.channels.text import (
    Escape,
    Size,
    clamp,
    fit_lines,
    one_line,
    strip_controls,
    unescaped,
    units,
)
from notifyd.model import Delivery, Message

_VALUE = 300


def title_of(delivery: Delivery) -> str:
    """Return the title on one line, behind the symbol of its severity."""
    return f"{SYMBOLS[delivery.event.severity]} {one_line(delivery.message.title)}"


def plain_text(
    delivery: Delivery, limit: int, escape: Escape = unescaped, size: Size = units
) -> str:
    """Return title, body and facts, escaped, in at most `limit` units."""
    title = clamp(title_of(delivery), limit // 4, escape, size)
    details = below_title(delivery.message, limit - size(title) - 1, escape, size)
    return f"{title}\n{details}".rstrip()


def below_title(
    message: Message, limit: int, escape: Escape = unescaped, size: Size = units
) -> str:
    """Return body and facts; the facts have a third at least, however long the body is."""
    lines = [
        clamp(f"{one_line(label)}: {one_line(value)}", _VALUE) for label, value in message.facts
    ]
    facts = fit_lines("\n".join(lines), limit // 3, escape, size)
    room = limit - size(facts) - 2
    body = fit_lines(strip_controls(message.body).strip("\n"), room, escape, size)
    return "\n\n".join(part for part in (body, facts) if part)
