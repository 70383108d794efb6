"""What a service's refusal is about, once it is known whether there is a plainer form."""

from __future__ import annotations

from notifyd.channels.failures import Fault, PermanentFailure


def refusal(
    reason: str, fault: Fault, *, rich: bool, status: int | None = None
) -> PermanentFailure:
    """Return the failure for a refusal.

    One of the form is one of the message where nothing plainer is left to try: `rich` tells
    whether the delivery was written in more than the plainest form that the service has.
    """
    if fault is Fault.FORM and not rich:
        fault = Fault.MESSAGE
    return PermanentFailure(reason, fault=fault, status=status)
