"""A mail server on a bad day."""

from __future__ import annotations

import pytest

from tests.faults.daemon import Home, mailing
from tests.faults.mail import mail_server
from tests.faults.owed import fill
from tests.faults.table import Table

pytestmark = pytest.mark.alone

BUSY = range(50, 56)
"""Which connections are sent away: enough in a row to open the breaker."""


async def test_a_mail_server_on_a_bad_day_loses_nothing(home: Home, table: Table) -> None:
    """451 to every tenth mail, no word after some, 421 for a while: no mail is lost.

    Only what got no word comes again, under the same Message-ID.
    """
    async with mail_server(BUSY) as mail:
        home.write(mail=mailing(mail.port))
        owed = await fill(home.state, "mail", 300)
        await home.start()
        row = await table.told("a mail server on a bad day", owed, mail, home)
    row.besides = f"{len(mail.dropped)} dropped after DATA"

    assert (row.lost, row.anew) == (0, 0)
    assert len(mail.dropped) >= 10
    assert {call.id for call in mail.repeated()} <= set(mail.dropped)
    assert row.twice <= len(mail.dropped)
