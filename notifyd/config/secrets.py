"""Where a secret lies: in a file of its own, or in a systemd credential."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from notifyd.config.files import Content, UnreadableError, read
from notifyd.config.tree import Node
from notifyd.paths import expand_home

_LIMIT = 64 * 1024
"""Bytes of a secret file: beyond any token, certificate or key."""

_CREDENTIAL = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,254}")


class SecretError(Exception):
    """A secret that cannot be had, with the reason and the mend in words for people."""


def fetch(node: Node, credential: bool, environ: Mapping[str, str]) -> str:
    """Return the secret that a `_file` or `_credential` key names. Raises SecretError."""
    name = node.value if isinstance(node.value, str) else ""
    return _from_credential(name, environ) if credential else _from_file(name, environ)


def _from_file(name: str, environ: Mapping[str, str]) -> str:
    path = expand_home(name, environ)
    if not path.is_absolute():
        # Not shown: it may well be the secret itself, put under the wrong key.
        raise SecretError("must be the absolute path of a file, such as ~/.config/notifyd/token")
    try:
        content = read(path, _LIMIT)
        if content.owner not in (os.geteuid(), 0):
            raise SecretError(f"{path}: belongs to another user; copy it to a file of your own")
        if content.mode & 0o077:
            raise SecretError(f"{path}: others can read or change it; run `chmod 600 {path}`")
        return _text(content)
    except UnreadableError as error:
        raise SecretError(f"{path}: {error.reason}") from None


def _from_credential(name: str, environ: Mapping[str, str]) -> str:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not _CREDENTIAL.fullmatch(name):
        raise SecretError("must be a name of letters, digits, `_`, `.`, `@` and `-`")
    if not folder:
        raise SecretError(
            "systemd gave notifyd no credentials ($CREDENTIALS_DIRECTORY is not set); "
            "add LoadCredential=NAME:PATH to its unit"
        )
    try:
        # systemd alone decides who reads its folder; an access list there looks like a group bit.
        return _text(read(Path(folder, name), _LIMIT))
    except UnreadableError as error:
        raise SecretError(
            f"the credential: {error.reason}; see LoadCredential= in the unit"
        ) from None


def _text(content: Content) -> str:
    text = content.text().rstrip("\r\n")
    if not text.strip():
        raise UnreadableError("is empty")
    return text
