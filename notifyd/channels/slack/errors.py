"""What Slack's names of errors mean.

Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors, and for webhooks
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
"""

from __future__ import annotations

from collections.abc import Mapping

from notifyd.channels.failures import Fault

FAULTS: Mapping[str, Fault] = {
    **dict.fromkeys(
        (
            *("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
            *("invalid_token", "missing_scope", "user_not_found", "team_disabled", "no_permission"),
            *("not_in_channel", "channel_not_found", "is_archived", "restricted_action"),
        ),
        Fault.CHANNEL,
    ),
    **dict.fromkeys(
        (
            *("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"),
            *("invalid_payload", "too_many_attachments"),
        ),
        Fault.FORM,
    ),
}
"""What a refusal is about; one that is not listed is about the message."""

NOT_NOW = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""Slack's own trouble."""

TOO_MANY = frozenset({"ratelimited", "rate_limited"})
"""A wish for a pause."""
