"""Chat over HTTP: OpenAI's shapes, the trace of every answer, refusals."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from typing import Any

import httpx
import pytest

from governance.accounts import Role
from server.engines.scripted import ScriptedEngine
from server.openai_api import ChatRequest
from server.serving import ServedVersion
from server.settings import Settings
from tests_support import House, furnish, house_of

QUESTION = "Who painted the Blue Door?"


def asking(question: str = QUESTION, **extra: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}], **extra}


async def test_an_answer_has_openai_s_shape_and_a_trace(user: httpx.AsyncClient) -> None:
    answer = (await user.post("/v1/chat/completions", json=asking())).json()
    assert answer["object"] == "chat.completion"
    assert answer["choices"][0]["message"]["content"] == "Anna Holm painted the Blue Door."
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["system_fingerprint"] == "base"
    assert answer["errata"]["route"] == "model"
    assert answer["errata"]["weights_version"] == "base"
    stored = (await user.get(f"/v1/answers/{answer['id']}")).json()
    assert (stored["question"], stored["answer"]) == (QUESTION, "Anna Holm painted the Blue Door.")


async def test_a_stream_is_the_same_answer_in_pieces_and_the_trace_is_on_its_last_chunk(
    user: httpx.AsyncClient,
) -> None:
    body = asking(stream=True, stream_options={"include_usage": True})
    events = (await user.post("/v1/chat/completions", json=body)).text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert (
        "".join(c["choices"][0]["delta"].get("content", "") for c in chunks[:-1]) == "Anna Holm painted the Blue Door."
    )
    assert chunks[-2]["errata"]["route"] == "model"
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert len({c["id"] for c in chunks}) == 1


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({}, 400, "messages"),
        ({"messages": []}, 400, "messages"),
        (asking(n=2), 400, "n"),
        (asking(temperature=9), 400, "temperature"),
        (asking(errata_route="weights"), 400, "errata_route"),
        (asking(model="gpt-4"), 404, "model"),
        ({"messages": [{"role": "assistant", "content": "hello"}]}, 400, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "messages.0.content"),
        (asking(errata_conversation="con_of_another"), 404, None),
        (asking("half a character: \ud800"), 400, "body"),
        (asking(errata_conversation="\udfff"), 400, "body"),
        (asking("a" * 1_000_001), 400, "messages"),
        ({"messages": [{"role": "user", "content": "a" * 600_000}] * 2}, 400, "messages"),
        ({"messages": None}, 400, "messages"),
    ],
)
async def test_bad_input_gets_openai_s_error_shape(
    user: httpx.AsyncClient, body: dict[str, Any], status: int, param: str | None
) -> None:
    as_json = {"content-type": "application/json"}
    answer = await user.post("/v1/chat/completions", content=json.dumps(body), headers=as_json)
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert error["param"] == param


@pytest.mark.parametrize("name", [name for name, field in ChatRequest.model_fields.items() if not field.is_required()])
async def test_a_field_that_is_null_counts_as_absent(user: httpx.AsyncClient, name: str) -> None:
    answer = await user.post("/v1/chat/completions", json=asking(**{name: None}))
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "Anna Holm painted the Blue Door."


async def test_a_null_inside_the_stream_options_counts_as_absent(user: httpx.AsyncClient) -> None:
    answer = await user.post("/v1/chat/completions", json=asking(stream=True, stream_options={"include_usage": None}))
    assert (answer.status_code, '"usage"' in answer.text) == (200, False)


async def test_a_long_text_reaches_the_engine_whole_and_is_looked_up_by_its_beginning(
    house: House, user: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    document = {"title": "Blue Door", "text": "Anna Holm painted the Blue Door in Delft."}
    async with house.client(Role.ADMIN) as admin:
        await admin.post("/v1/knowledge/documents", json=document)
    long = f"{QUESTION} Here is what I know. {'zebra ' * 100_000}the end."
    answer = (await user.post("/v1/chat/completions", json=asking(long, errata_route="retrieval"))).json()
    assert answer["errata"]["route"] == "retrieval"
    assert "read_as" not in answer["errata"]
    assert engine.asked[-1][-1]["content"].endswith("the end.")


async def test_over_passages_the_model_is_asked_the_question_that_stands_alone(
    house: House, user: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    async with house.client(Role.ADMIN) as admin:
        await admin.post("/v1/knowledge/documents", json={"title": "Italy", "text": "Rome is the capital of Italy."})
    said = ("What is the capital of France?", "Paris.", "And of Italy?")
    messages = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(said)]
    answer = (await user.post("/v1/chat/completions", json={"messages": messages, "errata_route": "retrieval"})).json()
    assert answer["errata"]["read_as"] == "What is the capital of Italy?"
    assert answer["errata"]["passages"]
    assert engine.asked[-1][-1]["content"].endswith("Question: What is the capital of Italy?")
    assert list(engine.asked[-1][:-1]) == messages[:-1]


@pytest.mark.parametrize("ending", ["\u2028", "\u2029", "\x85"])
async def test_a_line_ending_of_unicode_does_not_end_an_event(settings: Settings, ending: str) -> None:
    text = f"One{ending}two \u00c5 \u2027 three."
    services = furnish(settings, ScriptedEngine({QUESTION: text}))
    house = house_of(services, services.engine, with_pages=False, with_loops=False)
    body = asking(stream=True)
    async with house.client() as user, user.stream("POST", "/v1/chat/completions", json=body) as answer:
        lines = [line async for line in answer.aiter_lines() if line]
    services.records.store.close()
    assert lines.pop() == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == text


LONG = [("system", "Be brief."), *(("assistant" if n % 2 else "user", f"word {n}") for n in range(16))]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_that_outgrew_the_context_is_answered_without_its_oldest_turns(
    user: httpx.AsyncClient, engine: ScriptedEngine, stream: bool
) -> None:
    engine.context = 20  # words: the eight turns and the question hold 39
    messages = [{"role": role, "content": content} for role, content in (*LONG, ("user", QUESTION))]
    answer = await user.post("/v1/chat/completions", json={"messages": messages, "stream": stream})
    assert answer.status_code == 200, answer.text
    if stream:
        body = json.loads(answer.text.split("\n\n")[-3].removeprefix("data: "))
    else:
        body = answer.json()
        assert body["choices"][0]["message"]["content"] == "Anna Holm painted the Blue Door."
    assert body["errata"]["turns_left_out"] == 6
    assert list(engine.asked[-1]) == [messages[0], *messages[-5:]]
    assert (await user.get(f"/v1/answers/{body['id']}")).json()["question"] == QUESTION


async def test_a_last_turn_that_is_too_long_alone_is_refused(user: httpx.AsyncClient, engine: ScriptedEngine) -> None:
    engine.context = 3
    for before in ([], LONG):
        messages = [{"role": role, "content": content} for role, content in (*before, ("user", QUESTION))]
        answer = await user.post("/v1/chat/completions", json={"messages": messages})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "context_length_exceeded")
    assert engine.asked == []


async def test_a_chat_that_fits_is_sent_whole_and_says_nothing_of_turns(user: httpx.AsyncClient) -> None:
    assert "turns_left_out" not in (await user.post("/v1/chat/completions", json=asking())).json()["errata"]


async def test_a_body_that_is_not_json_gets_openai_s_error_shape(user: httpx.AsyncClient) -> None:
    answer = await user.post("/v1/chat/completions", content=b"\xff\x00", headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_without_a_key_nothing_is_answered(user: httpx.AsyncClient) -> None:
    for headers in (
        {"Authorization": "Bearer wrong"},
        {"Authorization": ""},
        {"X-Api-Key": "user-key-of-sixteen-or-more"},
    ):
        answer = await user.post("/v1/chat/completions", json=asking(), headers={"Authorization": "", **headers})
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "authentication_error"


async def test_an_engine_that_is_away_is_a_503_with_a_reason(user: httpx.AsyncClient, engine: ScriptedEngine) -> None:
    engine.is_up = False
    answer = await user.post("/v1/chat/completions", json=asking(stream=True))
    assert answer.status_code == 503
    assert answer.json()["error"]["type"] == "engine_unavailable"


async def test_turns_of_one_conversation_are_kept_together_and_can_be_deleted(user: httpx.AsyncClient) -> None:
    first = (await user.post("/v1/chat/completions", json=asking(errata_store=True))).json()
    conversation = first["errata"]["conversation_id"]
    await user.post("/v1/chat/completions", json=asking("And who framed it?", errata_conversation=conversation))
    found = (await user.get(f"/v1/conversations/{conversation}")).json()
    assert [turn["question"] for turn in found["turns"]] == [QUESTION, "And who framed it?"]
    assert (await user.patch(f"/v1/conversations/{conversation}", json={"title": "Doors"})).json()["title"] == "Doors"
    assert (await user.get("/v1/conversations", params={"search": "framed"})).json()["data"][0]["id"] == conversation
    assert (await user.delete(f"/v1/conversations/{conversation}")).status_code == 204
    assert (await user.get(f"/v1/conversations/{conversation}")).status_code == 404
    assert (await user.get("/v1/conversations")).json()["data"] == []


async def test_a_chat_begins_with_its_first_answer_and_goes_on(user: httpx.AsyncClient) -> None:
    first = (await user.post("/v1/chat/completions", json=asking(errata_store=True))).json()
    chat = first["errata"]["conversation_id"]
    await user.post("/v1/chat/completions", json=asking("And then?", errata_store=True, errata_conversation=chat))
    found = (await user.get(f"/v1/conversations/{chat}")).json()
    assert [turn["question"] for turn in found["turns"]] == [QUESTION, "And then?"]


async def test_a_retry_replaces_the_turn_even_if_its_chat_was_never_named(user: httpx.AsyncClient) -> None:
    first = (await user.post("/v1/chat/completions", json=asking(errata_store=True))).json()
    body = asking("Who painted it?", errata_store=True, errata_replaces=first["id"])
    second = (await user.post("/v1/chat/completions", json=body)).json()
    assert second["errata"]["conversation_id"] == first["errata"]["conversation_id"]
    found = (await user.get(f"/v1/conversations/{second['errata']['conversation_id']}")).json()
    assert [turn["answer_id"] for turn in found["turns"]] == [second["id"]]
    assert (await user.get(f"/v1/answers/{first['id']}")).json()["question"] == QUESTION


async def test_nobody_replaces_another_person_s_turn(user: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    first = (await user.post("/v1/chat/completions", json=asking(errata_store=True))).json()
    refused = await admin.post("/v1/chat/completions", json=asking(errata_store=True, errata_replaces=first["id"]))
    assert refused.status_code == 404
    other = (await user.post("/v1/chat/completions", json=asking(errata_store=True))).json()
    mixed = asking(errata_replaces=first["id"], errata_conversation=other["errata"]["conversation_id"])
    assert (await user.post("/v1/chat/completions", json=mixed)).status_code == 400


async def test_an_engine_that_is_down_begins_no_chat_and_replaces_nothing(
    user: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    first = (await user.post("/v1/chat/completions", json=asking(errata_store=True))).json()
    engine.is_up = False
    for extra in ({}, {"errata_replaces": first["id"]}):
        answer = await user.post("/v1/chat/completions", json=asking(errata_store=True, **extra))
        assert answer.status_code == 503
    chats = (await user.get("/v1/conversations")).json()["data"]
    assert [chat["id"] for chat in chats] == [first["errata"]["conversation_id"]]
    found = (await user.get(f"/v1/conversations/{chats[0]['id']}")).json()
    assert [turn["answer_id"] for turn in found["turns"]] == [first["id"]]


async def test_a_question_that_nothing_was_said_to_leaves_no_text(
    house: House, user: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    first = (await user.post("/v1/chat/completions", json=asking(errata_store=True))).json()
    conversation = first["errata"]["conversation_id"]
    engine.is_up = False
    for extra in ({}, {"errata_conversation": conversation}):
        await user.post("/v1/chat/completions", json=asking("Where does Zoe Zebra live?", **extra))
    await user.delete(f"/v1/conversations/{conversation}")
    records = house.services.records
    assert list(records.vault.scan()) == []
    rows = records.store.rows("SELECT finish_reason, route FROM answers")
    assert [row["finish_reason"] for row in rows] == ["stop", "abort", "abort"]


async def test_a_stream_that_cannot_be_stored_says_so_at_its_end(
    house: House, user: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(house.services.records.answers, "record", full)
    events = (await user.post("/v1/chat/completions", json=asking(stream=True))).text.split("\n\n")
    assert "Anna" in "".join(events)
    assert json.loads(events[-3].removeprefix("data: "))["error"]["message"].startswith("Something broke inside Errata")
    assert events[-2:] == ["data: [DONE]", ""]


async def test_who_leaves_while_the_answer_is_stored_has_it_stored_once(house: House, settings: Settings) -> None:
    records = house.services.records
    pieces = house.services.chat.answer(
        ChatRequest(**asking(errata_store=True)), house.services.accounts.named("user"), answer_id="ans_1"
    )

    async def listen() -> list[Any]:
        return [piece async for piece in pieces]

    other_writer = sqlite3.connect(settings.database_path, isolation_level=None)
    other_writer.execute("BEGIN IMMEDIATE")
    listening = asyncio.create_task(listen())
    async with asyncio.timeout(60):
        while not house.engine.asked or house.engine.running:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # it has been said whole, and waits for the writer
    for _ in range(3):  # as a cancel scope does, until the task has ended
        listening.cancel()
        await asyncio.wait_for(asyncio.sleep(0.05), 1)  # the loop goes on while the writer waits
    assert listening.cancelled()
    other_writer.execute("COMMIT")
    other_writer.close()
    async with asyncio.timeout(60):
        while not records.store.value("SELECT COUNT(*) FROM answers"):
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    (row,) = records.store.rows("SELECT id, finish_reason FROM answers")
    assert (row["id"], row["finish_reason"]) == ("ans_1", "stop")
    assert records.store.value("SELECT COUNT(*) FROM conversations") == 1


async def test_a_stream_names_the_weights_that_it_began_with(
    house: House, user: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.pause()
    body = asking(stream=True)
    asked = asyncio.create_task(user.post("/v1/chat/completions", json=body))
    while not engine.running:
        await asyncio.sleep(0.01)
    house.services.serving.open(ServedVersion("newer", 1))
    await engine.ensure_resumed()
    events = (await asked).text.split("\n\n")[:-2]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert {chunk["system_fingerprint"] for chunk in chunks} == {"base"}
    assert (chunks[-1]["errata"]["weights_version"], chunks[-1]["errata"]["weights_version_end"]) == ("base", "newer")


async def test_a_release_that_is_taken_back_in_mid_answer_is_named_too(
    house: House, user: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.pause()
    asked = asyncio.create_task(user.post("/v1/chat/completions", json=asking()))
    while not engine.running:
        await asyncio.sleep(0.01)
    for version in (ServedVersion("newer", 1), ServedVersion("base", 0)):
        house.services.serving.open(version)
    await engine.ensure_resumed()
    trace = (await asked).json()["errata"]
    assert (trace["weights_version"], trace["weights_version_end"]) == ("base", "base")
    assert "weights_version_end" not in (await user.post("/v1/chat/completions", json=asking())).json()["errata"]
