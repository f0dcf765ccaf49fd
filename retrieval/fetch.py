"""Fetch a page from the public internet, and from nowhere else."""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from retrieval.errors import AddressRefused, DocumentTooLarge

_ALLOWED_PORTS = frozenset({80, 443, 8000, 8080, 8443})
Resolver: TypeAlias = Callable[[str, int], list[str]]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page's bytes and what the server said they are."""

    url: str
    content: bytes
    content_type: str
    charset: str


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How much and how long."""

    max_bytes: int = 20_000_000
    timeout_s: float = 20.0


def resolve(host: str, port: int) -> list[str]:
    """Every address that the name has now."""
    return list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def check_url(url: str) -> SplitResult:
    """The parts of a plain http(s) URL without a password. Raises AddressRefused."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"{url!r} is no URL ({error}): give one like https://example.org/page") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressRefused(f"{url!r} is no http or https URL: give one like https://example.org/page")
    if parts.username or parts.password:
        raise AddressRefused("a URL with a user name or password is not fetched: leave them out")
    if port is not None and port not in _ALLOWED_PORTS:
        raise AddressRefused(
            f"port {port} of {parts.hostname!r} is not fetched from: use one of {sorted(_ALLOWED_PORTS)}"
        )
    if any(ord(character) < 33 or ord(character) == 127 for character in url.strip()):
        raise AddressRefused(f"{url!r} holds a space or control character: encode it")
    return parts


def public_address(addresses: list[str], host: str) -> str:
    """The first address, if every one of them is public. Raises AddressRefused."""
    if not addresses:
        raise AddressRefused(f"{host!r} has no address")
    for address in addresses:
        if not is_public(address):
            raise AddressRefused(
                f"{host!r} leads to {address}, which is not a public address: upload the document as a file instead"
            )
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether the address is a unicast one of the public internet: not private, loopback, link-local, metadata..."""
    try:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv4 address in IPv6 clothes is judged as the IPv4 address that it reaches.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip in ipaddress.ip_network("64:ff9b:1::/48"):
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def fetch(url: str, *, limits: FetchLimits | None = None, resolver: Resolver = resolve) -> Fetched:
    """The page at a public URL.

    The name is resolved once and that very address is connected to, so that it cannot change in between; redirects
    are not followed (the target is named in the error); size and time are limited.
    Raises AddressRefused, DocumentTooLarge.
    """
    limits = limits or FetchLimits()
    parts = check_url(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        address = public_address(resolver(host, port), host)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"{host!r} cannot be resolved ({error}): check the spelling") from error
    deadline = time.monotonic() + limits.timeout_s
    try:
        with contextlib.closing(_connection(parts.scheme, host, port, address, limits.timeout_s)) as connection:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(
                "GET",
                target,
                headers={
                    "User-Agent": "Errata",
                    "Accept": "text/html, text/*, */*;q=0.5",
                    "Accept-Encoding": "identity",
                },
            )
            response = connection.getresponse()
            _check_response(response, url, limits)
            content = _read(response, url, limits, deadline)
    except (OSError, http.client.HTTPException) as error:
        raise AddressRefused(f"{url!r} could not be fetched ({error or type(error).__name__})") from error
    return Fetched(url, content, response.headers.get_content_type(), response.headers.get_content_charset() or "")


def _connection(scheme: str, host: str, port: int, address: str, timeout_s: float) -> http.client.HTTPConnection:
    """A connection to exactly this address; TLS still checks the name."""
    sock: socket.socket = socket.create_connection((address, port), timeout=timeout_s)
    if scheme == "https":
        try:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    connection.sock = sock
    if port == (443 if scheme == "https" else 80):
        connection.port = 80  # keeps the default port out of the Host header
    return connection


def _check_response(response: http.client.HTTPResponse, url: str, limits: FetchLimits) -> None:
    if 300 <= response.status < 400:
        raise AddressRefused(
            f"{url!r} redirects to {response.headers.get('Location', '')[:300]!r}: give the final address itself"
        )
    if response.status != 200:
        raise AddressRefused(f"{url!r} answers {response.status} {response.reason}")
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise AddressRefused(
            f"{url!r} comes compressed although it was asked for plain: download it and upload the file"
        )
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > limits.max_bytes:
        raise DocumentTooLarge(f"{url!r} is {int(length):,} bytes, the limit is {limits.max_bytes:,}")


def _read(response: http.client.HTTPResponse, url: str, limits: FetchLimits, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := response.read1(65_536):
        size += len(part)
        if size > limits.max_bytes:
            raise DocumentTooLarge(f"{url!r} is more than {limits.max_bytes:,} bytes")
        if time.monotonic() > deadline:
            raise AddressRefused(f"{url!r} did not arrive within {limits.timeout_s:g} s")
        parts.append(part)
    return b"".join(parts)
