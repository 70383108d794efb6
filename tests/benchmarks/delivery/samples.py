"""What is told in the bench: the end of a job, as often as is wanted, each with its own id."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterator
from email.message import EmailMessage

from notifyd.model import Delivery, Event, Scalar, Severity, derived_id
from notifyd.rendering.renderer import Renderer

DATA: dict[str, Scalar] = {
    "job_id": "4711",
    "job_name": "train lr=0.001 seed=3",
    "user": "ada",
    "account": "physics",
    "partition": "gpu",
    "cluster": "demo",
    "state": "FAILED",
    "exit_code": 1,
    "submit_time": 1_800_000_000,
    "start_time": 1_800_000_060,
    "end_time": 1_800_003_660,
    "elapsed_seconds": 3600,
    "cpus": 16,
    "nodes": 1,
    "node_list": "gpu017",
    "work_dir": "/home/ada/experiments/train",
    "hint": "ModuleNotFoundError: No module named 'torch'",
}
TITLE = "Job 4711 (train lr=0.001 seed=3) failed: exit code 1"
_EVENT = Event(
    id="",
    type="job_failed",
    severity=Severity.ERROR,
    time=1_800_003_660.0,
    source="/slurm/demo",
    subject="4711",
    group="",
    data=DATA,
)
_BODY = json.dumps(
    {
        "specversion": "1.0",
        "id": "mNUMBER",
        "source": "/slurm/demo",
        "type": "job_failed",
        "subject": "4711",
        "time": "2027-01-15T09:01:00.000Z",
        "datacontenttype": "application/json",
        "data": DATA | {"severity": "error", "title": TITLE},
    }
).encode()


def events(count: int) -> Iterator[Event]:
    """Yield the ends of jobs that have nothing to do with each other."""
    for number in range(count):
        yield dataclasses.replace(_EVENT, id=derived_id("bench", number), group=f"demo/{number}")


def deliveries(count: int, channel: str) -> Iterator[Delivery]:
    """Yield what a daemon owes when they have ended."""
    message, now = Renderer().render(_EVENT), time.time()
    for event in events(count):
        id = derived_id(event.id, channel)
        yield Delivery(id=id, channel=channel, event=event, message=message, created=now)


def body(number: int) -> bytes:
    """Return about what a webhook is sent, at next to no cost."""
    return _BODY.replace(b"NUMBER", str(number).encode())


def mail(number: int) -> bytes:
    """Return about the mail that is sent: text and HTML, built anew as any client has to."""
    letter = EmailMessage()
    letter["Subject"], letter["From"], letter["To"] = TITLE, "jobs@example.org", "ada@example.org"
    letter["Message-ID"] = f"<m{number}@example.org>"
    lines = [f"{name}: {value}" for name, value in DATA.items()]
    letter.set_content("\n".join([TITLE, "", *lines]))
    rows = "".join(f"<tr><td>{line}</td></tr>" for line in lines)
    letter.add_alternative(f"<h1>{TITLE}</h1><table>{rows}</table>", subtype="html")
    return letter.as_bytes()
