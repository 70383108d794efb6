"""`notifyd init`: from nothing to a first message."""

from __future__ import annotations

import sys

import click

from notifyd.cli import answers as sense
from notifyd.cli.answers import Answers
from notifyd.cli.context import Context, places
from notifyd.cli.prose import command as show_command
from notifyd.cli.prose import say
from notifyd.cli.questions import Given, Interview, check_given, missing_options, on_terminal
from notifyd.client import NotRunning, Refused

_LOOK = {
    "slack": "your Slack channel",
    "discord": "your Discord channel",
    "telegram": "your Telegram chat",
    "ntfy": "your phone",
    "matrix": "your Matrix room",
    "email": "your mailbox, the spam folder too",
    "webhook": "what your web service got",
    "desktop": "your desktop",
    "console": "the lines above",
}


@click.command("init")
@click.option("--channel", "kind", type=click.Choice(list(sense.CHOICES)), help="Where to tell.")
@click.option(
    "--address",
    metavar="TEXT",
    help="Webhook, mail address, Telegram chat, ntfy topic or https://SERVER/!ROOM; '${NAME}' "
    "takes it from the environment, - from standard input, where `ps` does not show it.",
)
@click.option("--token", metavar="TEXT", help="For telegram and matrix; likewise.")
@click.option("--smtp-host", metavar="HOST[:PORT]", help="The mail server. [default: localhost]")
@click.option("--events", type=click.Choice(list(sense.EVENTS)), help="What. [default: ends]")
@click.option("--service/--no-service", default=None, help="Install and start a service.")
@click.option("--test/--no-test", default=True, help="Send a test message. [default: test]")
@click.option("--force", is_flag=True, help="Replace a configuration; the old one is kept as .bak.")
@places
@click.pass_context
def command(
    ctx: click.Context, /, service: bool | None, test: bool, force: bool, **told: str | None
) -> None:
    """Write a configuration, try it, and start notifyd. Asks for what no option tells."""
    context: Context = ctx.obj
    # Sorted: the address is read before the token, in whatever order they are named.
    given = Given(service=service, **{name: _read(text) for name, text in sorted(told.items())})
    check_given(given)
    whole = force or not context.config.exists()
    if not whole and not service:
        _refuse(context)
    if not on_terminal():
        given = _without_asking(given, whole)
    fine = _set_up(context, given, test) if whole else _keep(context, given)
    _show_next_steps()
    sys.exit(0 if fine else 1)


def _read(given: str | None) -> str | None:
    """Return the next line of standard input for a `-`."""
    return sys.stdin.readline().strip() if given == "-" else given


def _without_asking(given: Given, whole: bool) -> Given:
    missing = missing_options(given, whole)
    if missing:
        raise click.UsageError(f"no terminal to ask at; add {', '.join(missing)}")
    return given.with_defaults()


def _refuse(context: Context) -> None:
    say(f"{context.config} is there already, and stays as it is.", error=True)
    say("`notifyd init --service` starts a service with it;", error=True)
    say("`notifyd init --force` writes a new one and keeps it as .bak.", error=True)
    sys.exit(1)


def _keep(context: Context, given: Given) -> bool:
    from notifyd.cli.service import set_up_service

    say(f"{context.config} is there already, and stays as it is.")
    if given.kind or given.address or given.token or given.events or given.smtp_host:
        say("`--force` would write a new one.")
    return set_up_service(context)


def _set_up(context: Context, given: Given, test: bool) -> bool:
    from notifyd.cli.service import set_up_service, show_start

    interview = Interview()
    if on_terminal() and missing_options(given, whole=True):
        say("A few questions, at most four. Ctrl-C leaves everything as it was.")
    answers = interview.answers(given)
    service = _wants_service(context, interview) if given.service is None else given.service
    if interview.asked:
        click.echo()
    _write(context, answers)
    fine = _try(context, answers) if test else True
    running = _reloaded(context)
    if service:
        _warn_of_reference(context, answers)
        return set_up_service(context) and fine
    if not running:
        show_start(context)
    return fine


def _wants_service(context: Context, interview: Interview) -> bool:
    from notifyd.cli.systemctl import UserManager

    # Where none can be had, there is nothing to ask: setting it up says what to do instead.
    return UserManager(context.environ).trouble() is not None or interview.service()


def _write(context: Context, answers: Answers) -> None:
    from notifyd.cli.draft import NotLoadedError, backup, config_text, put
    from notifyd.cli.environment import service_environment

    unusual = sense.hint(answers.kind, answers.address)
    if unusual:
        say(unusual)
    replaced = context.config.exists()
    try:
        put(context.config, config_text(answers), service_environment(context.environ))
    except NotLoadedError as error:
        say("Nothing was written, for it could not be used:", error=True)
        say(str(error), "  ", error=True)
        sys.exit(1)
    except OSError as error:
        where = error.filename or context.config
        say(f"Nothing was written: {where}: {error.strerror}", error=True)
        sys.exit(1)
    say(f"Written: {context.config} (only you can read it)")
    if replaced:
        say(f"The old one is kept as {backup(context.config)}")


def _try(context: Context, answers: Answers) -> bool:
    from notifyd.cli.direct import send_test
    from notifyd.cli.environment import service_environment
    from notifyd.config.load import load

    config = load(context.config, service_environment(context.environ))
    reason = send_test(config, [answers.kind], context.environ)[answers.kind]
    if reason is None:
        say(f"A test message is on its way: look at {_LOOK[answers.kind]}.")
        return True
    say(f"The test message was not taken: {reason}")
    say(f"Mend it in {context.config}, then try again:")
    show_command(f"notifyd test --channel {answers.kind}")
    return False


def _warn_of_reference(context: Context, answers: Answers) -> None:
    from notifyd.cli.environment import environment_file, file_variables

    named = sense.references(f"{answers.address} {answers.token}")
    missing = named - set(file_variables(context.environ))
    if not missing:
        return
    say(f"A service does not see your shell's variables. Put {', '.join(sorted(missing))}")
    say(f"into {environment_file(context.environ)} (NAME=value lines, chmod 600).")


def _reloaded(context: Context) -> bool:
    """Tell a daemon that runs of its new configuration; return False when none has that one."""
    client = context.client()
    try:
        status = client.status()
        if status["config"] != str(context.config):
            say(f"notifyd runs already, with another configuration: {status['config']}")
            say(f"It has to end (process {status['pid']}) before one with the new one can start.")
            return False
        client.reload()
    except NotRunning:
        return False
    except Refused as error:
        say(f"notifyd runs already, and did not take the new configuration: {error}")
        return True
    say("notifyd runs already, and has taken the new configuration.")
    return True


def _show_next_steps() -> None:
    click.echo()
    click.echo("  notifyd status   shows how the watching goes")
    click.echo("  notifyd doctor   checks everything, and says how to mend it")
