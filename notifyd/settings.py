"""What settings are made of: strict models, durations and secrets.

Each room keeps its own settings beside its code; `config/` only assembles them.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


class Settings(BaseModel):
    """A section of the configuration: unknown keys are errors, values do not change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False
    )


def parse_duration(text: object) -> float:
    """Return the seconds of `90`, `30s`, `15m` or `1h30m`.

    Raises ValueError with the accepted forms.
    """
    if isinstance(text, int | float) and not isinstance(text, bool) and 0 <= text < 1e10:
        return float(text)
    if isinstance(text, str) and len(text) < 40:
        word = text.strip().replace(" ", "")
        if re.fullmatch(r"\d+(\.\d+)?", word):
            return float(word)
        if _DURATION.fullmatch(word):
            return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(word))
    raise ValueError("not a duration: write it like 30s, 15m, 2h or 1h30m")


Duration = Annotated[float, BeforeValidator(parse_duration)]
"""Seconds; in YAML a number or a text such as `1h30m`."""

Secret = SecretStr
"""A text that no log, error or repr shows. In YAML also `<field>_file` or `<field>_credential`."""
