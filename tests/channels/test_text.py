"""Text helpers: nothing steers, nothing is too long, nothing is cut in half."""

from __future__ import annotations

import html
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from notifyd.channels.text import clamp, fit_lines, octets, one_line, strip_controls, units
from tests.channels.parts import texts


@given(texts)
def test_no_control_survives(text: str) -> None:
    """Only line feeds are left of all controls, bidi marks and surrogates."""
    left = {unicodedata.category(c) for c in strip_controls(text) if c != "\n"}

    assert not left & {"Cc", "Cs", "Zl", "Zp"}
    assert not set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068") & set(strip_controls(text))


@given(texts)
def test_stripping_twice_is_stripping_once(text: str) -> None:
    """What is harmless stays as it is."""
    assert strip_controls(strip_controls(text)) == strip_controls(text)


def test_escape_is_seen() -> None:
    """A terminal escape is shown rather than obeyed, and joined emoji stay joined."""
    assert strip_controls("\x1b[31m\x7f") == "␛[31m␡"
    assert one_line("a\r\nb\tc\x85d 👩‍🚀") == "a b c d 👩‍🚀"


@given(texts, st.integers(1, 60))
def test_clamped_text_fits(text: str, limit: int) -> None:
    """A clamped text keeps to the limit, after escaping; a short one is not touched."""
    clamped = clamp(text, limit, html.escape)

    assert units(clamped) <= limit
    assert clamped == html.escape(text) or clamped.endswith("…")


@given(texts, st.integers(4, 60))
def test_a_text_can_be_measured_in_bytes(text: str, limit: int) -> None:
    """Some services count these; the mark of a cut has three of them."""
    assert octets(clamp(text, limit, size=octets)) <= limit
    assert octets(fit_lines(text, limit + 40, size=octets)) <= limit + 40


@given(st.text("&<>", min_size=1, max_size=40), st.integers(1, 60))
def test_no_cut_falls_inside_an_escape(text: str, limit: int) -> None:
    """What is left of a text made of escapes is a beginning of that text."""
    assert text.startswith(html.unescape(clamp(text, limit, html.escape)).removesuffix("…"))


def test_a_cut_leaves_whole_signs() -> None:
    """Half of a joined emoji, or a letter without its accent, goes too."""
    family = "👨\u200d👩\u200d👧"

    assert clamp(f"ab{family}{family}", 6) == "ab…"
    assert clamp("abe\u0301cdef", 4) == "ab…"


@given(st.lists(st.text("ab<", max_size=9), min_size=2, max_size=60), st.integers(70, 140))
def test_lines_are_kept_whole(lines: list[str], limit: int) -> None:
    """Lines that do not fit are counted, never cut."""
    fitted = fit_lines("\n".join(lines), limit, html.escape)
    kept = html.unescape(fitted).split("\n")

    assert units(fitted) <= limit
    if "…" in fitted:
        assert kept[:-1] == lines[: len(kept) - 1]
        assert kept[-1].startswith(f"… and {len(lines) - len(kept) + 1} more line")


def test_one_endless_line_is_cut() -> None:
    """A first line that is too long by itself is cut like any text."""
    assert fit_lines("x" * 500 + "\nb", 40) == "x" * 39 + "…"
