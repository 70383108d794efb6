"""The receivers of the bench take what is whole, however it comes in pieces."""

from __future__ import annotations

import json

import pytest

from tests.benchmarks.delivery.processes import sink
from tests.benchmarks.delivery.sink import Desk, Door, HttpDoor, Ledger, SmtpDoor

PIECES = [1, 2, 7, 64, 10_000]
"""How many bytes come at a time."""
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def post(id: str) -> bytes:
    """Return a request whose body has an id, and what looks like the end of a head."""
    body = json.dumps({"id": id, "data": 1}, indent=1).replace("\n", "\r\n\r\n").encode()
    head = f"POST /hook HTTP/1.1\r\nHost: sink\r\ncontent-LENGTH: {len(body)}\r\n\r\n"
    return head.encode() + body


def letter(id: str) -> bytes:
    """Return what a client says that hands in a mail."""
    commands = b"MAIL FROM:<a@b.c>\r\nRCPT TO:<d@e.f>\r\nDATA\r\n"
    return commands + f"Subject: x\r\nMessage-ID: <{id}>\r\n\r\nQUIT\r\n.\r\n".encode()


def fed(door: Door, text: bytes, size: int) -> bytes:
    """Hand a text to a door in pieces, and return its answers."""
    return b"".join(door.feed(text[at : at + size]) for at in range(0, len(text), size))


@pytest.mark.parametrize("size", PIECES)
def test_requests_are_taken_in_a_row_and_in_pieces(size: int) -> None:
    """Each is answered once, and known by the id in its body."""
    ledger = Ledger()

    assert fed(HttpDoor(ledger), post("a") + post("b") + post("c"), size) == TAKEN * 3
    assert list(ledger.arrivals()) == ["a", "b", "c"]


@pytest.mark.parametrize("size", PIECES)
def test_mails_are_taken_in_a_row_and_in_pieces(size: int) -> None:
    """A command in a mail is text; the one after it is a command again."""
    ledger = Ledger()
    door = SmtpDoor(ledger)

    said = fed(door, b"EHLO x\r\n" + letter("a@x") + letter("b@x") + b"QUIT\r\n", size)

    assert list(ledger.arrivals()) == ["a@x", "b@x"]
    assert said.split(b"\r\n")[-2] == b"221 bye"
    assert said.count(b"354 ") == 2
    assert door.over


def test_half_a_request_is_no_arrival() -> None:
    """It counts when its last byte is there."""
    ledger, request = Ledger(), post("a")
    door = HttpDoor(ledger)

    assert door.feed(request[:-1]) == b""
    assert ledger.count() == 0
    assert door.feed(request[-1:]) == TAKEN


def test_a_request_without_a_body_is_answered() -> None:
    """Whatever asks whether there is anybody."""
    assert HttpDoor(Ledger()).feed(b"GET / HTTP/1.1\r\nHost: sink\r\n\r\n") == TAKEN


def test_a_mail_without_a_line_ends_by_its_first_dot() -> None:
    """The line end before the dot is the command's own."""
    ledger = Ledger()

    assert SmtpDoor(ledger).feed(b"DATA\r\n.\r\n") == b"354 go on\r\n250 taken\r\n"
    assert ledger.count() == 1


def test_what_comes_twice_counts_twice_and_arrives_once() -> None:
    """The difference is how much was repeated."""
    ledger = Ledger()
    HttpDoor(ledger).feed(post("a") + post("b") + post("a"))

    assert ledger.count() == 3
    assert list(ledger.arrivals()) == ["a", "b"]


def test_an_id_within_a_text_is_found() -> None:
    """A peer that wraps the message in its own JSON escapes the quotes."""
    ledger = Ledger()
    ledger.note(json.dumps({"message": json.dumps({"id": "m7"})}).encode())

    assert list(ledger.arrivals()) == ["m7"]


def test_figures_are_told_a_line_each() -> None:
    """Whoever asks need not know JSON's end."""
    ledger = Ledger()
    HttpDoor(ledger).feed(post("a"))
    count, arrivals, rest = Desk(ledger).feed(b"count\narrivals\n").split(b"\n")

    assert (json.loads(count), list(json.loads(arrivals)), rest) == (1, ["a"], b"")


@pytest.mark.parametrize("kind", ["http", "smtp"])
def test_a_receiver_is_a_process_that_ends_with_its_block(kind: str) -> None:
    """It says its ports, tells that nothing came, and leaves nothing behind."""
    with sink(kind) as there:
        assert there.count() == 0
        assert there.arrivals() == {}
    with pytest.raises(ConnectionRefusedError):
        there.count()
