"""The client of the gateway: whose call it is, what its answers mean, and what goes wrong."""

import httpx
import pytest

from server.app import create_app
from server.engines.scripted import ScriptedEngine
from server.settings import Settings
from tests_support import furnish
from tests_support_world import World, fill, reply
from ui.acting import words_for
from ui.client import Gateway, refusal
from ui.errors import GatewayRefused, GatewayUnreachable, SignedOut
from ui.texts import TEXTS

URL = "http://errata.test"


@pytest.fixture
def world(tmp_path):
    engine = ScriptedEngine(reply)
    services = furnish(Settings(data_dir=tmp_path / "data", model_dir=tmp_path / "model", _env_file=None), engine)
    made = World(URL, create_app(services, with_pages=False, with_loops=False), services, engine)
    fill(made)
    yield made
    services.records.store.close()


@pytest.fixture
def gateway(world):
    return Gateway(URL, transport=httpx.ASGITransport(world.app))


def signed_in(gateway, world, name):
    return acting(gateway, world.services.accounts.start_session(world.account(name).id))


def acting(gateway, session):
    return gateway.acting_for({"errata_session": session, "other": "secret"})


async def test_only_the_session_cookie_and_the_own_origin_travel():
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return httpx.Response(200, json={"id": "acc", "name": "user", "role": "user"})

    gateway = Gateway(URL, transport=httpx.MockTransport(answer))
    me = await acting(gateway, "u").me()
    assert me.name == "user"
    assert seen[0]["cookie"] == "errata_session=u"
    assert seen[0]["origin"] == URL


async def test_a_stream_ends_with_its_provenance(gateway, world):
    chunks = [
        c
        async for c in signed_in(gateway, world, "user").stream_chat(
            [{"role": "user", "content": "Who leads Halden today?"}]
        )
    ]
    text = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks)
    assert text == "The Halden Bridge was built in 1903."
    assert chunks[-1]["errata"]["route"] == "model"


async def test_a_stream_without_its_end_is_an_error():
    gateway = Gateway(
        URL, transport=httpx.MockTransport(lambda _: httpx.Response(200, text='data: {"choices": []}\n\n'))
    )
    with pytest.raises(GatewayUnreachable, match="without its end"):
        [c async for c in acting(gateway, "u").stream_chat([])]


async def test_reports_come_in_pages(gateway, world):
    me = signed_in(gateway, world, "admin")
    first, cursor = await me.reports(limit=4)
    rest, end = await me.reports(limit=4, cursor=cursor)
    assert (len(first), len(rest), end) == (4, 2, "")
    assert {r.status for r in first + rest} == {"queued", "live", "approved", "rejected"}


@pytest.mark.parametrize(
    ("status", "content", "kind", "message"),
    [
        (409, b'{"error": {"message": "not now", "code": "move"}}', GatewayRefused, "not now"),
        (401, b'{"error": {"message": "who?"}}', SignedOut, "who?"),
        (502, b"<html>bad gateway", GatewayRefused, "The server answered 502."),
        (400, b'{"error": "short"}', GatewayRefused, "short"),
        (400, b"[1]", GatewayRefused, "The server answered 400."),
    ],
)
def test_refusals_carry_the_gateways_words(status, content, kind, message):
    error = refusal(status, content)
    assert type(error) is kind
    assert error.message == message


async def test_a_gateway_that_is_away_is_said_so():
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(GatewayUnreachable):
        await acting(Gateway(URL, transport=httpx.MockTransport(away)), "u").me()


@pytest.mark.parametrize(
    ("kind", "text"), [("application/json", '{"id": '), ("text/html", "<html>sign in")], ids=["cut off", "a page"]
)
async def test_an_answer_that_is_no_json_is_none(kind, text):
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=text, headers={"content-type": kind})

    with pytest.raises(GatewayUnreachable, match="no JSON"):
        await acting(Gateway(URL, transport=httpx.MockTransport(answer)), "u").me()


async def test_a_stream_with_a_damaged_line_broke_off():
    gateway = Gateway(URL, transport=httpx.MockTransport(lambda _: httpx.Response(200, text='data: {"choi\n\n')))
    with pytest.raises(GatewayUnreachable, match="broke off"):
        [c async for c in acting(gateway, "u").stream_chat([])]


@pytest.mark.parametrize(
    ("verb", "error", "words"),
    [
        ("decide", httpx.ReadTimeout("slow"), TEXTS.may_be_done),
        ("decide", httpx.ConnectError("nobody there"), TEXTS.unreachable),
        ("me", httpx.ReadTimeout("slow"), TEXTS.unreachable),
    ],
)
async def test_what_may_have_been_done_is_not_called_lost(verb, error, words):
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    me = acting(Gateway(URL, transport=httpx.MockTransport(answer)), "u")
    with pytest.raises(GatewayUnreachable) as caught:
        await (me.decide("cor", "approve", {}) if verb == "decide" else me.me())
    assert words_for(caught.value) == words


async def test_everybody_counts_the_own_reports_and_those_who_read_all(gateway, world):
    others = len(world.reports())
    world.flag("Who wrote Ulysses?", "Homer", "James Joyce", by="reviewer")
    assert sum((await signed_in(gateway, world, "reviewer").counts(mine=True)).values()) == 1
    assert sum((await signed_in(gateway, world, "user").counts()).values()) == others
    assert sum((await signed_in(gateway, world, "auditor").counts()).values()) == others + 1
