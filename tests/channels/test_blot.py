"""No answer brings a secret of its request into our logs."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.blot import blot_out

URL = "https://user:pa%20ss@hooks.example.org/services/T000000/B0000000/s3cr3tTok3n?sig=a%2Fb%2Bc"
tokens = st.text("abcdefXYZ0123456789-_/+=%", min_size=6, max_size=40)


def test_every_part_that_lets_one_in_is_blotted() -> None:
    """Path, query values and credentials go, in either spelling; the host stays."""
    said = f"no {URL} nor /services/T000000/B0000000/s3cr3tTok3n at hooks.example.org: a/b+c, pa ss"
    shown = blot_out(said, URL)

    assert "hooks.example.org: " in shown
    for part in ("s3cr3t", "B0000000", "a%2Fb", "a/b+c", "pa ss", "pa%20ss"):
        assert part not in shown


def test_plain_words_stay() -> None:
    """An answer that repeats nothing is shown as it is, and the length is kept."""
    assert blot_out("invalid_payload: no service", URL) == "invalid_payload: no service"
    assert len(blot_out(f"x {URL} y", URL)) == len(f"x {URL} y")


@given(tokens, st.text(max_size=30))
def test_a_token_never_shows(token: str, around: str) -> None:
    """Neither a header's token nor that of a query is shown, however it is spelt."""
    spelt = quote(token, safe="")
    url = f"https://h.example/x?key={spelt}"

    assert token not in blot_out(f"{around}{token}{around}", "", [token])
    assert spelt not in blot_out(f"{around}{spelt}{around}", url)


def test_a_bearer_token_alone_is_found() -> None:
    """The token goes even without the word that stands before it in the header."""
    assert blot_out("bad token abcdef", "", ["Bearer abcdef"]) == "bad token ******"


def test_basic_credentials_are_blotted_in_the_spelling_of_their_header() -> None:
    """A service that echoes the request shows them in base64."""
    echoed = "Authorization: Basic YWxpY2U6aHVudGVyMnB3"

    assert "YWxp" not in blot_out(echoed, "http://alice:hunter2pw@example.org/")
