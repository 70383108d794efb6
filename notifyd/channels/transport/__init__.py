"""The only place that opens connections to the outside, and that knows their libraries' errors.

Whatever goes wrong out there leaves here as Temporary- or PermanentFailure, in words that
name the host at most: the address of a webhook is itself a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from notifyd.channels.response import Response
from notifyd.channels.transport import desktop, mail
from notifyd.channels.transport.desktop import DesktopNote
from notifyd.channels.transport.mail import Mail, MailServer, Security
from notifyd.channels.transport.web import Web
from notifyd.settings import Secret

__all__ = ["DesktopNote", "Mail", "MailServer", "Security", "Transport"]


class Transport:
    """Every connection that channels open. One a daemon, used as `async with`."""

    def __init__(self) -> None:
        self._web = Web()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._web.close()

    async def post(
        self,
        url: Secret,
        body: bytes,
        headers: Mapping[str, str | Secret],
        within: float,
        method: str = "POST",
        besides: Iterable[Secret] = (),
    ) -> Response:
        """Send one request, following no redirect, and return whatever the service answers.

        `within` (seconds) is for the whole of it. The answer is shown without the parts of the
        address, the secret headers, and what is secret `besides`, as in the body. Raises
        TemporaryFailure if there is no answer, PermanentFailure if it can never be sent.
        """
        return await self._web.request(method, url, body, headers, within, besides)

    async def send_mail(self, letter: Mail, server: MailServer, within: float) -> dict[str, str]:
        """Hand in a mail; return whom the server refused and why, if it took it for the rest.

        Raises TemporaryFailure for 4xx and a server that cannot be reached, PermanentFailure
        for 5xx and a server that lacks what is asked of it; both with the server's code. What
        is refused before the server has seen the mail is a fault of the channel.
        """
        return await mail.hand_in(letter, server, within)

    async def notify_desktop(self, note: DesktopNote, bus: str | None, within: float) -> int:
        """Show a notification on the session bus, or on the one at the address `bus`.

        Returns its id. Raises TemporaryFailure if there is no bus, or nobody on it who shows
        notifications, PermanentFailure if they do not take its text.
        """
        return await desktop.show(note, bus, within)
