"""What is done on a real cluster while the client looks: one function a case."""

from __future__ import annotations

from tests.recordings.cases import again, ends, outages, texts, waits

CASES = (*ends.CASES, *waits.CASES, *again.CASES, *texts.CASES, *outages.CASES)
"""In the order in which they are played: the last ones change the cluster."""
