"""Renders an event into a message: the first line of its template is the title.

What a template yields is plain text. Each channel escapes it for its own medium, so a job
name can be anything and still only be text; a value is never itself taken as a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2
import jinja2.sandbox
import structlog

from notifyd.events.catalogue import CATALOGUE
from notifyd.events.data import CHANNEL_DATA, COLLECTION_DATA, JOB_DATA, MESSAGE_DATA, NUMBERS
from notifyd.model import Event, Message, Scalar
from notifyd.rendering.facts import facts_of
from notifyd.rendering.filters import FILTERS
from notifyd.units import duration, shortened

MOST_CHARACTERS = 65536
"""What a template may yield; the rest is cut."""

NAMES = (*JOB_DATA, *COLLECTION_DATA, *CHANNEL_DATA, *MESSAGE_DATA)
"""The names that a template can use besides `event_type`, `severity`, `time`, `elapsed` and
`about`, which is `Job 36_3 (train)`."""


class Renderer:
    """The default templates, and those of the configuration in their place."""

    def __init__(self, overrides: Mapping[str, str] | None = None) -> None:
        """Compile everything once. Raises jinja2.TemplateError for a bad override."""
        self._environment = _environment()
        self._defaults = {
            name: self._environment.get_template(f"{name}.j2")
            for name, kind in CATALOGUE.items()
            if kind.told
        }
        self._overrides = {
            name: self._environment.from_string(text) for name, text in (overrides or {}).items()
        }
        self._log = structlog.get_logger("rendering")

    def render(self, event: Event) -> Message:
        """Return what is said of the event; a template that fails gives way to the default."""
        override = self._overrides.get(event.type)
        if override is not None:
            try:
                return _message(override, event)
            except Exception as error:
                self._log.warning("template_failed", event_type=event.type, error=str(error)[:200])
        return _message(self._defaults[event.type], event)


def check_template(event_type: str, text: str) -> str | None:
    """Return what is wrong with a template, tried on a sample; None if nothing."""
    sample: dict[str, Scalar] = {name: 1 if name in NUMBERS else "sample" for name in NAMES}
    try:
        template = _environment().from_string(text)
        template.render(_context(event_type, "info", 0.0, sample))
    except jinja2.TemplateSyntaxError as error:
        return f"line {error.lineno}: {error.message}"
    except jinja2.UndefinedError as error:
        return f"{error.message}; known are {', '.join(NAMES)}"
    except Exception as error:
        return str(error)
    return None


def _environment() -> jinja2.Environment:
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        loader=jinja2.PackageLoader("notifyd.rendering"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # plain text: the channels escape it
        auto_reload=False,
    )
    environment.filters.update(FILTERS)
    return environment


def _context(
    event_type: str, severity: str, time: float, data: Mapping[str, Scalar]
) -> dict[str, Any]:
    values: dict[str, Any] = dict.fromkeys(NAMES)
    values.update(data)
    seconds = values["elapsed_seconds"]
    values.update(event_type=event_type, severity=severity, time=time, elapsed=duration(seconds))
    values["about"] = _about(data)
    return values


def _about(data: Mapping[str, Scalar]) -> str:
    """Return whom it is about: `Job 36_3 (train)`, `Array 36 (train)`, `Collection sweep`."""
    id, name = data.get("job_id"), data.get("job_name")
    if id is None:
        return f"Collection {shortened(data.get('collection', ''), 60)}"
    whole = id == data.get("array_job_id") or "outcomes" in data
    named = f" ({shortened(name, 60)})" if name else ""
    return f"{'Array' if whole else 'Job'} {id}{named}"


def _message(template: jinja2.Template, event: Event) -> Message:
    text = template.render(_context(event.type, event.severity, event.time, event.data))
    title, _, body = text.strip()[:MOST_CHARACTERS].partition("\n")
    return Message(title=title.strip() or event.type, body=body.strip(), facts=facts_of(event))
