"""Settings that several channels share: addresses of services and of people."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

import yarl
from pydantic import AfterValidator

from notifyd.settings import Secret

# Narrower than RFC 5321 on purpose: no quotes, comments or `?`, so that no address can
# carry a header, a second recipient or an encoded word.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL = re.compile(rf"{_LOCAL}@{_LABEL}(?:\.{_LABEL})*")


def _checked_url(url: str) -> str:
    """Raise ValueError, without the address in it, for what is no web address."""
    if not url.isprintable() or " " in url:
        raise ValueError("the address holds a blank or a control character")
    try:
        parts = urlsplit(url)
        named = parts.hostname and yarl.URL(url).host  # the latter encodes, and may refuse
        valid = parts.scheme in ("http", "https") and named and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("not a web address: it has to look like https://host/path")
    return url


def _web_address(secret: Secret) -> Secret:
    _checked_url(secret.get_secret_value())
    return secret


def _server_address(url: str) -> str:
    if {"?", "#", "@"} & set(_checked_url(url)):
        raise ValueError("the address of a server has no `?`, `#` or `@` in it")
    return url.rstrip("/")


WebAddress = Annotated[Secret, AfterValidator(_web_address)]
"""An http or https URL. Its path is what lets one in, so the whole of it is a secret."""

ServerAddress = Annotated[str, AfterValidator(_server_address)]
"""The http or https URL of a server that many know, without a last `/`; it is no secret."""


def _mail_address(address: str) -> str:
    """Raise ValueError for what is no bare mail address."""
    if len(address) > 254 or not _MAIL.fullmatch(address):
        raise ValueError("not a mail address: it has to look like name@host, without a name or <>")
    return address


MailAddress = Annotated[str, AfterValidator(_mail_address)]
"""A bare `name@host`, at most 254 characters (RFC 5321, errata 1690)."""
