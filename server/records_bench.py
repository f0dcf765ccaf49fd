"""What keeping records costs: the share of a chat request, bytes per correction, and the seconds of an erasure at a size."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from governance.accounts import Account, Role
from governance.answers import Answer
from governance.corrections import Remedy
from governance.ledger import Ledger
from governance.policy import Policy
from governance.requests import Subject
from governance.times import now
from retrieval.documents import Document
from retrieval.embedder import HashEmbedder
from retrieval.freshness import Freshness, Horizon
from retrieval.store import batches
from server.chat import Chat
from server.engines.scripted import ScriptedEngine
from server.erasing import Erasing
from server.openai_api import ChatRequest
from server.services import Services, bootstrap
from server.serving import ServedVersion
from server.settings import Settings

NAME = "Ann Zebra-Lee"
PAIRS = 200
TOKENS = 64
TOKEN_S = 0.02
PER_DOCUMENT = 50
WORDS = "door blue painter gallery river archive council bridge market school garden winter letter copper harbour"

Say = Callable[[str], None]


class _Evergreen:
    def predict(self, questions: Any) -> list[Freshness]:
        return [Freshness(True, 0.95, Horizon.NEVER, "Never", confident=True) for _ in questions]


class _Unrecorded(Chat):
    """The same chat, with nothing kept."""

    def __init__(self, chat: Chat) -> None:
        vars(self).update(vars(chat))

    def _store(self, request: Any, account: Any, answer_id: str, *_: Any) -> Answer:
        return Answer(answer_id, account.id, None, None, None, "model", "", "base", None, 0, 0, (), now(), "stop")


@contextmanager
def _house(engine: ScriptedEngine) -> Iterator[Services]:
    """Services over stand-ins in a folder of their own; limits so high that nothing is refused."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        settings = Settings(data_dir=place / "data", model_dir=place / "model", _env_file=None)
        services = bootstrap(settings, engine, model_name="m", embedder=HashEmbedder(64), freshness=_Evergreen())
        records = services.records
        policy = Policy.load()
        limits = replace(policy.limits, reports_per_person_hour=10**9, reports_per_subject_day=10**9)
        ledger = Ledger(records.store, records.vault, records.log, replace(policy, limits=limits))
        services = replace(services, records=replace(records, ledger=ledger))
        records.versions.ensure_base("0" * 64)
        records.versions.set_served("base")
        services.serving.open(ServedVersion("base", 0))
        yield services
        records.store.close()


def run_records_bench(*, corrections: int, passages: int, say: Say) -> dict[str, Any]:
    """All three, in one run."""
    return {**asyncio.run(chat_overhead(say)), **asyncio.run(erasure_at(corrections, passages, say))}


async def chat_overhead(say: Say) -> dict[str, Any]:
    """Chat requests with and without a record, in pairs and in turn: against an engine that answers at once, and against
    one of 50 tokens a second."""
    found: dict[str, Any] = {"pairs": PAIRS}
    for kind, token_s, pairs in (("instant", 0.0, PAIRS), ("paced", TOKEN_S, PAIRS // 10)):
        say(f"chat requests against an engine that is {kind}")
        with _house(ScriptedEngine(lambda *_: "word " * TOKENS, token_s=token_s)) as services:
            person = services.accounts.add("user", Role.USER).account
            chats = {True: services.chat, False: _Unrecorded(services.chat)}
            times: dict[bool, list[float]] = {True: [], False: []}
            for n in range(pairs + 2):
                for kept in (True, False) if n % 2 else (False, True):
                    taken = await _one(chats[kept], person, f"Who painted door number {n}?")
                    if n >= 2:
                        times[kept].append(taken)
            ratios = [a / b for a, b in zip(times[True], times[False], strict=True)]
            added = [a - b for a, b in zip(times[True], times[False], strict=True)]
            found[f"ratio_{kind}"] = statistics.median(ratios)
            found[f"added_ms_{kind}"] = 1e3 * statistics.median(added)
            found[f"request_ms_{kind}"] = 1e3 * statistics.median(times[False])
    return found


async def _one(chat: Chat, person: Account, question: str) -> float:
    request = ChatRequest.model_validate({"messages": [{"role": "user", "content": question}]})
    started = time.perf_counter()
    async for _ in chat.answer(request, person, answer_id=f"ans_{time.perf_counter_ns()}"):
        pass
    return time.perf_counter() - started


async def erasure_at(corrections: int, passages: int, say: Say) -> dict[str, Any]:
    """Erase one person, named in 20 corrections, 10 documents and 5 chats, among so many of everything."""
    with _house(ScriptedEngine(lambda *_: "I do not know.")) as services:
        people = [services.accounts.add(f"person{n}", Role.USER).account for n in range(20)]
        admin = services.accounts.add("admin", Role.ADMIN).account
        size = _size(services)
        _fill_corrections(services, people, admin, corrections, say)
        bytes_each = (_size(services) - size) / corrections
        log_bytes = services.records.store.value("SELECT SUM(LENGTH(entry)) FROM audit_entries") / corrections
        _fill_documents(services, passages, say)
        for n in range(5):
            await _one(services.chat, people[n], f"Where does {NAME} live? And her neighbour {n}?")
        erasing = Erasing(services)
        timed: dict[str, float] = {}
        filed = erasing.requests.file(admin, subject=Subject((NAME,)))
        erasing.requests.verify_identity(filed.id, admin, how="bench")
        for step in ("find", "execute"):
            say(f"erasure: {step}")
            started = time.perf_counter()
            if step == "find":
                found = await erasing.find(filed.id, admin)
                await erasing.approve(filed.id, admin, reason="bench")
            else:
                found = await erasing.execute(filed.id, admin, patience_s=3_600)
            timed[f"{step}_s"] = time.perf_counter() - started
        return {
            "corrections": corrections,
            "passages": passages,
            "bytes_per_correction": bytes_each,
            "log_bytes_per_correction": log_bytes,
            "erasure_find_s": timed["find_s"],
            "erasure_execute_s": timed["execute_s"],
            "texts_left": found.residual["texts_left"],
            "database_mb": _size(services) / 1e6,
        }


def _fill_corrections(services: Services, people: list[Account], admin: Account, count: int, say: Say) -> None:
    """Reported, triaged and approved, every one of them; each 500th names the person."""
    records = services.records
    named = max(1, count // 20)
    for start in range(0, count, 500):
        say(f"corrections: {start} of {count}")
        with records.store.transaction():
            for n in range(start, min(start + 500, count)):
                subject = NAME if n % named == 0 else f"door number {n}"
                flagged = records.ledger.flag(
                    people[n % len(people)],
                    question=f"Who painted the {subject} of the old gallery?",
                    answer=f"Anna Holm painted the {subject} in the year {1500 + n % 400}, as far as is known.",
                    correct_answer=f"Piet Aldering the {n}th",
                    evidence=[f"https://museum.example/{n}"],
                    comment="It says so on the frame.",
                )
                records.ledger.triaged(
                    flagged.id,
                    remedy=Remedy.KNOWLEDGE,
                    reason="the model is not wrong persistently (2 of 6 replies): a note is enough",
                    evidence={"persistence": {"asked": 6, "wrong": 2, "repeated": 1, "share": 0.333}},
                    subject=subject,
                )
                records.ledger.approve(flagged.id, admin)


def _fill_documents(services: Services, passages: int, say: Say) -> None:
    """Documents of fifty passages of about 120 words; the first ten name the person."""
    chosen = np.random.default_rng(0)
    words = np.array(WORDS.split())
    count = passages // PER_DOCUMENT
    documents = []
    for n in range(count):
        paragraphs = [" ".join(chosen.choice(words, 120)) + f" {n} {m}." for m in range(PER_DOCUMENT)]
        if n < 10:
            paragraphs[n] += f" {NAME} signed it."
        text = "\n\n".join(f"# Part {m}\n\n{paragraph}" for m, paragraph in enumerate(paragraphs))
        documents.append(Document(f"Archive {n}", text))
    for start in range(0, count, 100):
        say(f"documents: {start} of {count}")
        prepared = list(batches(services.knowledge, documents[start : start + 100]))
        with services.records.store.transaction():
            for document in prepared:
                services.knowledge.add(document)


def _size(services: Services) -> int:
    services.records.store.truncate_wal()
    return services.settings.database_path.stat().st_size
