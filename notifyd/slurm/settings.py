"""The `slurm:` section of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from notifyd.settings import Duration, Settings, parse_duration
from notifyd.slurm.collections.settings import CollectionName, CollectionSettings
from notifyd.slurm.details.hint import Hint
from notifyd.user import user_name

UserName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?$")]
ClusterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]

EVERYBODY = "all"


def _interval(value: object) -> object:
    if value == "auto":
        return value
    seconds = parse_duration(value)
    if not 1 <= seconds <= 3600:
        raise ValueError("must be from 1s to 1h, or auto")
    return seconds


class ClusterSettings(Settings):
    """One cluster of several: by the name that `-M` takes, or by a slurm.conf of its own."""

    name: ClusterName | None = None
    conf: str | None = None

    @property
    def watch(self) -> str:
        """Return what tells the watch of this cluster from others; of the only one, nothing."""
        return self.name or self.conf or ""


def _told_apart(clusters: tuple[ClusterSettings, ...]) -> tuple[ClusterSettings, ...]:
    watches = [one.watch for one in clusters]
    if "" in watches or len(set(watches)) < len(watches):
        raise ValueError("each needs a name or a conf of its own")
    return clusters


def _cluster(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class SlurmSettings(Settings):
    """How and how often Slurm is asked, about whom, and what is told of it."""

    interval: Annotated[float | Literal["auto"], BeforeValidator(_interval)] = "auto"
    """Seconds between two polls; `auto` asks more often when something is about to happen."""
    calls_per_hour: int = Field(default=120, ge=4, le=3600)
    """What `auto` may cost: calls of squeue."""
    fastest: Duration = Field(default=10.0, ge=1, le=3600)
    """Seconds: the shortest pause, when something is about to happen."""
    slowest: Duration = Field(default=120.0, ge=1, le=3600)
    """Seconds: the longest pause, when nothing can happen."""
    users: tuple[UserName, ...] = Field(default=("me",), min_length=1)
    """Whose jobs; `me` is the user the daemon runs as, `all` is everybody."""
    accounts: tuple[UserName, ...] = ()
    """Only jobs of these accounts."""
    clusters: Annotated[
        tuple[Annotated[ClusterSettings, BeforeValidator(_cluster)], ...],
        AfterValidator(_told_apart),
    ] = ()
    """Several clusters; none listed is the one of this machine."""
    command_timeout: Duration = Field(default=50.0, gt=0, le=600)
    """Seconds until a Slurm command is killed. A fail-over may take a client 45 s."""
    squeue: str = "squeue"
    sacct: str = "sacct"
    scontrol: str = "scontrol"
    conf: str | None = None
    """Path of a slurm.conf, where it is not the site's default."""

    waiting_after: Duration = Field(default=86400.0, ge=0)
    """Seconds after which a job that still waits is told of; 0 is never."""
    digest_after: int = Field(default=10, ge=0)
    """More ends than this while the daemon was away are told in one message."""
    array_task_events: int | Literal["all"] = Field(default=10, union_mode="left_to_right")
    """Arrays of more tasks than this are told as one story; `all` tells every task."""
    collections: Mapping[CollectionName, CollectionSettings] = {}
    details: bool = True
    """Ask accounting for the figures of a job that has ended."""
    output_tail: Annotated[int, Field(ge=0, le=200)] | Literal["never"] = Field(
        default=0, union_mode="left_to_right"
    )
    """Lines of a failed job's output that are told with its end. With 0, a hint may quote one
    line of it; with `never`, it is not even read."""
    hints: tuple[Hint, ...] = ()
    """What a site knows of why jobs fail, besides what is built in."""

    def user_names(self) -> tuple[str, ...]:
        """Return the names of the watched users, `me` by its own; none for everybody."""
        if EVERYBODY in self.users:
            return ()
        return tuple(sorted({user_name() if name == "me" else name for name in self.users}))
