"""What is asked of the user to post to Slack."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from notifyd.channels.addresses import ServerAddress, WebAddress
from notifyd.channels.settings import EditableSettings, RateLimit
from notifyd.settings import Secret


def _bot_token(token: Secret) -> Secret:
    word = token.get_secret_value()
    if not word.startswith("xoxb-") or not word.isascii() or not word.isprintable():
        raise ValueError("not the token of a bot: it has to begin with xoxb-")
    return token


BotToken = Annotated[Secret, AfterValidator(_bot_token)]


class SlackSettings(EditableSettings):
    """One channel of Slack, reached by an incoming webhook or by a bot."""

    type: Literal["slack"] = "slack"
    rate_limit: RateLimit = RateLimit(max_requests=1, window=1.0, burst=3)
    """Slack takes one message a second and short bursts: docs.slack.dev/apis/web-api/rate-limits"""
    webhook_url: WebAddress | None = None
    """An incoming webhook: it posts to the channel that it was made for, and changes nothing."""
    token: BotToken | None = None
    """Instead of it, the token of a bot with the scope `chat:write`: it can change its messages."""
    channel: str | None = None
    """For a bot: the id of the channel, such as C024BE91L, or #name. It has to be invited there."""
    username: str | None = None
    """The name that is shown. A bot needs `chat:write.customize` for it."""
    icon_emoji: str | None = None
    """The picture, as `:robot_face:`. Of webhooks, only legacy ones heed these three."""
    api_url: ServerAddress = "https://slack.com/api"
    """Where the bot's calls go; another one is for proxies."""

    @property
    def keeps_cards(self) -> bool:
        """Whether it is wanted, and there is a bot to do it."""
        return self.cards and self.token is not None

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.webhook_url is None) == (self.token is None):
            raise ValueError("needs either `webhook_url`, or `token` and `channel`")
        if self.token and not self.channel:
            raise ValueError("a token needs a `channel` to post to")
        return self
