"""Lists over HTTP: how much a page holds, and how one goes on behind it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from governance.merkle import leaf_hash
from tests_support import House


def write(house: House, count: int) -> int:
    """`count` more entries; the size of the log after them."""
    records = house.services.records
    with records.store.transaction():
        for n in range(count):
            records.log.append("test", {"number": n})
    return records.log.size()


async def test_every_entry_comes_with_the_text_that_was_hashed(house: House, admin: httpx.AsyncClient) -> None:
    write(house, 3)
    page = (await admin.get("/v1/audit/entries")).json()
    stored = [(entry.n, entry.text) for entry in house.services.records.log.entries()]
    assert [(row["n"], row["text"]) for row in page["data"]] == stored
    assert [leaf_hash(row["text"].encode()).hex() for row in page["data"]] == [row["leaf_hash"] for row in page["data"]]
    assert page["data"][-1]["entry"]["number"] == 2


async def test_a_log_is_read_page_by_page_until_no_next_one_is_named(house: House, admin: httpx.AsyncClient) -> None:
    size = write(house, 5)
    since: Any = ""  # as a form sends what was left empty
    read: list[int] = []
    while since is not None:
        page = (await admin.get("/v1/audit/entries", params={"since": since, "limit": 3})).json()
        read += [row["n"] for row in page["data"]]
        since = page["next_since"]
    assert read == list(range(1, size + 1))
    behind = (await admin.get("/v1/audit/entries", params={"since": size})).json()
    assert (behind["data"], behind["next_since"], behind["size"]) == ([], None, size)


async def test_a_page_of_the_log_holds_a_thousand_entries_and_no_more(house: House, admin: httpx.AsyncClient) -> None:
    write(house, 1_010)
    for params in ({}, {"limit": 1_001}, {"limit": 10**9}, {"limit": ""}):
        page = (await admin.get("/v1/audit/entries", params=params)).json()
        assert (len(page["data"]), page["next_since"]) == (1_000, 1_000)


@pytest.mark.parametrize("params", [{"since": -1}, {"since": "x"}, {"since": 2**63}, {"limit": 0}, {"limit": "x"}])
async def test_a_page_of_the_log_that_cannot_be_is_refused_by_name(
    admin: httpx.AsyncClient, params: dict[str, Any]
) -> None:
    refused = await admin.get("/v1/audit/entries", params=params)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, *params)


@pytest.mark.parametrize("path", ["/v1/corrections", "/v1/conversations"])
@pytest.mark.parametrize(("limit", "taken"), [(None, 50), (1, 1), (200, 200), (201, 200), (10**9, 200)])
async def test_a_limit_above_the_highest_counts_as_the_highest(
    house: House, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str, limit: int | None, taken: int
) -> None:
    records, asked = house.services.records, []

    def page(*_: Any, limit: int, **__: Any) -> tuple[list[Any], None]:
        asked.append(limit)
        return [], None

    monkeypatch.setattr(type(records.ledger), "list", page)
    monkeypatch.setattr(type(records.answers), "conversations", page)
    answer = await admin.get(path, params={} if limit is None else {"limit": limit})
    assert (answer.status_code, asked) == (200, [taken])
    assert (await admin.get(path, params={"limit": 0})).status_code == 400
