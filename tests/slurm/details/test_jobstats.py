"""A summary of a monitoring system is read for what it is, and nothing that looks like one."""

from __future__ import annotations

import base64
import gzip
import json
import math
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.slurm.details.jobstats import Figures, from_admin_comment, percent

GB = 1 << 30
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
)
KEYS = (
    "used_memory",
    "total_memory",
    "total_time",
    "cpus",
    "gpu_utilization",
    "gpu_used_memory",
)
NODES = st.dictionaries(
    st.sampled_from(KEYS), JSON | st.integers(0) | st.dictionaries(st.just("0"), JSON)
)
SUMMARIES = st.fixed_dictionaries(
    {},
    optional={
        "nodes": st.dictionaries(st.text(max_size=3), NODES | JSON, max_size=3) | JSON,
        "total_time": st.integers() | st.floats() | JSON,
        "gpus": JSON,
    },
)


def a_node(**changes: object) -> dict[str, object]:
    """Return what is monitored of a node with two GPUs."""
    node: dict[str, object] = {
        "used_memory": 3 * GB,
        "total_memory": 8 * GB,
        "cpus": 4,
        "total_time": 150.0,
        "gpu_utilization": {"0": 93.1, "1": 0},
        "gpu_used_memory": {"0": 2 * GB, "1": 0},
        "gpu_total_memory": {"0": 40 * GB, "1": 40 * GB},
    }
    return node | changes


def comment(*nodes: object, **changes: object) -> str:
    """Return the comment about a job of 100 seconds on these nodes."""
    named = {f"n{number}": node for number, node in enumerate(nodes)}
    return packed(json.dumps({"nodes": named, "total_time": 100, "gpus": 4} | changes).encode())


def packed(plain: bytes) -> str:
    """Return the comment that holds this."""
    return "JS1:" + base64.b64encode(gzip.compress(plain, mtime=0)).decode()


def test_the_figures_are_those_of_all_nodes() -> None:
    """Times and memory are added up; the use of the GPUs is an average."""
    idle = a_node(used_memory=1 * GB, total_time=50, gpu_utilization={"0": 1, "1": 2})
    assert from_admin_comment(comment(a_node(), idle)) == Figures(
        cpu_seconds=200.0,
        cpu_percent=25.0,
        memory_used_bytes=4 * GB,
        memory_asked_bytes=16 * GB,
        memory_percent=25.0,
        gpus=4,
        gpu_percent=24.0,
        gpu_memory_bytes=4 * GB,
    )


def test_a_job_without_gpus_has_none() -> None:
    """Zero GPUs are no figure."""
    node = {key: value for key, value in a_node().items() if not key.startswith("gpu_")}
    found = from_admin_comment(comment(node, gpus=0))
    assert found is not None
    assert (found.gpus, found.gpu_percent, found.gpu_memory_bytes) == (None, None, None)
    assert found.cpu_percent == 37.5


@pytest.mark.parametrize("key", ["used_memory", "total_memory"])
@pytest.mark.parametrize("value", [None, "3 GB", -1, math.nan, math.inf, 1 << 60, {}])
def test_a_figure_that_one_node_lacks_is_unknown(key: str, value: object) -> None:
    """Memory is known of all nodes, or not at all, and so is never half of a pair."""
    found = from_admin_comment(comment(a_node(), a_node(**{key: value})))
    assert found is not None
    assert (found.memory_used_bytes, found.memory_asked_bytes) == (None, None)
    assert (found.memory_percent, found.cpu_percent) == (None, 37.5)


def test_an_unreadable_gpu_makes_the_average_unknown() -> None:
    """An average of some is not the average of all."""
    odd = a_node(gpu_utilization={"0": 93.1, "1": ["MIG"]}, gpu_used_memory="?")
    found = from_admin_comment(comment(a_node(), odd))
    assert found is not None
    assert (found.gpus, found.gpu_percent, found.gpu_memory_bytes) == (4, None, None)


def test_without_its_run_time_the_cpus_efficiency_is_unknown() -> None:
    """A summary made too early says -1."""
    found = from_admin_comment(comment(a_node(), total_time=-1))
    assert found is not None
    assert (found.cpu_seconds, found.cpu_percent, found.memory_percent) == (None, None, 37.5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "JS1:",
        "JS1:Short",
        "JS1:None",
        "JS2:Short",
        "held by the admins, see JS1:",
        "JS1:ÄÖÜ",
        "JS1:" + base64.b64encode(b"plain").decode(),
        packed(b"")[:-8],
        comment(a_node())[:-12],
        packed(b"[]"),
        packed(b"\xff\xfe\xfd"),
        packed(b'{"nodes": {"n1": {"cpus": ' + b"9" * 5000 + b"}}}"),
        packed(b"[" * 500_000),
        comment(),
        comment(None),
        packed(json.dumps({"nodes": [a_node()]}).encode()),
    ],
)
def test_anything_else_is_no_summary(text: str) -> None:
    """An administrator's own words, a summary cut short, or a job of which there is none."""
    assert from_admin_comment(text) is None


def test_a_bomb_does_not_go_off() -> None:
    """A few kilobytes that unpack to 64 megabytes are given up on after one."""
    bomb = packed(b" " * (64 << 20))
    tracemalloc.start()
    try:
        assert from_admin_comment(bomb) is None
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert highest < 8 << 20


@given(SUMMARIES)
def test_a_summary_may_hold_anything(summary: dict[str, object]) -> None:
    """Nothing is raised, and each figure is finite."""
    found = from_admin_comment(packed(json.dumps(summary).encode())) or Figures()
    figures = (found.cpu_seconds, found.cpu_percent, found.memory_percent, found.gpu_percent)
    assert all(figure is None or 0 <= figure < math.inf for figure in figures)


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_a_comment_may_hold_anything(text: str) -> None:
    """Noise has no figures."""
    assert from_admin_comment("JS1:" + text) is None


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [(1, 3, 33.3), (0, 5, 0.0), (9, 3, 300.0), (None, 3, None), (1, None, None), (1, 0, None)],
)
def test_percent(part: float | None, whole: float | None, share: float | None) -> None:
    """A share of nothing is unknown; more than all is told as it is."""
    assert percent(part, whole) == share
