"""Where a request goes, and by way of which proxy."""

from __future__ import annotations

import contextlib
import urllib.request
from dataclasses import dataclass

import yarl

from notifyd.channels.failures import Fault, PermanentFailure, TemporaryFailure


@dataclass(frozen=True, slots=True)
class Target:
    """An address, read once for all requests to it."""

    url: yarl.URL
    host: str
    proxy: str | None


def target_of(address: str) -> Target:
    """Return what there is to know of an address.

    Raises PermanentFailure if it is none, TemporaryFailure if its proxy cannot be used.
    """
    with contextlib.suppress(ValueError):
        url = yarl.URL(address)
        if url.scheme in ("http", "https") and url.host:
            return Target(url, url.host, _proxy(url.scheme, url.host))
    words = "the address is not valid: it has to start with https:// and a host"
    raise PermanentFailure(words, fault=Fault.CHANNEL)


def _proxy(scheme: str, host: str) -> str | None:
    # Not aiohttp's trust_env: it would also send ~/.netrc's passwords, `default` to any host.
    if urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy:
        return None
    address = proxy if "://" in proxy else f"http://{proxy}"  # as curl takes it
    if not address.startswith(("http://", "https://")):
        name = f"{scheme}_proxy" if scheme in proxies else "all_proxy"
        raise TemporaryFailure(f"the proxy in {name} is of a kind that notifyd does not speak")
    return address
