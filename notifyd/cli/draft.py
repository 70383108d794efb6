"""The first configuration: its text, and putting it in place only if it loads."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from notifyd.cli.answers import EVENTS, Answers, is_reference, settings_of, split_host
from notifyd.config.files import private_file
from notifyd.config.load import load
from notifyd.config.problems import ConfigError
from notifyd.config.schema import Config

_HEAD = """\
# The configuration of notifyd, written by `notifyd init` and yours to change.
# After a change: `notifyd reload`. A mistake changes nothing, and is explained.

slurm:
  interval: 30s # how often Slurm is asked: one call for all of your jobs
  users: [me] # whose jobs; `me` is you

channels:
  {name}: # your own name for it: `notifyd test --channel {name}`
    type: {kind}
"""
_TAIL = """\
    # job_ended: every end; job_failed: what went wrong; job_stuck: will never start;
    # job_started, job_submitted and so on; all: everything.
    events: {events}
    # At most 20 messages at once, then 10 a second:
    # rate_limit: {{max_requests: 10, window: 1s, burst: 20}}

# A channel more: take the `#` away and put in your own.
#   mail:
#     type: email
#     host: smtp.example.org
#     from: me@example.org
#     to: me@example.org
#     events: [job_failed]

# Words of your own, by event:
# templates:
#   job_completed: "{{{{ job_name }}}} is done after {{{{ elapsed }}}}"
"""

_SECRET = frozenset({"webhook_url", "url", "token", "topic", "access_token"})
_MORE = {
    "webhook": "    # secret: whsec_… # signs what is sent, as in Standard Webhooks\n",
    "ntfy": "    # token: ${NTFY_TOKEN} # for a topic that not everybody may write to\n",
}


class NotLoadedError(Exception):
    """The text would not load; says every problem as if it stood in the final file."""


def config_text(answers: Answers) -> str:
    """Return the commented configuration."""
    head = _HEAD.format(name=answers.kind, kind=answers.kind)
    tail = _TAIL.format(events=f"[{', '.join(EVENTS[answers.events])}]")
    return head + _address(answers) + tail


def put(path: Path, text: str, environ: Mapping[str, str]) -> Config:
    """Write a configuration that only its owner can read, whole or not at all.

    What was there before is kept as `<name>.bak`. Raises NotLoadedError, OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # In the same folder, so that `conf.d` beside it counts, and the rename is one step.
    draft = private_file(path, text.encode())
    try:
        config = load(draft, environ)
        if path.exists():
            os.replace(private_file(path, path.read_bytes()), backup(path))
        os.replace(draft, path)
    except ConfigError as error:
        raise NotLoadedError(str(error).replace(str(draft), str(path))) from None
    finally:
        draft.unlink(missing_ok=True)
    return config


def backup(path: Path) -> Path:
    """Return where the file that was replaced is kept."""
    return path.with_name(f"{path.name}.bak")


def _address(answers: Answers) -> str:
    if answers.kind == "email":
        return _mail(answers)
    lines = [
        f"    {name}: {_text(value)}{' # a secret' if name in _SECRET else ''}\n"
        for name, value in settings_of(answers).items()
    ]
    return "".join(lines) + _MORE.get(answers.kind, "")


def _mail(answers: Answers) -> str:
    host, port = split_host(answers.smtp_host)
    return (
        f"    host: {_text(host)}\n"
        + (f"    port: {port}\n" if port else "")
        + f"    from: {_text(answers.address)}\n"
        + f"    to: {_text(answers.address)}\n"
        "    # security: starttls # or tls, or none for a relay that knows this machine\n"
        "    # username: me\n"
        "    # password: ${SMTP_PASSWORD}\n"
    )


def _text(value: str) -> str:
    """Return a YAML text: JSON's quotes are YAML's too; what is no reference is escaped."""
    plain = value if is_reference(value) else value.replace("${", "$${")
    return json.dumps(plain, ensure_ascii=False)
