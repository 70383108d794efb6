"""How a table is read on behind its damaged places."""

from __future__ import annotations

from dataclasses import dataclass

Key = tuple[int | str, ...]
_HIGHEST = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class Table:
    """What is read of a table, and in which order."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    is_text: bool
    """Whether the key is made of texts, or of a number."""

    @property
    def ends(self) -> tuple[Key, Key]:
        """Return keys before and behind all that there are."""
        first, last = ("", _HIGHEST) if self.is_text else (0, 2**63 - 1)
        return (first,) * len(self.key), (last,) * len(self.key)

    def select(self, parts: int, up: bool) -> str:
        """Return what reads keys and columns from behind a key's first parts on, so many rows."""
        place, marks = ", ".join(self.key[:parts]), ", ".join("?" * parts)
        order = ", ".join(f"{part} {'ASC' if up else 'DESC'}" for part in self.key)
        # An index may tell of rows that the table has not, and hide those that it has.
        return (
            f"SELECT {', '.join(self.key + self.columns)} FROM {self.name} NOT INDEXED"
            f" WHERE ({place}) {'>' if up else '<'} ({marks}) ORDER BY {order} LIMIT ?"
        )

    @property
    def insert(self) -> str:
        """Return what writes the columns."""
        marks = ", ".join("?" * len(self.columns))
        return f"INSERT OR IGNORE INTO {self.name} ({', '.join(self.columns)}) VALUES ({marks})"


def beyond(key: Key, failures: int, up: bool) -> Key | None:
    """Return behind what to go on when so many reads behind a key have failed, if anything is.

    The first of them is tried again. Then a number goes on by one, and by more the longer the
    gap is; a text loses its end. What this leaps over is reached from the other side.
    """
    if not key:
        return None
    *front, last = key
    leap = max(failures - 1, 0)
    if isinstance(last, int):
        step = leap + int(1.02**leap) - 1
        place = last + step if up else last - step
        return (*front, place) if 0 <= place < 2**63 else None
    if leap > len(last):
        return beyond(tuple(front), failures - len(last), up)
    end = _HIGHEST if up and leap else ""
    return (*front, last[: len(last) - leap] + end)


def further(key: Key, found: tuple[object, ...], up: bool) -> Key:
    """Return the one that is further on: a damaged row may say anything, and lead in circles."""
    told = tuple(one for one in found if isinstance(one, int | str))
    if [type(one) for one in told] != [type(one) for one in key]:
        return key
    return max(key, told) if up else min(key, told)
