"""The questions of `notifyd init`: at most four, and none that an option has answered."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import click

from notifyd.cli import answers as sense
from notifyd.cli.answers import Answers
from notifyd.cli.prose import say

_ADDRESS = {
    "slack": "The address of its incoming webhook. Slack makes one at\n"
    "https://api.slack.com/apps (your app, Incoming Webhooks). Hidden as you type.",
    "discord": "The address of its webhook: in Discord, Edit Channel, Integrations,\n"
    "Webhooks, Copy URL. Hidden as you type.",
    "telegram": "The number of the chat, below zero for a group, or the @name of a channel.\n"
    "Write to the bot first, or let it into the group.",
    "ntfy": "Its topic, or https://server/topic if that is not ntfy.sh. Whoever knows\n"
    "it can read it: choose one that nobody guesses. Hidden as you type.",
    "matrix": "The server of the bot's account and the room's own id, together as\n"
    "https://matrix.org/!room:matrix.org. The account has to have joined the room.",
    "email": "Your mail address.",
    "webhook": "The address that events are posted to. Hidden as you type.",
}

_TOKEN = {
    "telegram": "The token that @BotFather gave for the bot. Hidden as you type.",
    "matrix": "The access token of that account. Hidden as you type.",
}

_USUAL_HOST, _USUAL_EVENTS = "localhost", "ends"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Given:
    """What the options have answered already; None for each that they have not."""

    kind: str | None
    address: str | None
    token: str | None
    smtp_host: str | None
    events: str | None
    service: bool | None

    def with_defaults(self) -> Given:
        """Return it with the usual answer to each question that has one."""
        events = self.events or _USUAL_EVENTS
        return replace(self, smtp_host=self.smtp_host or _USUAL_HOST, events=events)


@dataclass(slots=True)
class Interview:
    """Asks on the terminal what is missing, and counts the questions."""

    asked: int = 0

    def answers(self, given: Given) -> Answers:
        """Return the answers that the configuration is made of."""
        kind = given.kind or self._kind()
        address, token = given.address or "", given.token or ""
        smtp_host, events = given.smtp_host, given.events
        if kind in sense.WITH_ADDRESS and not address:
            address = self._address(kind)
        if kind in sense.WITH_TOKEN and not token:
            token = self._token(kind)
        if kind == "email" and smtp_host is None:
            smtp_host = self._smtp_host()
        # So that with the service there are no more than four.
        if kind != "email" and kind not in sense.WITH_TOKEN and events is None:
            events = self._events()
        return Answers(
            kind=kind,
            address=address,
            token=token,
            smtp_host=smtp_host or _USUAL_HOST,
            events=events or _USUAL_EVENTS,
        )

    def service(self) -> bool:
        """Ask whether the daemon is to run as a service."""
        self._head("Install and start it now as a service of yours (systemd, no root needed)?")
        return click.confirm("   Service", default=True)

    def _kind(self) -> str:
        self._head("Where do you want to be told?")
        for name, meaning in sense.CHOICES.items():
            click.echo(f"     {name:9}{meaning}")
        choice = click.Choice(list(sense.CHOICES))
        return str(click.prompt("   Channel", type=choice, show_choices=False))

    def _address(self, kind: str) -> str:
        self._head(_ADDRESS[kind])
        while True:
            address = str(click.prompt("   Address", hide_input=kind in sense.SECRET)).strip()
            fault = sense.check_address(kind, address)
            if fault is None:
                return address
            say(f"Sorry, {fault}", "   ")

    def _token(self, kind: str) -> str:
        self._head(_TOKEN[kind])
        while True:
            token = str(click.prompt("   Token", hide_input=True)).strip()
            fault = sense.check_token(kind, token)
            if fault is None:
                return token
            say(f"Sorry, {fault}", "   ")

    def _smtp_host(self) -> str:
        self._head("The mail server that takes your mail, as host or host:port.")
        while True:
            host = str(click.prompt("   Server", default=_USUAL_HOST)).strip()
            fault = sense.check_host(host)
            if fault is None:
                return host
            say(f"Sorry, {fault}", "   ")

    def _events(self) -> str:
        self._head("What do you want to hear?")
        click.echo("     ends      every end of a job, and jobs that will never start")
        click.echo("     failures  only what went wrong")
        click.echo("     all       everything, starts included")
        choice = click.Choice(list(sense.EVENTS))
        return str(
            click.prompt("   Events", type=choice, default=_USUAL_EVENTS, show_choices=False)
        )

    def _head(self, text: str) -> None:
        self.asked += 1
        click.echo()
        click.echo(f"{self.asked}. " + text.replace("\n", "\n   "))


def on_terminal() -> bool:
    """Tell whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def missing_options(given: Given, whole: bool) -> list[str]:
    """Return the options that have to be given where nobody can be asked.

    `whole` is False when only the service is to be settled.
    """
    missing = []
    if whole and given.kind is None:
        missing.append("--channel")
    if whole and not given.address and (given.kind is None or given.kind in sense.WITH_ADDRESS):
        missing.append("--address")
    if whole and not given.token and given.kind in sense.WITH_TOKEN:
        missing.append("--token")
    if given.service is None:
        missing.append("--service or --no-service")
    return missing


def check_given(given: Given) -> None:
    """Raise click's BadParameter for options that make no sense."""
    if given.kind and given.address and given.kind in sense.WITH_ADDRESS:
        fault = sense.check_address(given.kind, given.address)
        if fault:
            raise click.BadParameter(fault, param_hint="--address")
    if given.kind in sense.WITH_TOKEN and given.token:
        fault = sense.check_token(given.kind, given.token)
        if fault:
            raise click.BadParameter(fault, param_hint="--token")
    fault = sense.check_host(given.smtp_host) if given.smtp_host is not None else None
    if fault:
        raise click.BadParameter(fault, param_hint="--smtp-host")
