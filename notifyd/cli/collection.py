"""`notifyd collection`: sets of jobs that are told as one story."""

from __future__ import annotations

import click

from notifyd.cli import text
from notifyd.cli.context import Context, places


@click.group("collection")
def command() -> None:
    """Tell a set of jobs as one story."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@places
@click.pass_context
def collection_list(ctx: click.Context, as_json: bool) -> None:
    """Show the collections that have jobs, and how far each is."""
    context: Context = ctx.obj
    collections = context.client().collections()
    if as_json:
        text.as_json(collections)
        return
    if not collections:
        click.echo("No collection has jobs. `sbatch --comment=notifyd:NAME` puts a job into one.")
        return
    rows = [(one["name"], f"{one['done']}/{one['total']}", one["outcomes"]) for one in collections]
    text.table(("COLLECTION", "ENDED", "SO FAR"), rows)


@command.command("add")
@click.argument("name")
@click.option("--name", "pattern", metavar="PATTERN", help="Jobs of this name, like 'sweep-*'.")
@click.option("--array", metavar="ID", help="The tasks of this array.")
@click.option("--account", metavar="NAME", help="Jobs of this account.")
@click.option("--comment", metavar="PATTERN", help="Jobs with this comment.")
@click.option("--jobs", metavar="ID,ID", help="These jobs.")
@places
@click.pass_context
def collection_add(
    ctx: click.Context,
    name: str,
    pattern: str | None,
    array: str | None,
    account: str | None,
    comment: str | None,
    jobs: str | None,
) -> None:
    """Tell jobs as one story under NAME: those that meet every condition given."""
    ids = [part.strip() for part in (jobs or "").split(",") if part.strip()]
    given = {"name": pattern, "array": array, "account": account, "comment": comment}
    settings = {key: value for key, value in {**given, "jobs": ids or None}.items() if value}
    if not settings:
        raise click.UsageError("say which jobs: --name, --array, --account, --comment or --jobs")
    context: Context = ctx.obj
    context.client().set_collection(name, settings)
    click.echo(f"The jobs of {name} are told as one story, from now on.")


@command.command("remove")
@click.argument("name")
@places
@click.pass_context
def collection_remove(ctx: click.Context, name: str) -> None:
    """Undo `notifyd collection add`, for jobs to come."""
    context: Context = ctx.obj
    context.client().remove_collection(name)
    click.echo(f"No new job comes into {name}; those that are in it stay.")
