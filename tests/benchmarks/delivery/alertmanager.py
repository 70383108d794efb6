"""Alertmanager as Debian ships it: fetched, unpacked and run, and nothing of it left behind."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.delivery.processes import Sink, measure, sink, started
from tests.benchmarks.delivery.report import Round
from tests.benchmarks.delivery.samples import DATA, TITLE

BATCH = 500
_NAME = "prometheus-alertmanager"
_TEMPLATES = Path("/usr/share/prometheus/alertmanager")
_STARTS_WITHIN = 20.0
_CONFIG = """
route: {{receiver: hook, group_by: ['...'], group_wait: 0s}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}", send_resolved: false}}]
"""


class NotToBeHad(Exception):
    """It cannot be run here. The text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Where it is unpacked."""

    folder: Path

    @property
    def program(self) -> Path:
        return self.folder / "usr/bin" / _NAME


@contextmanager
def unpacked() -> Iterator[Package]:
    """Have it until the block is left. Raises NotToBeHad."""
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        folder = Path(place)
        try:
            _fetch(folder)
            stack.enter_context(_templates(folder / str(_TEMPLATES).lstrip("/")))
        except (OSError, subprocess.SubprocessError) as error:
            raise NotToBeHad(str(error)) from error
        yield Package(folder=folder)


def _fetch(folder: Path) -> None:
    for tool in ("apt-get", "dpkg"):
        if not shutil.which(tool):
            raise NotToBeHad(f"there is no {tool}")
    download = ["apt-get", "-q", "download", _NAME]
    subprocess.run(download, cwd=folder, check=True, capture_output=True, timeout=120)
    (archive,) = folder.glob("*.deb")
    subprocess.run(["dpkg", "-x", archive, folder], check=True, timeout=60)
    program = Package(folder=folder).program
    subprocess.run([program, "--version"], check=True, capture_output=True, timeout=60)


@contextmanager
def _templates(source: Path) -> Iterator[None]:
    """Put a link where its templates are looked for, unless they are there."""
    if _TEMPLATES.exists():
        yield
        return
    made = not _TEMPLATES.parent.exists()
    _TEMPLATES.parent.mkdir(exist_ok=True)
    _TEMPLATES.symlink_to(source)
    try:
        yield
    finally:
        _TEMPLATES.unlink()
        if made:
            _TEMPLATES.parent.rmdir()


def delivered(package: Package, messages: int) -> Round:
    """Hand it that many alerts, and measure it until all have come out."""
    with sink() as there, tempfile.TemporaryDirectory() as place, socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
        door.close()
        with started(_command(package, Path(place), there, port), os.environ) as process:
            _wait_for(port)
            return measure(there, process, messages, lambda: _feed(port, messages))


def _command(package: Package, folder: Path, there: Sink, port: int) -> list[str]:
    config = folder / "config.yaml"
    config.write_text(_CONFIG.format(url=there.url))
    return [
        str(package.program),
        f"--config.file={config}",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]


def _wait_for(port: int) -> None:
    latest = time.monotonic() + _STARTS_WITHIN
    while time.monotonic() < latest:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise NotToBeHad("it does not start")


def _feed(port: int, messages: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for first in range(0, messages, BATCH):
        numbers = range(first, min(first + BATCH, messages))
        document = json.dumps([_alert(number) for number in numbers])
        connection.request("POST", "/api/v2/alerts", document, {"content-type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise NotToBeHad(f"it answers {answer.status}")
    connection.close()


def _alert(number: int) -> dict[str, object]:
    labels = {"alertname": "job_failed", "id": f"m{number}", "severity": "error"}
    notes = {"title": TITLE, "user": str(DATA["user"]), "node_list": str(DATA["node_list"])}
    return {"labels": labels, "annotations": notes}
