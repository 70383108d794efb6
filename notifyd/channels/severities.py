"""How a severity looks: its symbol where text may hold emoji, its colour where it may not."""

from __future__ import annotations

from notifyd.model import Severity

SYMBOLS = {
    Severity.INFO: "🔹",
    Severity.SUCCESS: "✅",
    Severity.WARNING: "⚠️",
    Severity.ERROR: "❌",
    Severity.CRITICAL: "🚨",
}

COLOURS = {
    Severity.INFO: "#3b82f6",
    Severity.SUCCESS: "#16a34a",
    Severity.WARNING: "#d97706",
    Severity.ERROR: "#dc2626",
    Severity.CRITICAL: "#9f1239",
}
"""Each readable on white and on black."""
