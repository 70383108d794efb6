"""A set of job ids that stays small: neighbours share a number, one bit each. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

_BITS = 64
_ID = re.compile(r"(.*?)([0-9]*)")


@dataclass(frozen=True, slots=True)
class IdSet:
    """Ids such as `4711` and `36_3`; a hundred thousand tasks of one array are 1,600 numbers."""

    chunks: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def of(ids: Iterable[str]) -> IdSet:
        """Return the set of these ids."""
        chunks: defaultdict[str, int] = defaultdict(int)
        for one in ids:
            chunk, bit = _place(one)
            chunks[chunk] |= bit
        return IdSet(dict(chunks))

    def __contains__(self, one: str) -> bool:
        chunk, bit = _place(one)
        return bool(self.chunks.get(chunk, 0) & bit)

    def __len__(self) -> int:
        return sum(bits.bit_count() for bits in self.chunks.values())

    def __or__(self, other: IdSet) -> IdSet:
        more = {chunk: self.chunks.get(chunk, 0) | bits for chunk, bits in other.chunks.items()}
        return IdSet({**self.chunks, **more})

    def __sub__(self, other: IdSet) -> IdSet:
        left = {chunk: bits & ~other.chunks.get(chunk, 0) for chunk, bits in self.chunks.items()}
        return IdSet({chunk: bits for chunk, bits in left.items() if bits})

    def spans(self) -> Iterator[tuple[str, int, int]]:
        """Yield `("36_", 3, 7)` for `36_3` to `36_7`, in order."""
        head, first, last = "", 0, -1
        for name, number in self._numbers():
            if name == head and number == last + 1:
                last = number
                continue
            if first <= last:
                yield head, first, last
            head, first, last = name, number, number
        if first <= last:
            yield head, first, last

    def _numbers(self) -> Iterator[tuple[str, int]]:
        places = sorted(
            (len(head), head, int(number), bits) for head, number, bits in self._split()
        )
        for _, head, number, bits in places:
            yield from ((head, number * _BITS + i) for i in range(_BITS) if bits >> i & 1)

    def _split(self) -> Iterator[tuple[str, str, int]]:
        for chunk, bits in self.chunks.items():
            head, number = _parts(chunk)
            yield head, number, bits


def _parts(text: str) -> tuple[str, str]:
    found = _ID.fullmatch(text)
    return (found[1], found[2]) if found else (text, "")


def _place(one: str) -> tuple[str, int]:
    head, digits = _parts(one)
    number = int(digits or 0)
    return f"{head}{number // _BITS}", 1 << number % _BITS
