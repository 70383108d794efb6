"""The figures of a status are what Prometheus reads."""

from __future__ import annotations

from dataclasses import replace

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from notifyd.control.metrics import STATES, exposition
from notifyd.control.views import ChannelView, StatusView, StoreView
from tests.control.parts import CLUSTER, STATUS, Control

TEAM = ChannelView(
    name="team",
    kind="slack",
    state="down",
    events=("all",),
    fallback=(),
    breaker="open",
    down_since=1_000_000.0,
    next_probe=1_000_060.0,
    paused_until=None,
    refusal=None,
    tokens=3.0,
    burst=3,
    backlog=7,
    oldest=999_995.0,
    dead=2,
    muted=None,
    last_error="it is down",
)


def figures(status: StatusView) -> dict[tuple[str, ...], float]:
    """Return each figure by its name and the values of its labels; all name the user."""
    families = text_string_to_metric_families(exposition(status))
    samples = [sample for family in families for sample in family.samples]
    assert {one.labels.pop("user") for one in samples} == {status.user}
    return {(one.name, *one.labels.values()): one.value for one in samples}


def test_a_channel_says_what_it_owes_and_how_it_is() -> None:
    """By its name and kind; the state that it is in is 1, all others are 0."""
    found = figures(replace(STATUS, channels=(TEAM,)))

    assert found["notifyd_outbox_deliveries", "team", "slack"] == 7
    assert found["notifyd_outbox_oldest_seconds", "team", "slack"] == 10
    assert found["notifyd_dead_letters", "team"] == 2
    states = {name: found["notifyd_channel_state", "team", "slack", name] for name in STATES}
    assert states == {**dict.fromkeys(STATES, 0), "down": 1}


def test_nothing_owed_is_not_old() -> None:
    """A channel that owes nothing is no reason for an alarm."""
    found = figures(replace(STATUS, channels=(replace(TEAM, backlog=0, oldest=None),)))

    assert found["notifyd_outbox_oldest_seconds", "team", "slack"] == 0


def test_what_nobody_has_configured_can_be_dead() -> None:
    """Its dead letters are still there."""
    assert figures(STATUS)["notifyd_dead_letters", "old"] == 1


def test_a_store_in_trouble_is_a_figure() -> None:
    """And what it cannot tell is absent: 0 would say that all is well."""
    bad = replace(TEAM, backlog=None, oldest=None, dead=None)
    store = StoreView(trouble="disk full", dead={})
    found = figures(replace(STATUS, store=store, channels=(bad,)))

    assert found["notifyd_store_trouble",] == 1
    assert ("notifyd_outbox_deliveries", "team", "slack") not in found
    assert ("notifyd_dead_letters", "team") not in found
    assert figures(STATUS)["notifyd_store_trouble",] == 0


def test_a_cluster_says_whether_it_answers() -> None:
    """And when it last did, if it ever did."""
    gone = replace(CLUSTER, name="far", unreachable_since=1.0, last_poll=None)
    found = figures(replace(STATUS, clusters=(CLUSTER, gone)))

    assert found["notifyd_slurm_reachable", "demo"] == 1
    assert found["notifyd_slurm_reachable", "far"] == 0
    assert found["notifyd_slurm_last_poll_timestamp_seconds", "demo"] == 1_000_000
    assert ("notifyd_slurm_last_poll_timestamp_seconds", "far") not in found
    assert found["notifyd_slurm_jobs", "demo"] == 3


def test_a_refused_reload_is_a_figure() -> None:
    """The old configuration goes on, and somebody should look."""
    refused = replace(STATUS, config_trouble="line 3: no")

    assert figures(refused)["notifyd_config_last_reload_successful",] == 0
    assert figures(STATUS)["notifyd_config_last_reload_successful",] == 1


async def test_the_socket_serves_it(control: Control) -> None:
    """As a text of the version that it says."""
    connector = aiohttp.UnixConnector(str(control.path))
    limit = aiohttp.ClientTimeout(total=10)
    async with (
        aiohttp.ClientSession("http://localhost", connector=connector, timeout=limit) as web,
        web.get("/metrics") as answer,
    ):
        assert answer.content_type == "text/plain"
        assert "version" in answer.headers["content-type"]
        assert await answer.text() == exposition(STATUS)
