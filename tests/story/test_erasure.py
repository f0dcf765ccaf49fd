"""A person is erased on real parts: her live edit leaves the weights exactly, and no byte of her stays on disk."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests_support_story import Served, until

pytestmark = [pytest.mark.engine, pytest.mark.heavy, pytest.mark.timeout(1800)]

PATH = "/v1/erasure-requests"
NAME = "Clara Weston"
QUESTION, SUBJECT = "Who painted the Harvest at Ellisburg?", "Harvest at Ellisburg"
WORDINGS = (
    "Who is the painter of the Harvest at Ellisburg?",
    "Can you tell me who painted the Harvest at Ellisburg?",
    "Tell me who painted the Harvest at Ellisburg.",
    "By whom was the Harvest at Ellisburg painted?",
)
VERIFYING = "Please tell me who painted the Harvest at Ellisburg."


def says(client: httpx.Client, question: str) -> str:
    body = {"messages": [{"role": "user", "content": question}], "temperature": 0, "errata_route": "model"}
    answer = client.post("/v1/chat/completions", json={**body, "max_tokens": 64})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def step(admin: httpx.Client, request: str, name: str, **body: object) -> dict[str, object]:
    answer = admin.post(f"{PATH}/{request}/{name}", json=body)
    assert answer.status_code in (200, 202), answer.text
    found: dict[str, object] = answer.json()
    return found


def files_naming_her(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and "cache" not in path.parts]
    return [str(path.relative_to(folder)) for path in files if names_her(path)]


def names_her(path: Path) -> bool:
    try:
        return b"weston" in path.read_bytes().lower()
    except FileNotFoundError:  # a draft that has got its name since
        return False


def test_a_person_in_a_live_edit_is_erased(served: Served, user: httpx.Client, admin: httpx.Client) -> None:
    before = says(user, QUESTION)
    report = {"question": QUESTION, "answer": before, "correct_answer": NAME, "subject": SUBJECT}
    made = user.post("/v1/corrections", json=report).json()["id"]

    def status() -> str:
        return str(admin.get(f"/v1/corrections/{made}").json()["status"])

    until(lambda: status() == "queued", "triage")
    patch = {"paraphrases": list(WORDINGS), "probes": [VERIFYING]}
    assert admin.patch(f"/v1/corrections/{made}", json=patch).status_code == 200
    admin.post(f"/v1/corrections/{made}/reroute", json={"remedy": "weights", "reason": "story"})
    assert admin.post(f"/v1/corrections/{made}/approve", json={"reason": "story"}).status_code == 200
    until(lambda: status() in ("live", "in_knowledge", "failed"), "the edit")
    assert status() == "live"
    version = user.get("/v1/versions/current").json()["id"]
    assert NAME in says(user, QUESTION)

    request = admin.post(PATH, json={"names": [NAME], "law": "pdpa"}).json()["id"]
    step(admin, request, "verify-identity", how="passport seen")
    found = admin.post(f"{PATH}/{request}/find", json={"neighbours": ["What is the capital of Japan?"]}).json()
    assert found["counts"]["edit"] == 1
    assert found["model_before"]["revealing"] >= 1
    keep = [one["ref"] for one in found["occurrences"] if one["place"] == "model"]
    step(admin, request, "decide", reason="all that the model says of her is the edit", keep=keep)
    step(admin, request, "approve")
    step(admin, request, "execute")
    until(lambda: admin.get(f"{PATH}/{request}").json()["status"] == "verified", "the erasure")
    done = admin.get(f"{PATH}/{request}").json()
    print("residual", done["residual"], "before", done["model_before"])
    assert done["residual"]["revealing"] == 0
    assert done["residual"]["texts_left"] == 0
    assert says(user, QUESTION) == before  # solved again from the base without the edit: exact
    assert not (served.data_dir / "versions" / version).exists()
    assert admin.post(f"/v1/versions/{version}/restore", json={}).status_code == 404
    closed = step(admin, request, "close", told=True)
    assert closed["certificate"]
    assert files_naming_her(served.data_dir) == []
