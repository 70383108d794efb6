"""The example configuration is true."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from notifyd.channels.console import ConsoleSettings
from notifyd.channels.registry import KINDS
from notifyd.channels.settings import ChannelSettings, RateLimit
from notifyd.config.load import load
from notifyd.config.schema import Config
from notifyd.slurm.settings import SlurmSettings

EXAMPLE = Path(__file__).parents[2] / "config" / "notifyd.example.yaml"
ENVIRON = {
    "WEBHOOK_URL": "https://example.org/hook",
    "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "WEBHOOK_TOKEN": "token",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/x",
    "DISCORD_WEBHOOK_URL": "https://discord.com/api/webhooks/1/x",
    "SLACK_TOKEN": "xoxb-1-2-x",
    "TELEGRAM_TOKEN": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "NTFY_TOPIC": "jobs",
    "NTFY_TOKEN": "tk_x",
    "MATRIX_TOKEN": "syt_x",
    "SMTP_PASSWORD": "password",
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Load the example from a file that everybody can read, as it is in the repository."""
    path = tmp_path / "config.yaml"
    shutil.copyfile(EXAMPLE, path)
    path.chmod(0o644)
    return load(path, ENVIRON)


def test_the_example_loads(config: Config) -> None:
    """With its variables set, and without a secret of its own."""
    assert {channel.type for channel in config.channels.values()} == set(KINDS)


def test_the_defaults_in_the_example_are_the_defaults(config: Config) -> None:
    """A number that is changed in the code is changed here too."""
    common = ConsoleSettings().model_dump(exclude={"type", "colour"})

    examples = {"collections", "hints"}
    assert config.slurm.model_dump(exclude=examples) == SlurmSettings().model_dump(exclude=examples)
    assert config.channels["terminal"].model_dump(include=set(common)) == common


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_limits_in_the_example_are_the_defaults(kind: str, config: Config) -> None:
    """A kind whose service wants less than others says so there, and says how much."""
    written = yaml.safe_load(EXAMPLE.read_text())["channels"]
    default = KINDS[kind].settings.model_fields["rate_limit"].default
    own = [name for name, one in written.items() if one["type"] == kind and "rate_limit" in one]

    assert all(config.channels[name].rate_limit == default for name in own)
    assert own or default == RateLimit()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_setting_is_in_the_example(kind: str) -> None:
    """What can be set can be found."""
    found = yaml.safe_load(EXAMPLE.read_text())
    channels = [one for one in found["channels"].values() if one["type"] == kind]

    assert _keys(KINDS[kind].settings) - _keys(ChannelSettings) <= set().union(*channels)
    assert _keys(ChannelSettings) <= set(found["channels"]["terminal"])
    assert _keys(SlurmSettings) <= set(found["slurm"])
    assert _keys(Config) <= set(found)


def _keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}
