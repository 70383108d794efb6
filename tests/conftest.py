"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# Speed is measured by benchmarks: on a busy machine a deadline fails what is right.
settings.register_profile("notifyd", deadline=None)
settings.load_profile("notifyd")
