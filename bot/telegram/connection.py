"""How this machine reaches Telegram: proxies and certificates, as the environment has them."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx

from bot.secret import Secret
from core.errors import ExtraMissing, UsageRefused
from core.paths import display

_PROXIES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
_EXCEPTIONS = ("no_proxy", "NO_PROXY")
_SCHEMES = ("http", "https", "socks5", "socks5h")
_LEAST_CHARACTERS = 4  # of a password that is taken out alone; shorter ones are in any text
_FORM = "http://host:port or socks5://host:port, with name:password@ before the host if need be"


def make_ready(environ: MutableMapping[str, str], api_url: str) -> None:
    """Check the proxies and certificates that httpx reads from the environment.

    What is meant clearly and not understood there is put into its words. Raises UsageRefused, and
    ExtraMissing if a package is missing.
    """
    for variable in _PROXIES:
        if value := environ.get(variable, "").strip():
            environ[variable] = _proxy(variable, value)
    for variable in _EXCEPTIONS:
        if value := environ.get(variable, ""):
            environ[variable] = _exceptions(value, api_url)
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if value := environ.get(variable, ""):
            _check_certificates(variable, value)
    try:
        httpx.Client().close()
    except ImportError:
        raise ExtraMissing(
            "The proxy speaks SOCKS, for which a package is missing. Install it with: "
            "pip install 'httpx[socks]'"
        ) from None
    except Exception as error:  # its text may hold the password
        raise UsageRefused(
            "What HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY say cannot be used "
            f"({type(error).__name__}). A proxy is {_FORM}; NO_PROXY is names and addresses, "
            "separated by commas."
        ) from None


def secrets_in(environ: Mapping[str, str], *urls: str | None) -> list[Secret]:
    """Return the passwords of proxies and of other addresses, however they are written."""
    found = []
    for value in (*(environ.get(one, "") for one in _PROXIES), *urls):
        user_info, at, _ = (value or "").rpartition("@")
        if not at:
            continue
        password = user_info.partition("://")[2].partition(":")[2] or user_info.partition(":")[2]
        parts = re.split(r"[/?#@]", password)  # an address that is cut at one is quoted in pieces
        for text in {password, unquote(password), *parts}:
            if len(text) >= _LEAST_CHARACTERS:
                found.append(Secret(text))
    return sorted(found, key=lambda one: -len(one.reveal()))


def _proxy(variable: str, value: str) -> str:
    """Return a proxy's address as httpx reads it. Raises UsageRefused."""
    address = value if "://" in value else f"http://{value}"
    scheme, _, rest = address.partition("://")
    scheme = {"socks": "socks5"}.get(scheme.lower(), scheme.lower())  # as desktops write it
    try:
        split = urlsplit(f"{scheme}://{rest}")
        is_address = bool(split.hostname) and (split.port is None or split.port > 0)
        httpx.URL(f"{scheme}://{rest}")
    except (ValueError, httpx.InvalidURL):
        is_address = False
    if scheme not in _SCHEMES or not is_address:
        raise UsageRefused(
            f"{variable} is no proxy that can be used. It has the form {_FORM}; of a password, "
            "write other signs than letters and digits as %23 and the like."
        )
    return f"{scheme}://{rest}"


def _exceptions(value: str, api_url: str) -> str:
    """Return the hosts that no proxy is for as httpx reads them, which knows no networks."""
    address = None
    with suppress(ValueError):
        address = ipaddress.ip_address(urlsplit(api_url).hostname or "")
    kept = []
    for host in (one.strip() for one in value.split(",")):
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        try:
            network = ipaddress.ip_network(bare, strict=False)
        except ValueError:
            kept.append(host)
            continue
        if "/" not in bare:
            kept.append(bare)
        elif address is not None and address in network:
            kept.append(str(address))
    return ",".join(one for one in kept if one)


def _check_certificates(variable: str, value: str) -> None:
    is_file = variable == "SSL_CERT_FILE"
    try:
        if is_file:
            ssl.create_default_context(cafile=value)
        else:
            os.listdir(value)  # noqa: PTH208
    except (OSError, ssl.SSLError) as error:
        reason = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageRefused(
            f"{variable} names {display(Path(value))}, which cannot be read ({reason}). Name a "
            f"{'file' if is_file else 'folder'} of certificates, or take the variable away."
        ) from None
