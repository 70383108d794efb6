"""The configuration as a whole: its sections, and how each becomes settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from notifyd.channels.settings import ChannelSettings
from notifyd.config.explain import SECTION, explain
from notifyd.config.prepare import Preparation
from notifyd.config.problems import Report, unknown
from notifyd.config.tree import BROKEN, Node, Trail, plain
from notifyd.events.catalogue import CATALOGUE, check_pattern
from notifyd.rendering.renderer import check_template
from notifyd.settings import Settings
from notifyd.slurm.settings import SlurmSettings

_CHANNEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

Model = TypeVar("Model", bound=BaseModel)


class Config(Settings):
    """Everything that people can set."""

    slurm: SlurmSettings = SlurmSettings()
    channels: Mapping[str, ChannelSettings] = {}
    """By the name that the user gave; each is of its kind's own settings class."""
    templates: Mapping[str, str] = {}
    """Jinja2 texts that replace the built-in one, by event type."""


class Kind(Protocol):
    """What the configuration needs to know of a kind of channel."""

    @property
    def settings(self) -> type[ChannelSettings]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """Turns a tree into a Config, and notes whatever stands in the way."""

    kinds: Mapping[str, Kind]
    preparation: Preparation
    report: Report

    def config(self, root: Node) -> Config:
        """Return the settings; they may be used only if the report stays empty."""
        sections = self._entries(root, ())
        for name in sections.keys() - Config.model_fields.keys():
            text = unknown("section", name, Config.model_fields)
            self.report.add(sections[name].mark, (name,), text)
        empty = replace(root, value={})
        slurm = self._settings(sections.get("slurm", empty), SlurmSettings, ("slurm",))
        return Config(
            slurm=slurm or SlurmSettings(),
            channels=self._channels(sections.get("channels", empty)),
            templates=self._templates(sections.get("templates", empty)),
        )

    def _channels(self, section: Node) -> dict[str, ChannelSettings]:
        nodes = self._entries(section, ("channels",))
        channels = {}
        for name, node in nodes.items():
            self._check_fallback(name, node, nodes)
            settings = self._channel(name, node)
            if settings is not None:
                channels[name] = settings
        return channels

    def _channel(self, name: str, node: Node) -> ChannelSettings | None:
        trail = ("channels", name)
        if not _CHANNEL_NAME.fullmatch(name):
            text = "a channel's name has letters, digits, `_`, `.` and `-` only, at most 64"
            self.report.add(node.mark, trail, text)
        if not isinstance(node.value, dict):
            if node.value is not BROKEN:
                self.report.add(node.mark, trail, SECTION)
            return None
        kind = self._kind(node, trail)
        if kind is None:
            return None
        self._check_events(node, trail)
        return self._settings(node, kind.settings, trail)

    def _kind(self, channel: Node, trail: Trail) -> Kind | None:
        node = channel.child("type")
        choices = ", ".join(sorted(self.kinds))
        if node is None or node.value is None:
            if not self.report.incomplete:
                self.report.add(channel.mark, (*trail, "type"), f"required; there are: {choices}")
        elif isinstance(node.value, str) and node.value in self.kinds:
            return self.kinds[node.value]
        elif node.value is not BROKEN:
            text = unknown("type of channel", str(node.value), self.kinds)
            self.report.add(node.mark, (*trail, "type"), text)
        return None

    def _check_fallback(self, name: str, node: Node, nodes: Mapping[str, Node]) -> None:
        given = node.child("fallback") if isinstance(node.value, dict) else None
        if given is None:
            return
        others = [other for other in nodes if other != name]
        for one in given.value if isinstance(given.value, tuple) else (given,):
            trail = ("channels", name, "fallback")
            if one.value == name:
                self.report.add(one.mark, trail, "a channel cannot be its own fallback")
            elif isinstance(one.value, str) and one.value not in others:
                self.report.add(one.mark, trail, unknown("channel", one.value, others))

    def _check_events(self, channel: Node, trail: Trail) -> None:
        node = channel.child("events")
        if node is None:
            return
        patterns = node.value if isinstance(node.value, tuple) else (node,)
        for pattern in patterns:
            fault = check_pattern(pattern.value) if isinstance(pattern.value, str) else None
            if fault:
                self.report.add(pattern.mark, (*trail, "events"), fault)

    def _templates(self, section: Node) -> dict[str, str]:
        templates = {}
        for name, node in self._entries(section, ("templates",)).items():
            trail = ("templates", name)
            told = [one.name for one in CATALOGUE.values() if one.told]
            if name not in told:
                self.report.add(node.mark, trail, unknown("event", name, told))
            elif isinstance(node.value, str):
                templates[name] = node.value
                fault = check_template(name, node.value)
                if fault:
                    self.report.add(node.mark, trail, f"not a usable template: {fault}")
            elif node.value is not BROKEN:
                self.report.add(node.mark, trail, "must be a text; put it in quotes")
        return templates

    def _entries(self, node: Node, trail: Trail) -> dict[str, Node]:
        """Return a section's entries; one without any is as good as none."""
        if not isinstance(node.value, dict) and node.value not in (None, BROKEN):
            self.report.add(node.mark, trail, SECTION)
        return node.entries()

    def _settings(self, node: Node, model: type[Model], trail: Trail) -> Model | None:
        if node.value in (None, BROKEN):
            return None
        ready = self.preparation.section(node, model, trail)
        try:
            return model.model_validate(plain(ready))
        except ValidationError as error:
            explain(error, ready, trail, model, self.report)
            return None
