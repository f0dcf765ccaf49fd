"""Documents over HTTP: how days and moments are read, and what a search takes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from retrieval.documents import Document
from tests_support import House

PATH = "/v1/knowledge/documents"
DOOR = "The Blue Door hangs in Delft."
PAST = "2026-01-05T10:30:00+00:00"


async def added(admin: httpx.AsyncClient, way: str, **fields: Any) -> httpx.Response:
    """A document sent as text, as an address or as a file in a form."""
    if way == "form":
        return await admin.post(PATH, data=fields, files={"file": ("door.txt", DOOR.encode())})
    source = {"text": DOOR} if way == "text" else {"uri": "https://door.example/"}
    return await admin.post(PATH, json={**source, **fields})


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A web of one page."""

    def fetch(uri: str, *, title: str, **more: Any) -> Document:
        return Document(title or "Door", DOOR, uri=uri, **more)

    monkeypatch.setattr("server.routes.knowledge.fetch_document", fetch)


@pytest.mark.usefixtures("fetched")
@pytest.mark.parametrize("way", ["text", "address", "form"])
@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-01-05", "2026-01-05"),
        ("2026-01-05T10:30:00Z", PAST),
        ("2026-01-05T10:30", PAST),  # no zone: UTC
        ("2026-01-05 12:30:00+02:00", PAST),
        ("2026-01-05T00:00:00", "2026-01-05T00:00:00+00:00"),  # midnight is a moment, not the whole day
        ("", None),
    ],
)
async def test_a_document_expires_on_a_day_or_at_a_moment(
    admin: httpx.AsyncClient, way: str, given: str, shown: str | None
) -> None:
    answer = await added(admin, way, expires_at=given, as_of=given, language="fr")
    assert answer.status_code == 201, answer.text
    assert answer.json()["language"] == "fr"
    day = None if shown is None else "2026-01-05"
    assert (answer.json()["expires_at"], answer.json()["as_of"]) == (shown, day)
    listed = (await admin.get(PATH)).json()["data"]
    assert (listed[0]["expires_at"], listed[0]["as_of"]) == (shown, day)


async def test_a_moment_that_has_passed_has_expired_and_one_to_come_has_not(
    house: House, admin: httpx.AsyncClient
) -> None:
    for title, moment in (("Old", "2026-01-05T10:30:00"), ("New", "2999-01-05T10:30:00")):
        await admin.post(PATH, json={"title": title, "text": f"{title}: {DOOR}", "expires_at": moment})
    found = (await admin.post("/v1/knowledge/search", json={"query": "Where does the Blue Door hang?"})).json()
    assert found["passages"] == found["data"]
    assert {one["title"]: one["expired"] for one in found["data"]} == {"Old": True, "New": False}
    assert {one.title: one.expires_at for one in house.services.knowledge.documents()} == {
        "Old": datetime(2026, 1, 5, 10, 30, tzinfo=UTC),
        "New": datetime(2999, 1, 5, 10, 30, tzinfo=UTC),
    }


async def test_the_day_of_a_moment_is_the_day_where_it_was_written(house: House, admin: httpx.AsyncClient) -> None:
    await added(admin, "text", as_of="2026-01-05T23:30:00-05:00")
    (stored,) = house.services.knowledge.documents()
    assert stored.as_of == date(2026, 1, 5)


@pytest.mark.parametrize("field", ["as_of", "expires_at"])
@pytest.mark.parametrize("given", ["tomorrow", "2026-13-01", "2026-01-05T25:00", "0001-01-01T00:00+14:00", [], True])
async def test_what_is_neither_day_nor_moment_is_refused_by_field(
    admin: httpx.AsyncClient, field: str, given: Any
) -> None:
    answer = await added(admin, "text", **{field: given})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)


@pytest.mark.parametrize("way", ["text", "form"])
@pytest.mark.parametrize(
    ("days", "param"),
    [
        ({"as_of": "2026-01-05", "expires_at": "2020-01-01"}, "expires_at"),
        ({"as_of": "2026-01-05", "expires_at": "2026-01-04T23:00"}, "expires_at"),
    ],
)
async def test_days_that_cannot_be_are_refused_by_field(
    admin: httpx.AsyncClient, way: str, days: dict[str, str], param: str
) -> None:
    answer = await added(admin, way, **days)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text
    assert (await admin.get(PATH)).json()["data"] == []


@pytest.mark.parametrize(("k", "status"), [(1, 200), (50, 200), (51, 200), (10_000, 200), (0, 400), (-1, 400)])
async def test_a_search_for_too_many_passages_gives_as_many_as_there_may_be(
    house: House, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, k: int, status: int
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(type(house.services.retriever), "search", lambda _self, _query, k=5, **_: asked.append(k) or [])
    answer = await admin.post("/v1/knowledge/search", json={"query": "door", "k": k})
    assert answer.status_code == status
    assert asked == ([min(k, 50)] if status == 200 else [])
