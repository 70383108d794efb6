"""File name patterns are filled in as Slurm does it, whatever version has printed them."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifyd.model import Job
from notifyd.slurm.details.paths import output_paths

PLAIN = Job(
    cluster="demo",
    job_id="21",
    submit_time=1,
    state="FAILED",
    name="train",
    user="alice",
    work_dir="/w",
    node_list="n[3-5,9],gpu1",
)
TASK = replace(PLAIN, job_id="36_3", array_job_id="36", array_task_id=3)
COMPONENT = replace(PLAIN, job_id="12+1")


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/o/slurm-%j.out", "/o/slurm-21.out"),
        ("/o/%A-%a-%b", "/o/21-4294967294-4"),
        ("/o/%J-%n-%t", "/o/21-0-0"),
        ("/o/%x-%u-%N", "/o/train-alice-n3"),
        ("/o/%4j-%2t-%03n", "/o/0021-00-000"),
        ("/o/%99j", "/o/0000000021"),
        ("/o/%9x%5N%2u", "/o/trainn3alice"),
        ("/o/100%%-%%j", "/o/100%-%j"),
        ("/o/%q-%", "/o/%q-%"),
        ("/o/%42q", "/o/2q"),
        (r"/o/\%j%x", "/o/%j%x"),
    ],
)
def test_each_symbol_stands_for_its_figure(pattern: str, path: str) -> None:
    """Numbers are padded, texts are not, and a backslash switches all of it off."""
    assert output_paths(PLAIN, pattern, None) == (path, path)


def test_a_task_has_the_numbers_of_its_array() -> None:
    """The master id and the task's own number are part of its name."""
    assert output_paths(TASK, "/o/%A_%a-%b", None)[0] == "/o/36_3-3"


@pytest.mark.parametrize("one", [TASK, COMPONENT])
def test_a_raw_id_that_is_not_known_is_not_guessed(one: Job) -> None:
    """Without accounting there is no telling where a pattern with `%j` leads."""
    assert output_paths(one, "/o/%j.out", "/o/%x.err") == (None, "/o/train.err")
    assert output_paths(one, "/o/%j.out", None, "39")[0] == "/o/39.out"


def test_the_leader_of_a_het_job_has_the_id_of_all() -> None:
    """`12+0` is the job 12."""
    assert output_paths(replace(PLAIN, job_id="12+0"), "/o/%j", None)[0] == "/o/12"


@pytest.mark.parametrize("node_list", [None, "", "(null)", "None assigned"])
def test_a_figure_that_is_missing_leaves_no_path(node_list: str | None) -> None:
    """A job that has had no node has no file that is named after one."""
    assert output_paths(replace(PLAIN, node_list=node_list), "/o/%N", None) == (None, None)
    assert output_paths(replace(PLAIN, user=None), "/o/%u", None) == (None, None)


@pytest.mark.parametrize(
    ("node_list", "node"),
    [("n1", "n1"), ("a,b", "a"), ("r[1-2]n[08-10,3]", "r1n08"), ("gpu7.example.org", "gpu7")],
)
def test_the_first_node_gives_its_short_name(node_list: str, node: str) -> None:
    """`%N` is where the script ran: the first of the list."""
    assert output_paths(replace(PLAIN, node_list=node_list), "/o/%N", None)[0] == f"/o/{node}"


def test_a_relative_pattern_starts_at_the_work_dir() -> None:
    """A bare default, as 25.11 prints it, lies where the job was submitted."""
    assert output_paths(PLAIN, "slurm-%j.out", "") == ("/w/slurm-21.out", "/w/slurm-21.out")
    assert output_paths(replace(PLAIN, work_dir="/"), "a", None)[0] == "/a"
    assert output_paths(replace(PLAIN, work_dir=None), "a", "/b") == (None, "/b")


def test_a_job_name_makes_no_path_absolute() -> None:
    """What counts is how the pattern begins, not what the name of the job does."""
    assert output_paths(replace(PLAIN, name="/etc/passwd"), "%x", None)[0] == "/w//etc/passwd"


def test_a_job_name_is_no_pattern() -> None:
    """A symbol in the name is not filled in."""
    assert output_paths(replace(PLAIN, name=r"%j\%u"), "/o/%x", None)[0] == r"/o/%j\%u"


@pytest.mark.parametrize("nothing", [None, "", "(null)"])
def test_stderr_that_was_not_set_goes_where_stdout_goes(nothing: str | None) -> None:
    """Each version has its own word for that."""
    assert output_paths(PLAIN, "/o", nothing) == ("/o", "/o")
    assert output_paths(PLAIN, nothing, "/e") == (None, "/e")
    assert output_paths(PLAIN, nothing, nothing) == (None, None)


def test_nothing_is_read_from_dev_null() -> None:
    """Who throws stderr away has no stderr, even though stdout is kept."""
    assert output_paths(PLAIN, "/o", "/dev/null") == ("/o", None)
    assert output_paths(PLAIN, "/dev/null", None) == (None, None)


def test_a_path_with_a_nul_is_none() -> None:
    """No file can have such a name."""
    assert output_paths(replace(PLAIN, name="a\0b"), "/o/%x", None)[0] is None


@given(
    st.text(st.sampled_from("%\\/0123456789jJAaxuNntsbq.\0é٣\ud800")),
    st.text("%x/\0 .", max_size=5),
    st.text("[]-,n1 ", max_size=9),
    st.sampled_from([None, "39", "x"]),
)
def test_no_pattern_raises(pattern: str, name: str, nodes: str, raw_id: str | None) -> None:
    """Whatever the pattern, there is an absolute path or none."""
    for one in (replace(PLAIN, name=name, node_list=nodes), replace(TASK, name=name)):
        for path in output_paths(one, pattern, "/e" + pattern, raw_id):
            assert path is None or (os.path.isabs(path) and "\0" not in path)
