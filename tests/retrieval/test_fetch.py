import contextlib
import http.server
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from retrieval import fetch as fetching
from retrieval.errors import AddressRefused, DocumentTooLarge
from retrieval.fetch import FetchLimits, check_url, fetch, is_public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("127.8.8.8", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),  # the clouds' metadata service
        ("100.100.100.200", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("192.0.0.192", False),  # Oracle's metadata service
        ("168.63.129.16", False),  # Azure's, within a block that is public elsewhere
        ("fec0::1", False),
        ("feff:ffff::1", False),
        ("5f00::1", False),
        ("4000::1", False),
        ("::ffff:93.184.216.34", True),
        ("::ffff:10.0.0.1", False),
        ("::ffff:168.63.129.16", False),
        ("::127.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::169.254.169.254", False),
        ("64:ff9b::93.184.216.34", True),
        ("64:ff9b:1::93.184.216.34", False),
        ("2002:7f00:1::", False),
        ("2002:c0a8:101::1", False),
        ("2002:5db8:d822::1", True),
        ("2001:0:4136:e378:8000:63bf:f5ff:fffe", False),  # Teredo, whose client is 10.0.0.1
        ("2001:0:a00:1:8000:63bf:a247:27dd", False),  # Teredo, whose server is 10.0.0.1
        ("not an address", False),
    ],
)
def test_only_public_addresses_are_reached(address, public):
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/a",
        "gopher://example.org",
        "example.org",
        "http://",
        "http://user:secret@example.org/",
        "http://example.org:22/",
        "http://example.org:99999/",
        "http://exa mple.org/",
        "http://example.org/a\r\nHost: x",
        "",
    ],
)
def test_only_plain_web_addresses_are_taken(url):
    with pytest.raises(AddressRefused):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://2130706433/", "http://localhost/", "http://[::1]/", "http://0x7f.1/"]
)
def test_the_own_machine_is_refused_in_every_spelling(url):
    with pytest.raises(AddressRefused):
        fetch(url)


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        fetch("http://example.org/", resolver=lambda host, port: ["93.184.216.34", "10.0.0.1"])


def test_a_name_without_an_address_is_refused():
    with pytest.raises(AddressRefused, match=r"'example\.org' has no address"):
        fetch("http://example.org/", resolver=lambda host, port: [])


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest")
            self.end_headers()
            return
        self.server.asked.append((self.path, self.headers["Host"]))
        body = b"x" * 5000 if self.path == "/long" else f"<p>Host {self.headers['Host']}</p>".encode()
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def asked():
    """Path and host of every page that was asked for."""
    return []


@pytest.fixture
def port(monkeypatch, asked):
    """A server on this machine that the guard lets through, to see what happens after it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.asked = asked
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(fetching, "is_public", lambda address: True)
    monkeypatch.setattr(fetching, "_ALLOWED_PORTS", frozenset({server.server_port}))
    yield server.server_port
    server.shutdown()
    server.server_close()


def local(host, port):
    return ["127.0.0.1"]


def test_the_name_is_resolved_once_and_that_address_is_used(port):
    asked = []

    def resolver(host, port):
        asked.append(host)
        return ["127.0.0.1"]

    page = fetch(f"http://no-such-name.invalid:{port}/", resolver=resolver)
    assert asked == ["no-such-name.invalid"]
    assert page.content == f"<p>Host no-such-name.invalid:{port}</p>".encode()
    assert (page.content_type, page.charset) == ("text/html", "utf-8")


def test_redirects_are_named_and_not_followed(port):
    with pytest.raises(AddressRefused, match=r"redirects to 'http://169\.254\.169\.254/latest'"):
        fetch(f"http://example.invalid:{port}/moved", resolver=local)


def test_a_missing_page_and_a_long_one_are_refused(port):
    with pytest.raises(AddressRefused, match="404"):
        fetch(f"http://example.invalid:{port}/missing", resolver=local)
    with pytest.raises(DocumentTooLarge):
        fetch(f"http://example.invalid:{port}/long", resolver=local, limits=FetchLimits(max_bytes=1000))


@pytest.mark.parametrize(
    ("host", "path", "sent"),
    [
        ("de.invalid", "/wiki/Zürich", ("/wiki/Z%C3%BCrich", "de.invalid")),
        (
            "de.invalid",
            "/wiki/Z%C3%BCrich?q=Käse%20%26&x={1}",
            ("/wiki/Z%C3%BCrich?q=K%C3%A4se%20%26&x=%7B1%7D", "de.invalid"),
        ),
        ("de.invalid", "/a;b=1,2/(c)@:~?q=/?'*+!$#part", ("/a;b=1,2/(c)@:~?q=/?'*+!$", "de.invalid")),
        ("de.invalid", "/100%", ("/100%", "de.invalid")),
        ("Bücher.invalid", "/", ("/", "xn--bcher-kva.invalid")),
        ("ｂücher.invalid", "/", ("/", "xn--bcher-kva.invalid")),
        ("straße.invalid", "/", ("/", "xn--strae-oqa.invalid")),  # not strasse.invalid, which is somebody else's
        ("東京。invalid", "/", ("/", "xn--1lqs71d.invalid")),
        ("my_host.invalid", "/", ("/", "my_host.invalid")),
    ],
)
def test_letters_of_other_languages_are_encoded_once(port, asked, host, path, sent):
    resolved = []
    fetch(f"http://{host}:{port}{path}", resolver=lambda name, port: resolved.append(name) or ["127.0.0.1"])
    path, host = sent
    assert asked == [(path, f"{host}:{port}")]
    assert resolved == [host]


@pytest.mark.parametrize(
    "url",
    [
        "http://de.invalid/\ud800",
        "http://de.invalid/?q=\ud800",
        "http://\ud800.invalid/",
        "http://a\u0301\u200b\u0600.invalid/",
        "http://ü" + "x" * 70 + ".invalid/",
        "http://" + "ü." * 5_000 + "invalid/",
        "http://.example.org/",
        "http://a..example.org/",
        "http://" + "x" * 70 + ".invalid/",
    ],
    ids=ascii,
)
def test_what_cannot_be_encoded_is_refused(url):
    with pytest.raises(AddressRefused):
        fetch(url)


@contextlib.contextmanager
def dripping(monkeypatch, start, drop):
    """A server on this machine that never ends, and has always just said something; gives up after a while."""
    over = threading.Event()

    def drip(connection):
        with connection, contextlib.suppress(OSError):
            connection.sendall(start)
            for _ in range(200):
                connection.sendall(drop)
                if over.wait(0.1):
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(fetching, "is_public", lambda address: True)
        monkeypatch.setattr(fetching, "_ALLOWED_PORTS", frozenset({port}))
        thread = threading.Thread(target=lambda: drip(server.accept()[0]), daemon=True)
        thread.start()
        yield port
        over.set()
        thread.join(10)


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@pytest.mark.parametrize(
    ("scheme", "start", "drop"),
    [
        ("https", b"\x16\x03\x03\x40\x00", b"\x02"),
        ("http", b"HTTP/1.1 ", b"2"),
        ("http", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        ("http", OK, b"x"),
        ("http", OK + b"\r\n", b"x"),
        ("http", OK + b"Content-Length: 1000\r\n\r\n", b"x"),
        ("http", OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        ("http", OK + b"Transfer-Encoding: chunked\r\n\r\n1000\r\n", b"x"),
    ],
    ids=["handshake", "status", "continue", "headers", "body", "body of known length", "chunk size", "chunk"],
)
def test_one_limit_of_time_holds_for_everything_together(monkeypatch, scheme, start, drop):
    with dripping(monkeypatch, start, drop) as port:
        started = time.monotonic()
        with pytest.raises(AddressRefused, match=r"did not arrive within 0\.5 s"):
            fetch(f"{scheme}://drip.invalid:{port}/", resolver=local, limits=FetchLimits(timeout_s=0.5))
        assert time.monotonic() - started < 8  # the server drips for 20 s


@pytest.fixture
def certified(tmp_path, monkeypatch):
    """The port of a server whose certificate is trusted here, for door.invalid alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "door.invalid")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("door.invalid")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "door.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(file)
    ours = ssl.create_default_context(cafile=str(file))
    monkeypatch.setattr(ssl, "create_default_context", lambda: ours)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.asked = []
    server.socket = theirs.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(fetching, "is_public", lambda address: True)
    monkeypatch.setattr(fetching, "_ALLOWED_PORTS", frozenset({server.server_port}))
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_the_certificate_must_be_of_the_name_that_was_asked_for(certified):
    page = fetch(f"https://door.invalid:{certified}/", resolver=local)
    assert page.content == f"<p>Host door.invalid:{certified}</p>".encode()
    with pytest.raises(AddressRefused, match=r"Hostname mismatch"):
        fetch(f"https://shop.invalid:{certified}/", resolver=local)


def test_a_slow_resolver_counts(port):
    def slow(host, port):
        time.sleep(0.2)
        return ["127.0.0.1"]

    with pytest.raises(AddressRefused, match="did not arrive within"):
        fetch(f"http://example.invalid:{port}/", resolver=slow, limits=FetchLimits(timeout_s=0.1))


def test_no_clock_runs_on_after_a_fetch(port):
    fetch(f"http://example.invalid:{port}/", resolver=local)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


@pytest.mark.parametrize("length", ["9" * 5_000, "²", "-1", "many"])
def test_a_length_that_is_no_number_is_not_believed(monkeypatch, length):
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + length.encode("latin-1") + b"\r\n\r\n"
    with dripping(monkeypatch, head, b"x") as port, pytest.raises((AddressRefused, DocumentTooLarge)):
        fetch(f"http://odd.invalid:{port}/", resolver=local, limits=FetchLimits(max_bytes=3, timeout_s=5))
