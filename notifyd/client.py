"""The Python client of a running daemon: HTTP and JSON over its UNIX socket.

Imports the standard library alone, so that a program pays next to nothing for it.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any
from urllib.parse import quote, urlencode

Json = dict[str, Any]


class NotRunning(Exception):
    """No daemon answers on the socket."""


class Refused(Exception):
    """The daemon answered, and said no. `details` holds the single reasons, if there are any."""

    def __init__(self, title: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(title)
        self.title = title
        self.details = details


class Client:
    """Speaks to one daemon. Each call raises NotRunning or Refused."""

    def __init__(self, socket_path: str, timeout: float = 60.0) -> None:
        self._socket_path = socket_path
        self._timeout = timeout

    def status(self) -> Json:
        """Return how the daemon, the watching and each channel are."""
        return self._call("GET", "/v1/status")

    def history(
        self, limit: int = 20, channel: str | None = None, state: str | None = None
    ) -> list[Json]:
        """Return the last deliveries with their attempts, newest first.

        `state` is `pending`, `leased`, `delivered`, `dead` or `suppressed`.
        """
        query = _query(limit=limit, channel=channel, state=state)
        deliveries: list[Json] = self._call("GET", f"/v1/history{query}")["deliveries"]
        return deliveries

    def delivery(self, id: str) -> Json:
        """Return one delivery, by its id or a beginning of it that no other has."""
        return self._call("GET", f"/v1/deliveries/{_part(id)}")

    def dead(self, limit: int = 20, channel: str | None = None) -> Json:
        """Return what was given up: the newest `deliveries`, and `counts` by channel."""
        return self._call("GET", f"/v1/dead{_query(limit=limit, channel=channel)}")

    def retry(self, id: str) -> Json:
        """Owe a dead letter again."""
        return self._call("POST", "/v1/dead/retry", {"id": id})

    def retry_all(self, channel: str | None = None) -> Json:
        """Owe all dead letters again, or all of a channel.

        Returns how many were `retried`, and how many are `left`, by channel: those of channels
        that are muted or not configured.
        """
        return self._call("POST", "/v1/dead/retry", {"all": True, "channel": channel})

    def purge(self, id: str) -> Json:
        """Forget a dead letter."""
        return self._call("POST", "/v1/dead/purge", {"id": id})

    def purge_all(self, channel: str | None = None) -> Json:
        """Forget all dead letters, or all of a channel."""
        return self._call("POST", "/v1/dead/purge", {"all": True, "channel": channel})

    def reload(self) -> Json:
        """Read the configuration anew; a bad one changes nothing and is refused."""
        return self._call("POST", "/v1/reload")

    def collections(self) -> list[Json]:
        """Return the collections that are told of, and how far each is."""
        collections: list[Json] = self._call("GET", "/v1/collections")["collections"]
        return collections

    def set_collection(self, name: str, settings: Json) -> Json:
        """Tell a set of jobs as one story; the settings are those of the configuration."""
        return self._call("PUT", f"/v1/collections/{_part(name)}", settings)

    def remove_collection(self, name: str) -> Json:
        """Undo set_collection."""
        return self._call("DELETE", f"/v1/collections/{_part(name)}")

    def mute(self, channel: str, seconds: float | None = None) -> Json:
        """Switch a channel off, for a while or until it is unmuted."""
        return self._call("POST", f"/v1/channels/{_part(channel)}/mute", {"seconds": seconds})

    def unmute(self, channel: str) -> Json:
        """Switch a channel on again."""
        return self._call("POST", f"/v1/channels/{_part(channel)}/unmute")

    def test(self, channel: str) -> Json:
        """Send a test message at once and return how it went."""
        return self._call("POST", f"/v1/channels/{_part(channel)}/test")

    def send(self, text: str, channel: str, id: str | None = None) -> Json:
        """Owe a text to a channel. The same id is told only once."""
        return self._call("POST", "/v1/messages", {"text": text, "channel": channel, "id": id})

    def openapi(self) -> Json:
        """Return the description of the daemon's whole interface (OpenAPI 3.1)."""
        return self._call("GET", "/openapi.json")

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        connection = _UnixConnection(self._socket_path, self._timeout)
        payload = None if body is None else json.dumps(body)
        try:
            connection.request(method, path, payload, {"content-type": "application/json"})
            response = connection.getresponse()
            answer: Json = json.loads(response.read() or b"{}")
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning(f"no daemon answers at {self._socket_path}") from error
        except TimeoutError as error:
            raise Refused(f"the daemon gave no answer within {self._timeout:g} s") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Refused(f"{self._socket_path}: {error}") from error
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(str(answer.get("title", "refused")), tuple(answer.get("details", ())))
        return answer


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _part(text: str) -> str:
    return quote(text, safe="")


def _query(**given: object) -> str:
    values = {name: str(value) for name, value in given.items() if value is not None}
    return f"?{urlencode(values)}"
