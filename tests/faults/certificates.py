"""A certificate authority of the test's own, and a server that can change its certificate."""

from __future__ import annotations

import shlex
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Authority:
    """Signs certificates for whatever they are to stand for."""

    folder: Path

    def __post_init__(self) -> None:
        self._openssl("-subj /CN=authority -keyout authority.key -out authority.pem")

    @property
    def trusted(self) -> Path:
        """What whoever trusts it names as SSL_CERT_FILE."""
        return self.folder / "authority.pem"

    def show(self, context: ssl.SSLContext, stands_for: str) -> None:
        """Let a server show a certificate for this name from its next connection on."""
        self._openssl(
            "-CA authority.pem -CAkey authority.key -subj /CN=server -keyout server.key "
            f"-out server.pem -addext subjectAltName={stands_for} "
            "-addext basicConstraints=critical,CA:FALSE"
        )
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")

    def _openssl(self, how: str) -> None:
        command = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 {how}"
        subprocess.run(shlex.split(command), cwd=self.folder, check=True, capture_output=True)
