import http.server
import threading

import pytest

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
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
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


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest")
            self.end_headers()
            return
        body = b"x" * 5000 if self.path == "/long" else f"<p>Host {self.headers['Host']}</p>".encode()
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def port(monkeypatch):
    """A server on this machine that the guard lets through, to see what happens after it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
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
