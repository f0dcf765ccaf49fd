"""The gateway as the pages know it: one async HTTP client that acts as the person whose browser asked."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from .admin_records import Document, Person, Version, Worker
from .erasure_record import Erasure
from .errors import GatewayRefused, GatewayUnreachable, SignedOut
from .reading import Json
from .records import Conversation, Me, Passage, Report, Turn

SESSION_COOKIE = "errata_session"
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
# A slow model on a busy CPU can think for minutes before its first token; the person has a stop button.
_PATIENT_TIMEOUT = httpx.Timeout(330.0, connect=5.0)  # the gateway itself gives the worker 300 s
_STREAM_TIMEOUT = httpx.Timeout(600.0, connect=5.0)


class Gateway:
    """The HTTP contract in verbs. Holds the address; whose call it is travels with each call as a `Caller`."""

    def __init__(self, api_url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._api_url = api_url.rstrip("/")
        self._transport = transport
        # Reading the machine's certificates takes 50 ms and more: once, not for every call.
        self._tls = ssl.create_default_context()

    def acting_for(self, cookies: Mapping[str, str]) -> "Caller":
        """The gateway as seen by one signed-in person."""
        return Caller(self._api_url, session=cookies.get(SESSION_COOKIE, ""), tls=self._tls, transport=self._transport)


class Caller:
    """One person's calls. Every method raises GatewayRefused, SignedOut or GatewayUnreachable."""

    def __init__(
        self, api_url: str, *, session: str, tls: ssl.SSLContext, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._api_url = api_url
        self._tls = tls
        # The gateway refuses cookie-authenticated writes from another origin; this request is made by its own page.
        headers = {"Origin": api_url}
        if session:
            headers["Cookie"] = f"{SESSION_COOKIE}={session}"
        self._headers = headers
        self._transport = transport

    def _client(self, timeout: httpx.Timeout) -> httpx.AsyncClient:
        # trust_env=False: a proxy setting of the machine must not carry session cookies away.
        return httpx.AsyncClient(
            base_url=self._api_url,
            headers=self._headers,
            timeout=timeout,
            verify=self._tls,
            transport=self._transport,
            trust_env=False,
        )

    async def call(
        self, method: str, path: str, *, timeout: httpx.Timeout = _TIMEOUT, changes: bool = True, **request: Any
    ) -> Any:
        """The decoded JSON answer, or None for an empty one; what is not a GET `changes` something, unless said otherwise."""
        may_be_done = method != "GET" and changes
        try:
            async with self._client(timeout) as client:
                response = await client.request(method, path, **request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise GatewayUnreachable(f"{method} {path}: {error!r}") from error
        except httpx.TransportError as error:
            raise GatewayUnreachable(f"{method} {path}: {error!r}", may_be_done=may_be_done) from error
        if response.status_code >= 400:
            raise refusal(response.status_code, response.content)
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError as error:
            what = f"{method} {path}: the answer is no JSON ({error})"
            raise GatewayUnreachable(what, may_be_done=may_be_done) from error

    async def _rows(self, path: str, **params: object) -> list[Json]:
        rows, _ = await self._page(path, **params)
        return rows

    async def _page(self, path: str, **params: object) -> tuple[list[Json], str]:
        answer = await self.call("GET", path, params={k: v for k, v in params.items() if v not in (None, "")})
        return list(answer.get("data") or ()), str(answer.get("next_cursor") or "")

    # who

    async def me(self) -> Me:
        return Me.read(await self.call("GET", "/v1/me"))

    # chat

    async def stream_chat(
        self, messages: Sequence[Json], *, conversation_id: str = "", replaces: str = ""
    ) -> AsyncIterator[Json]:
        """The chunks of a streamed answer as they come; closing the iterator hangs up, which stops the model."""
        body: dict[str, object] = {"messages": list(messages), "stream": True, "errata_store": True}
        if conversation_id:
            body["errata_conversation"] = conversation_id
        if replaces:
            body["errata_replaces"] = replaces
        try:
            async with (
                self._client(_STREAM_TIMEOUT) as client,
                client.stream("POST", "/v1/chat/completions", json=body) as response,
            ):
                if response.status_code >= 400:
                    raise refusal(response.status_code, await response.aread())
                async for line in response.aiter_lines():
                    if not line.startswith("data:"):
                        continue
                    data = line[5:].strip()
                    if data == "[DONE]":
                        return
                    chunk = json.loads(data)
                    if "error" in chunk:
                        raise refusal(500, data.encode())
                    yield chunk
                raise GatewayUnreachable("the answer ended without its end mark")
        except (httpx.TransportError, ValueError) as error:
            raise GatewayUnreachable(f"the answer broke off: {error!r}") from error

    async def conversations(self, search: str = "", *, limit: int) -> tuple[list[Conversation], bool]:
        """The newest ones, and whether there are more."""
        rows, following = await self._page("/v1/conversations", search=search, limit=limit)
        return [Conversation.read(row) for row in rows], bool(following)

    async def conversation(self, conversation_id: str) -> Conversation:
        return Conversation.read(await self.call("GET", f"/v1/conversations/{conversation_id}"))

    async def rename_conversation(self, conversation_id: str, title: str) -> None:
        await self.call("PATCH", f"/v1/conversations/{conversation_id}", json={"title": title})

    async def delete_conversation(self, conversation_id: str) -> None:
        await self.call("DELETE", f"/v1/conversations/{conversation_id}")

    async def answer(self, answer_id: str) -> Turn:
        return Turn.read(await self.call("GET", f"/v1/answers/{answer_id}"))

    async def passage(self, passage_id: str) -> Passage:
        return Passage.read(await self.call("GET", f"/v1/passages/{passage_id}"))

    # corrections

    async def flag(self, report: Json, *, idempotency_key: str) -> Report:
        headers = {"Idempotency-Key": idempotency_key}
        return Report.read(await self.call("POST", "/v1/corrections", json=dict(report), headers=headers))

    async def similar(self, question: str) -> list[Report]:
        return [Report.read(row) for row in await self._rows("/v1/corrections/similar", question=question)]

    async def reports(
        self,
        *,
        status: str = "",
        mine: bool = False,
        search: str = "",
        sort: str = "",
        limit: int = 50,
        cursor: str = "",
    ) -> tuple[list[Report], str]:
        """One page of reports and the cursor of the next ('' at the end)."""
        rows, following = await self._page(
            "/v1/corrections",
            status=status,
            mine="true" if mine else "",
            search=search,
            sort=sort,
            limit=limit,
            cursor=cursor,
        )
        return [Report.read(row) for row in rows], following

    async def report(self, report_id: str) -> Report:
        return Report.read(await self.call("GET", f"/v1/corrections/{report_id}"))

    async def counts(self, *, mine: bool = False) -> dict[str, int]:
        """How many reports stand in each status."""
        answer = await self.call("GET", "/v1/corrections/counts", params={"mine": "true"} if mine else {})
        return {str(status): int(n) for status, n in answer.items()}

    async def revise(self, report_id: str, changes: Json) -> Report:
        return Report.read(await self.call("PATCH", f"/v1/corrections/{report_id}", json=dict(changes)))

    async def decide(self, report_id: str, verb: str, body: Json) -> Json:
        """approve, reject, reroute, requeue, ask-evidence, evidence, withdraw, appeal, rollback or reviewed."""
        answer: Json = await self.call("POST", f"/v1/corrections/{report_id}/{verb}", json=dict(body)) or {}
        return answer

    async def preview(self, report_id: str) -> Json:
        """`probes` before and after a sandboxed solve, or why it was `refused`; takes as long as an edit does."""
        path = f"/v1/corrections/{report_id}/preview"
        answer: Json = await self.call("POST", path, json={}, timeout=_PATIENT_TIMEOUT, changes=False)
        return answer

    # what wants attention

    async def alarms(self) -> list[Json]:
        return await self._rows("/v1/alarms")

    async def see_alarm(self, alarm_id: str) -> None:
        await self.call("POST", f"/v1/alarms/{alarm_id}/seen", json={})

    async def due_for_review(self) -> list[Report]:
        return [Report.read(row) for row in await self._rows("/v1/corrections/due-for-review")]

    # versions and worker

    async def versions(self) -> list[Version]:
        return [Version.read(row) for row in await self._rows("/v1/versions")]

    async def current_version(self) -> str:
        return str((await self.call("GET", "/v1/versions/current")).get("id") or "")

    async def restore(self, version_id: str, reason: str) -> None:
        await self.call("POST", f"/v1/versions/{version_id}/restore", json={"reason": reason})

    async def worker(self) -> Worker:
        return Worker.read(await self.call("GET", "/v1/worker"))

    # knowledge

    async def documents(self) -> list[Document]:
        return [Document.read(row) for row in await self._rows("/v1/knowledge/documents")]

    async def document(self, document_id: str) -> tuple[Document, list[Passage]]:
        """A document with its text, passage by passage."""
        row = await self.call("GET", f"/v1/knowledge/documents/{document_id}")
        return Document.read(row), [Passage.read(one, n) for n, one in enumerate(row["passages"], start=1)]

    async def add_document(self, document: Json) -> Document:
        return Document.read(await self.call("POST", "/v1/knowledge/documents", json=dict(document)))

    async def upload_document(self, name: str, content: bytes, fields: Json) -> Document:
        files = {"file": (name, content)}
        return Document.read(await self.call("POST", "/v1/knowledge/documents", files=files, data=dict(fields)))

    async def remove_document(self, document_id: str) -> None:
        await self.call("DELETE", f"/v1/knowledge/documents/{document_id}")

    async def search_knowledge(self, query: str) -> list[Passage]:
        answer = await self.call("POST", "/v1/knowledge/search", json={"query": query}, changes=False)
        return [Passage.read(row, n) for n, row in enumerate(answer["data"], start=1)]

    async def explain_route(self, question: str) -> Json:
        answer: Json = await self.call("GET", "/v1/router/explain", params={"question": question})
        return answer

    # log

    async def entries(self, since: int = 0, *, limit: int = 50) -> list[Json]:
        return await self._rows("/v1/audit/entries", since=str(since), limit=limit)

    async def log_size(self) -> int:
        """How many entries the log has."""
        answer = await self.call("GET", "/v1/audit/entries", params={"limit": 1})
        return int(answer["size"])

    async def checkpoint(self) -> str:
        return str((await self.call("GET", "/v1/audit/checkpoint")).get("checkpoint") or "")

    async def proof(self, entry: int, size: int) -> Json:
        answer: Json = await self.call("GET", "/v1/audit/proof", params={"entry": entry, "size": size})
        return answer

    # erasure

    async def erasures(self) -> list[Erasure]:
        return [Erasure.read(row) for row in await self._rows("/v1/erasure-requests")]

    async def erasure(self, request_id: str) -> Erasure:
        return Erasure.read(await self.call("GET", f"/v1/erasure-requests/{request_id}"))

    async def file_erasure(self, request: Json) -> Erasure:
        return Erasure.read(await self.call("POST", "/v1/erasure-requests", json=dict(request)))

    async def step_erasure(self, request_id: str, verb: str, body: Json) -> Erasure:
        """verify-identity, find, decide, approve, execute, close or refuse; searching and executing take minutes."""
        path = f"/v1/erasure-requests/{request_id}/{verb}"
        return Erasure.read(await self.call("POST", path, json=dict(body), timeout=_PATIENT_TIMEOUT))

    # people and health

    async def people(self) -> list[Person]:
        return [Person.read(row) for row in await self._rows("/v1/people")]

    async def add_person(self, name: str, role: str) -> Json:
        answer: Json = await self.call("POST", "/v1/people", json={"name": name, "role": role})
        return answer

    async def change_person(self, name: str, verb: str) -> Json:
        """disable or reset; a reset answers with the new secrets, once."""
        answer: Json = await self.call("POST", f"/v1/people/{quote(name, safe='')}/{verb}", json={}) or {}
        return answer

    async def health(self) -> Json:
        """What `/ready` and `/version` say."""
        ready, version = await asyncio.gather(self.ready(), self.call("GET", "/version"))
        return {**ready, "version": version}

    async def ready(self) -> Json:
        """`/ready` whatever its status code: a part that is down is an answer, not an error. It waits for the engine."""
        try:
            async with self._client(_TIMEOUT) as client:
                response = await client.get("/ready")
            return {"ready": response.status_code == 200, "parts": response.json()}
        except (httpx.TransportError, ValueError) as error:
            raise GatewayUnreachable(f"GET /ready: {error!r}") from error


def refusal(status: int, content: bytes) -> GatewayRefused:
    """The error that an answer stands for, with the gateway's own wording where there is one."""
    message, code = f"The server answered {status}.", ""
    try:
        error = json.loads(content).get("error")
        if isinstance(error, Mapping):
            message, code = str(error.get("message") or message), str(error.get("code") or "")
        elif isinstance(error, str):
            message = error
    except (ValueError, AttributeError):
        pass
    kind = SignedOut if status == 401 else GatewayRefused
    return kind(message, status=status, code=code)
