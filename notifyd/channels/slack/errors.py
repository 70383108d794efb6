"""What Slack's names of errors mean.

Sources: https://docs.slack.dev/reference/methods/chat.postMessage#errors, .../chat.update#errors,
and for webhooks
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
            *("restricted_action_read_only_channel", "restricted_action_thread_only_channel"),
            *("not_allowed_token_type", "ekm_access_denied", "access_denied", "accesslimited"),
            *("team_access_not_granted", "two_factor_setup_required", "enterprise_is_restricted"),
        ),
        Fault.CHANNEL,
    ),
    **dict.fromkeys(
        (
            *("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"),
            *("invalid_payload", "invalid_arguments", "invalid_attachments"),
            "too_many_attachments",
        ),
        Fault.FORM,
    ),
    "no_text": Fault.MESSAGE,
}
"""What a refusal is about, whatever was asked."""

NOT_LISTED: Mapping[str, Fault] = {
    # Nothing that Slack lists besides is about one message alone.
    "chat.postMessage": Fault.CHANNEL,
    # It is about the old message: then a new one is sent, which shows what else is wrong.
    "chat.update": Fault.MESSAGE,
}
"""What any other is about, by what was asked."""

NOT_NOW = frozenset(
    {
        *("internal_error", "fatal_error", "service_unavailable", "request_timeout"),
        *("team_added_to_org", "org_login_required", "external_channel_migrating"),
        *("message_limit_exceeded", "update_failed"),
    }
)
"""Slack's own trouble, a move of the workspace, and a quota that comes back."""

TOO_MANY = frozenset({"ratelimited", "rate_limited"})
"""A wish for a pause."""
