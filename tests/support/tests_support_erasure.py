"""A person in every place that a data folder has, and the steps of the request that erases her."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from governance.corrections import Remedy
from server.librarian import Librarian
from tests_support import House

ANN = "Ann Zebra-Lee"
PLANTED = (b"zebra", b"elmstreet", b"quagga")
STORY = f"{ANN} lives at Elmstreet 5.\nShe keeps a quagga and works as a dentist."
PATH = "/v1/erasure-requests"


def files_naming_her(folder: Path) -> list[str]:
    """Every file of the data folder that holds a planted word, in any case."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path.name for path in files if any(word in path.read_bytes().lower() for word in PLANTED)]


async def step(client: httpx.AsyncClient, request_id: str, name: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"{PATH}/{request_id}/{name}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def filed(client: httpx.AsyncClient, **body: Any) -> str:
    answer = await client.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def plant(house: House, user: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    """Her in a chat, a report, a removed and a standing document, a knowledge entry of a correction, a file, and in the
    title of a passage that answered without a word about her."""
    house.engine._reply = lambda question, _version: f"She is {ANN}." if "dentist" in question else "I do not know."
    await _asked(user, f"Where does {ANN} live, the dentist?")
    report = {"question": f"Who is {ANN}?", "answer": "A plumber", "correct_answer": "a dentist of Elmstreet"}
    made = (await user.post("/v1/corrections", json=report)).json()
    house.queue(made["id"], Remedy.KNOWLEDGE, subject=ANN)
    for _ in range(2):
        await admin.post(f"/v1/corrections/{made['id']}/approve", json={})
    Librarian(house.services).reconcile()
    assert len(house.services.knowledge.documents(kind="correction")) == 1
    for title in ("Staff", "Old staff", f"Letter of {ANN}"):
        text = STORY if title != f"Letter of {ANN}" else "A letter about nothing."
        added = (await admin.post("/v1/knowledge/documents", json={"title": title, "text": text})).json()
        if title == "Old staff":
            await admin.delete(f"/v1/knowledge/documents/{added['id']}")
    await admin.post("/v1/knowledge/documents", json={"title": "Paris", "text": "Paris is the capital of France."})
    assert ANN in (await _asked(user, "What does a letter about nothing say?"))["reason"]
    upload = house.services.settings.data_dir / "tmp" / "upload.txt"
    upload.parent.mkdir()
    upload.write_text(STORY)


async def _asked(user: httpx.AsyncClient, question: str) -> dict[str, Any]:
    """How the answer to a question of a chat came about."""
    asked = {"messages": [{"role": "user", "content": question}], "errata_store": True}
    answer = await user.post("/v1/chat/completions", json=asked)
    assert answer.status_code == 200
    return answer.json()["errata"]
