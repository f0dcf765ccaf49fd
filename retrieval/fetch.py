"""Fetch a page from the public internet, and from nowhere else."""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote, urlsplit

import idna

from retrieval.errors import AddressRefused, DocumentTooLarge

_ALLOWED_PORTS = frozenset({80, 443, 8000, 8080, 8443})
_IN_A_URL = "%/:?#[]@!$&'()*+,;="  # RFC 3986: reserved characters, and what is encoded already
# Metadata services at addresses that look public: Oracle's (192.0.0.192, among the IETF's own) and Azure's.
_METADATA = [ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("168.63.129.16/32")]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all that IANA has given out to be reached from everywhere
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
    """How much, and how long for everything together: name, connection, headers and content."""

    max_bytes: int = 20_000_000
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Address:
    """A URL's parts as they are resolved, connected to and sent: in ASCII, the port named, `target` path and query."""

    scheme: str
    host: str
    port: int
    target: str


def resolve(host: str, port: int) -> list[str]:
    """Every address that the name has now."""
    return list(dict.fromkeys(str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def check_url(url: str) -> Address:
    """The parts of a plain http(s) URL without a password. Raises AddressRefused."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        host = parts.hostname or ""
        if not host.isascii():
            host = idna.encode(host, uts46=True).decode()
        target = quote(parts.path or "/", safe=_IN_A_URL)
        target += f"?{quote(parts.query, safe=_IN_A_URL)}" if parts.query else ""
    except ValueError as error:
        raise AddressRefused(f"{url!r} is no URL ({error}): give one like https://example.org/page") from error
    if parts.scheme not in ("http", "https") or not host:
        raise AddressRefused(f"{url!r} is no http or https URL: give one like https://example.org/page")
    if parts.username or parts.password:
        raise AddressRefused("a URL with a user name or password is not fetched: leave them out")
    if port is not None and port not in _ALLOWED_PORTS:
        raise AddressRefused(f"port {port} of {host!r} is not fetched from: use one of {sorted(_ALLOWED_PORTS)}")
    if any(ord(character) < 33 or ord(character) == 127 for character in url.strip()):
        raise AddressRefused(f"{url!r} holds a space or control character: encode it")
    return Address(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), target)


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
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _GLOBAL_UNICAST:
            return False
    if any(ip in network for network in _METADATA):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def fetch(url: str, *, limits: FetchLimits | None = None, resolver: Resolver = resolve) -> Fetched:
    """The page at a public URL.

    The name is resolved once and that very address is connected to, so that it cannot change in between; redirects
    are not followed (the target is named in the error); size and time are limited.
    Raises AddressRefused, DocumentTooLarge.
    """
    limits = limits or FetchLimits()
    asked = check_url(url)
    end = time.monotonic() + limits.timeout_s
    late = AddressRefused(f"{url!r} did not arrive within {limits.timeout_s:g} s")
    try:
        address = public_address(resolver(asked.host, asked.port), asked.host)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"{asked.host!r} cannot be resolved ({error}): check the spelling") from error
    if time.monotonic() >= end:
        raise late
    is_over = threading.Event()
    try:
        with (
            contextlib.closing(_socket(asked, address, end)) as sock,
            _shut_down(sock, end, is_over),
            contextlib.closing(_connection(asked, sock)) as connection,
        ):
            connection.request(
                "GET",
                asked.target,
                headers={
                    "User-Agent": "Errata",
                    "Accept": "text/html, text/*, */*;q=0.5",
                    "Accept-Encoding": "identity",
                },
            )
            response = connection.getresponse()
            _check_response(response, url, limits)
            content = _read(response, url, limits)
    except (OSError, http.client.HTTPException) as error:
        if is_over.is_set():
            raise late from error
        raise AddressRefused(f"{url!r} could not be fetched ({error or type(error).__name__})") from error
    if is_over.is_set():
        raise late
    return Fetched(url, content, response.headers.get_content_type(), response.headers.get_content_charset() or "")


def _socket(asked: Address, address: str, end: float) -> socket.socket:
    """A connection to exactly this address, TLS still to be shaken hands on: it checks the name."""
    sock = socket.create_connection((address, asked.port), timeout=max(end - time.monotonic(), 0.001))
    if asked.scheme == "https":
        try:
            context = ssl.create_default_context()
            return context.wrap_socket(sock, server_hostname=asked.host, do_handshake_on_connect=False)
        except BaseException:
            sock.close()
            raise
    return sock


@contextlib.contextmanager
def _shut_down(sock: socket.socket, end: float, is_over: threading.Event) -> Iterator[None]:
    """Cuts the connection at its end, and says so. A socket's own timeout begins anew with every byte that drips in."""

    def cut() -> None:
        is_over.set()
        with contextlib.suppress(OSError):
            # The plain one: that of a TLS socket takes away what the other thread reads with.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    clock = threading.Timer(max(end - time.monotonic(), 0), cut)
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()
        clock.join()


def _connection(asked: Address, sock: socket.socket) -> http.client.HTTPConnection:
    if isinstance(sock, ssl.SSLSocket):
        sock.do_handshake()
    connection = http.client.HTTPConnection(asked.host, asked.port)
    connection.sock = sock
    if asked.port == (443 if asked.scheme == "https" else 80):
        connection.port = 80  # keeps the default port out of the Host header
    return connection


def _check_response(response: http.client.HTTPResponse, url: str, limits: FetchLimits) -> None:
    if 300 <= response.status < 400:
        raise AddressRefused(
            f"{url!r} redirects to {response.headers.get('Location', '')[:300]!r}: give the final address itself"
        )
    if response.status != 200:
        raise AddressRefused(f"{url!r} answers {response.status} {response.reason[:100]}")
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise AddressRefused(
            f"{url!r} comes compressed although it was asked for plain: download it and upload the file"
        )
    if response.length is not None and response.length > limits.max_bytes:
        raise DocumentTooLarge(f"{url!r} is {response.length:,} bytes, the limit is {limits.max_bytes:,}")


def _read(response: http.client.HTTPResponse, url: str, limits: FetchLimits) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := response.read1(65_536):
        size += len(part)
        if size > limits.max_bytes:
            raise DocumentTooLarge(f"{url!r} is more than {limits.max_bytes:,} bytes")
        parts.append(part)
    return b"".join(parts)
