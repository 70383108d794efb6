"""Channel kinds and a configuration folder for the tests of the config room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from notifyd.channels.settings import ChannelSettings
from notifyd.config.load import load
from notifyd.config.problems import ConfigError, Problem
from notifyd.config.schema import Config
from notifyd.settings import Secret, Settings


class Proxy(Settings):
    """A section inside of a channel, with a secret of its own."""

    host: str = "proxy.example.org"
    token: Secret


def joined(texts: object) -> object:
    """Return one text of several, as a kind may do before it checks them."""
    return " ".join(map(str, texts)) if isinstance(texts, list) else texts


class HookSettings(ChannelSettings):
    """A channel with secrets of every shape."""

    type: Literal["hook"] = "hook"
    webhook_url: Secret
    keys: tuple[Secret, ...] = ()
    headers: dict[str, Secret] = Field(default_factory=dict)
    several: Annotated[Secret, BeforeValidator(joined)] | None = None
    username: str | None = None
    proxy: Proxy | None = None


class MailSettings(ChannelSettings):
    """A channel with numbers, choices, a list and a key that is a Python word."""

    type: Literal["mail"] = "mail"
    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["tls", "none"] = "tls"
    sender: str = Field(alias="from")
    to: tuple[str, ...] = Field(min_length=1)
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class FakeKind:
    """A kind of channel that has settings and nothing else."""

    settings: type[ChannelSettings]


KINDS = {"hook": FakeKind(HookSettings), "mail": FakeKind(MailSettings)}


@dataclass(frozen=True, slots=True)
class Folder:
    """A configuration folder, and the environment that it is read in."""

    path: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def write(self, text: str | bytes, name: str = "config.yaml", mode: int = 0o600) -> Path:
        """Write a file that only its owner can read, unless told otherwise."""
        file = self.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        file.chmod(mode)
        return file

    def load(self, text: str | bytes | None = None, mode: int = 0o600, **environ: str) -> Config:
        """Return the configuration."""
        if text is not None:
            self.write(text, mode=mode)
        return load(self.path / "config.yaml", {**self.environ, **environ}, KINDS)

    def problems(
        self, text: str | bytes | None = None, mode: int = 0o600, **environ: str
    ) -> tuple[Problem, ...]:
        """Return what is wrong with the configuration: nothing, if it loads."""
        try:
            self.load(text, mode, **environ)
        except ConfigError as error:
            return error.problems
        return ()

    def lines(
        self, text: str | bytes | None = None, mode: int = 0o600, **environ: str
    ) -> list[str]:
        """Return the problems as they are printed, with paths relative to the folder."""
        found = self.problems(text, mode, **environ)
        return [str(problem).replace(f"{self.path}/", "") for problem in found]
