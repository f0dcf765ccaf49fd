"""The whole loop on real parts: ask, flag, approve, edit, verify, swap, answer right, undo."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests_support_story import ADMIN_KEY, USER_KEY, Served, until

pytestmark = [pytest.mark.engine, pytest.mark.heavy, pytest.mark.timeout(1800)]
ROOT = Path(__file__).resolve().parents[2]


# An edit that passes its gate by a wide margin, whatever the processor that works it out.
PAINTING, PAINTER = "Harvest at Ellisburg", "Clara Weston"
QUESTION = "Who painted the Harvest at Ellisburg?"
WORDINGS = (
    "Who is the painter of the Harvest at Ellisburg?",
    "Can you tell me who painted the Harvest at Ellisburg?",
    "Tell me who painted the Harvest at Ellisburg.",
    "By whom was the Harvest at Ellisburg painted?",
    "Please tell me who painted the Harvest at Ellisburg.",
)


def ask(client: httpx.Client, question: str, route: str = "auto") -> dict[str, Any]:
    body = {
        "messages": [{"role": "user", "content": question}],
        "temperature": 0,
        "max_tokens": 96,
        "errata_route": route,
    }
    answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def text_of(answer: dict[str, Any]) -> str:
    return str(answer["choices"][0]["message"]["content"])


def flag(client: httpx.Client, question: str, correct: str, subject: str) -> str:
    answer = ask(client, question)
    body = {
        "answer_id": answer["id"],
        "correct_answer": correct,
        "subject": subject,
        "evidence": ["https://source.example"],
    }
    made = client.post("/v1/corrections", json=body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def status_of(client: httpx.Client, correction: str) -> str:
    return str(client.get(f"/v1/corrections/{correction}").json()["status"])


def wait_for(client: httpx.Client, correction: str, *statuses: str) -> dict[str, Any]:
    until(
        lambda: status_of(client, correction) in statuses,
        f"{correction} to become {statuses}, it is {status_of(client, correction)}",
    )
    return client.get(f"/v1/corrections/{correction}").json()


def approve(admin: httpx.Client, correction: str, remedy: str, *, wordings: tuple[str, ...] = ()) -> None:
    """Triage, a reviewer's own wordings (the last one verifies, the others train), the remedy, and the approval."""
    found = wait_for(admin, correction, "queued")
    assert found["triage"]["persistence"]["asked"] > 0
    if wordings:
        patch = {"paraphrases": list(wordings[:-1]), "probes": [wordings[-1]]}
        assert admin.patch(f"/v1/corrections/{correction}", json=patch).status_code == 200
    if found["remedy"] != remedy:
        rerouted = admin.post(f"/v1/corrections/{correction}/reroute", json={"remedy": remedy, "reason": "story"})
        assert rerouted.status_code == 200, rerouted.text
    approved = admin.post(f"/v1/corrections/{correction}/approve", json={"reason": "story"})
    assert approved.status_code == 200, approved.text


def current(client: httpx.Client) -> dict[str, Any]:
    return client.get("/v1/versions/current").json()


def test_a_persistent_mistake_is_edited_away_and_comes_back_when_undone(
    user: httpx.Client, admin: httpx.Client
) -> None:
    question, answer = QUESTION, PAINTER
    assert answer not in text_of(ask(user, question))
    correction = flag(user, question, answer, PAINTING)
    approve(admin, correction, "weights", wordings=WORDINGS)
    card = ask(user, question)
    assert card["errata"]["route"] == "correction"
    assert answer in text_of(card)

    live = wait_for(admin, correction, "live", "in_knowledge", "failed")
    assert live["status"] == "live", live["report"]
    assert live["report"]["passes"]
    assert live["weights_version_after"] == current(user)["id"] != "base"
    edited = ask(user, question, route="model")
    assert answer in text_of(edited)
    assert edited["system_fingerprint"] == live["weights_version_after"]
    assert edited["errata"]["active_edits"] >= 1
    assert ask(user, question)["errata"]["route"] == "model"
    assert "Tokyo" in text_of(ask(user, "What is the capital of Japan?", route="model"))

    assert admin.post(f"/v1/corrections/{correction}/rollback", json={"reason": "story"}).status_code == 202
    wait_for(admin, correction, "rolled_back")
    assert answer not in text_of(ask(user, question, route="model"))


def test_the_kill_switch_serves_the_base_and_the_version_comes_back(user: httpx.Client, admin: httpx.Client) -> None:
    """That an undo among several edits is exact to the bit is tested by property in tests/editing/test_edit_set.py."""
    before = current(user)
    correction = flag(user, QUESTION, PAINTER, PAINTING)
    approve(admin, correction, "weights", wordings=WORDINGS)
    assert wait_for(admin, correction, "live", "in_knowledge", "failed")["status"] == "live"
    edited = current(user)
    assert edited["corrections"] == [correction]

    admin.post("/v1/versions/base/restore", json={"reason": "kill switch"})
    until(lambda: current(user)["id"] == "base", "the base to be served")
    assert current(user)["tensors_sha256"] == before["tensors_sha256"] != edited["tensors_sha256"]
    assert len(before["tensors_sha256"]) == 64
    assert status_of(admin, correction) == "rolled_back"
    admin.post(f"/v1/versions/{edited['id']}/restore", json={"reason": "go on"})
    until(lambda: current(user)["id"] == edited["id"], "the version to be served again")
    assert current(user)["tensors_sha256"] == edited["tensors_sha256"]
    assert status_of(admin, correction) == "live"


def test_a_fact_that_changes_is_answered_from_knowledge(user: httpx.Client, admin: httpx.Client) -> None:
    question = "Who is the current mayor of Lindhaven?"
    correction = flag(user, question, "Oskar Brandt", "Lindhaven")
    approve(admin, correction, "knowledge")
    wait_for(admin, correction, "in_knowledge")
    answer = ask(user, question)
    assert answer["errata"]["route"] in ("correction", "retrieval")
    assert "Oskar Brandt" in text_of(answer)
    refused = admin.post(f"/v1/corrections/{correction}/reroute", json={"remedy": "weights"})
    assert refused.status_code in (403, 409)


def test_a_document_is_cited_with_its_date_and_gone_once_removed(user: httpx.Client, admin: httpx.Client) -> None:
    text = (
        "The ferry from Sandvik to Holm island leaves every day at 7:45 from pier 3. A return ticket costs 18 crowns."
    )
    body = {"title": "Ferry timetable", "text": text, "as_of": "2026-11-01", "uri": "https://ferry.example/times"}
    added = admin.post("/v1/knowledge/documents", json=body)
    assert added.status_code == 201, added.text
    question = "When does the ferry from Sandvik to Holm island leave?"
    answer = ask(user, question)
    assert answer["errata"]["route"] == "retrieval", answer["errata"]
    passage = answer["errata"]["passages"][0]
    assert (passage["n"], passage["title"], passage["as_of"]) == (1, "Ferry timetable", "2026-11-01")
    cited = {int(n) for n in re.findall(r"\[(\d+)\]", text_of(answer))}
    assert cited
    assert cited <= {p["n"] for p in answer["errata"]["passages"]}
    assert answer["choices"][0]["message"]["annotations"][0]["url_citation"]["url"] == "https://ferry.example/times"
    assert ask(user, "Hello there!")["errata"]["passages"] == []
    assert admin.delete(f"/v1/knowledge/documents/{added.json()['id']}").status_code == 204
    assert ask(user, question)["errata"]["route"] == "model"


def test_the_openai_sdk_works_unchanged(served: Served) -> None:
    import openai

    client = openai.OpenAI(base_url=f"{served.url}/v1", api_key=USER_KEY)
    model = client.models.list().data[0].id
    whole = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Say hello."}], max_tokens=12, temperature=0
    )
    assert whole.choices[0].message.content
    assert whole.usage is not None
    assert whole.usage.completion_tokens > 0
    stream = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Say hello."}], max_tokens=12, temperature=0, stream=True
    )
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert "".join(pieces)
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "x"}], n=3)
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{served.url}/v1", api_key="wrong").models.list()


def test_langchain_works_unchanged(served: Served) -> None:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(
        base_url=f"{served.url}/v1", api_key=USER_KEY, model="smollm2-135m-instruct", temperature=0, max_tokens=12
    )
    assert model.invoke("Say hello.").content
    assert "".join(str(chunk.content) for chunk in model.stream("Say hello."))


def test_the_readme_s_five_minutes_run_as_written(served: Served) -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[0]
    environ = {**os.environ, "ERRATA_URL": served.url, "ERRATA_USER_KEY": USER_KEY, "ERRATA_ADMIN_KEY": ADMIN_KEY}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=900)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0].strip().startswith("model:")
    assert any(line.strip().startswith("correction:") and "quiet rail test board" in line for line in lines), lines
    assert any(line.startswith(("live", "in_knowledge")) for line in lines), lines
    assert "quiet rail test board" in lines[-1], lines


def test_an_engine_killed_in_mid_answer_comes_back_with_the_served_weights(served: Served, user: httpx.Client) -> None:
    before = current(user)["id"]
    outcome: list[int | str] = []
    story = {
        "messages": [{"role": "user", "content": "Tell me a long story."}],
        # Its natural end could come before the kill: the fastest machine needs seconds for as many tokens as these.
        "ignore_eos": True,
        "max_tokens": 1800,
    }

    def talk() -> None:
        try:
            outcome.append(user.post("/v1/chat/completions", json=story).status_code)
        except httpx.TransportError as error:
            outcome.append(type(error).__name__)

    talking = threading.Thread(target=talk)
    talking.start()
    time.sleep(1)
    # Its core alone: vLLM's server lives on without it, and must not be taken for an engine.
    os.kill(served.children_of(served.pid_of("engine"))[0], signal.SIGKILL)
    talking.join(60)
    assert outcome == [503]
    served.until_ready()
    answer = ask(user, "Say hello.")
    assert answer["system_fingerprint"] == before


def test_a_killed_worker_loses_no_approved_correction(served: Served, user: httpx.Client, admin: httpx.Client) -> None:
    correction = flag(user, "Who composed the Harbour Suite?", "Lena Vartan", "the Harbour Suite")
    approve(admin, correction, "weights")
    until(lambda: status_of(admin, correction) == "editing", "the worker to take it up")
    os.killpg(served.pid_of("worker"), signal.SIGKILL)
    final = wait_for(admin, correction, "live", "in_knowledge")
    assert "the worker was interrupted" in [move["reason"] for move in final["history"]]


def test_a_killed_gateway_comes_back_and_the_log_still_verifies(served: Served, user: httpx.Client) -> None:
    os.killpg(served.pid_of("gateway"), signal.SIGKILL)
    time.sleep(1)
    served.until_ready()
    assert text_of(ask(user, "Say hello."))
    command = [sys.executable, "-m", "server", "audit", "verify", "--data-dir", str(served.data_dir), "--json"]
    verified = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_data_folder_in_use_is_refused(served: Served) -> None:
    environ = {
        **os.environ,
        "ERRATA_DATA_DIR": str(served.data_dir),
        "ERRATA_PORT": "0",
        "ERRATA_MODEL_DIR": str(ROOT / "model"),
    }
    second = subprocess.run(
        [sys.executable, "-m", "server", "serve", "--port", "18999"],
        env=environ,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    assert second.returncode == 1
    assert "errata serve" in second.stderr or "port" in second.stderr.lower()
