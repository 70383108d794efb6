"""Reads the summary that the monitoring system `jobstats` leaves in a job's AdminComment.

The comment is `JS1:` and then JSON, packed with gzip and base64. `JS1:Short` and `JS1:None`
stand for jobs of which there is none.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

MOST_BYTES = 1 << 20
"""Beyond this an unpacked summary is none: a few bytes can be packed so that they fill memory."""
ABSURD = 1 << 60
"""No figure is as large; Slurm writes numbers near 2**64 for "unknown"."""

_MARK = "JS1:"
_GZIP = 16 + zlib.MAX_WBITS

Node = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a run used, of all its nodes together. What is not known is None."""

    cpu_seconds: float | None = None
    cpu_percent: float | None = None
    """Of the time that its CPUs had; more than 100 if it used more CPUs than it was given."""
    memory_used_bytes: int | None = None
    memory_asked_bytes: int | None = None
    memory_percent: float | None = None
    gpus: int | None = None
    gpu_percent: float | None = None
    """Of one GPU, on average over its GPUs."""
    gpu_memory_bytes: int | None = None


def from_admin_comment(text: str) -> Figures | None:
    """Return what was monitored; None for any other comment. Never raises.

    A figure that is missing for one of the nodes is not known for the whole job.
    """
    summary = _unpacked(text)
    nodes = tuple(_nodes(summary))
    if not nodes:
        return None
    figures = _figures(summary, nodes)
    nothing_measured = Figures(gpus=figures.gpus)
    return None if figures == nothing_measured else figures


def percent(part: float | None, whole: float | None) -> float | None:
    """Return how much of the whole a part is, to a tenth; None if there is nothing of either."""
    if part is None or whole is None or whole < 1:
        return None
    return round(100 * part / whole, 1)


def _unpacked(text: str) -> Node:
    if not text.startswith(_MARK):
        return {}
    unpacker = zlib.decompressobj(_GZIP)
    try:
        packed = base64.b64decode(text.removeprefix(_MARK).strip(), validate=True)
        plain = unpacker.decompress(packed, MOST_BYTES)
        summary: object = json.loads(plain) if unpacker.eof else None
    except (ValueError, zlib.error, RecursionError):
        return {}
    return summary if isinstance(summary, dict) else {}


def _nodes(summary: Node) -> Iterator[Node]:
    nodes = summary.get("nodes")
    for node in nodes.values() if isinstance(nodes, dict) else ():
        yield node if isinstance(node, dict) else {}


def _figures(summary: Node, nodes: Sequence[Node]) -> Figures:
    elapsed = _number(summary.get("total_time"))  # -1 where it is not known
    busy, cpus = _total(nodes, "total_time"), _total(nodes, "cpus")
    used, asked = _total(nodes, "used_memory"), _total(nodes, "total_memory")
    busy_percent = percent(busy, elapsed * cpus if elapsed and cpus else None)
    memory_percent = percent(used, asked)
    shares, memories = _devices(nodes, "gpu_utilization"), _devices(nodes, "gpu_used_memory")
    return Figures(
        # A pair is taken whole or not at all: halves of two sources do not fit together.
        cpu_seconds=busy if busy_percent is not None else None,
        cpu_percent=busy_percent,
        memory_used_bytes=_whole(used) if memory_percent is not None else None,
        memory_asked_bytes=_whole(asked) if memory_percent is not None else None,
        memory_percent=memory_percent,
        gpus=_whole(_number(summary.get("gpus"))) or None,
        gpu_percent=round(sum(shares) / len(shares), 1) if shares else None,
        gpu_memory_bytes=_whole(sum(memories)) if memories else None,
    )


def _total(nodes: Sequence[Node], key: str) -> float | None:
    values = [_number(node.get(key)) for node in nodes]
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _devices(nodes: Sequence[Node], key: str) -> list[float]:
    """Return the figure of every GPU, none if one is unreadable. Not every node has GPUs."""
    found = [node[key] for node in nodes if key in node]
    values = [
        _number(value)
        for devices in found
        for value in (devices.values() if isinstance(devices, dict) else (None,))
    ]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else []


def _number(value: object) -> float | None:
    # A NaN, which JSON has no right to hold and Python reads, fails the comparison.
    return value if isinstance(value, int | float) and 0 <= value < ABSURD else None


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)
