"""A gateway with something in every corner, on a port of this machine: what browser tests and pictures start from."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from governance.accounts import Account, Role
from governance.corrections import Correction, Remedy, Status
from governance.requests import Questions, Subject
from governance.times import to_text
from governance.versions import Version
from retrieval.documents import Document
from server.app import create_app
from server.documents import store_document
from server.engines.scripted import ScriptedEngine
from server.erasing import Erasing
from server.progress import Progress, write_progress
from server.services import Services
from server.serving import ServedVersion
from server.settings import Settings
from tests_support import free_port, furnish, listening

STARTED = datetime(2026, 11, 2, 9, tzinfo=UTC)
CODE = "Use **this**:\n\n```python\nif a < b and b > c:\n    print('<b>hi</b>')\n```\n\nand $$e^{i\\pi} = -1$$"
ATTACK = "<img src=x onerror=\"window.hacked='{0}'\"><script>window.hacked='{0}'</script>"
ANSWERS = {
    "halden": "The Halden Bridge was built in 1903.",
    "cost": "One espresso costs 3.20 euros in the canteen [1].",
    "code": CODE,
    "xss": ATTACK.format("chat") + " ![p](http://evil.invalid/p)",
    "long": " ".join(f"word{n}" for n in range(2000)),
}
SUBJECTS = ("Halden Bridge", "Mona Lisa", "Eiffel Tower", "Vienna", "Middlemarch")
REPORTS = (
    ("Who painted the Mona Lisa?", "It is attributed to Artemisia Gentileschi.", "Leonardo da Vinci", Status.LIVE),
    ("When was the Eiffel Tower finished?", "It was finished in 1925.", "1889", Status.APPROVED),
    ("Which river flows through Vienna?", "The Rhine flows through Vienna.", "The Danube", Status.REJECTED),
    ("Who wrote Middlemarch?", "Jane Austen wrote Middlemarch.", "George Eliot", Status.QUEUED),
    ("What does an espresso cost today?", "An espresso costs 2 euros.", "3.20 euros", Status.QUEUED),
    ("When was the Halden Bridge built?", "The Halden Bridge was built in 1903.", "1911", Status.QUEUED),
)


def reply(question: str, version: str) -> str:
    """What the scripted model says: wrong about the Halden Bridge, unsafe when asked, long when asked."""
    return next((text for word, text in ANSWERS.items() if word in question.lower()), f"You said: {question}")


@dataclass
class World:
    """A gateway's insides, and the verbs of the loops that do not run in a test: triage, worker, publisher."""

    url: str
    app: FastAPI
    services: Services
    engine: ScriptedEngine

    def account(self, name: str) -> Account:
        return self.services.accounts.named(name)

    def password(self, name: str) -> str:
        return f"{name}-password"

    @property
    def ledger(self) -> Any:
        return self.services.records.ledger

    def reports(self) -> list[Correction]:
        """All of them, oldest first."""
        return self.ledger.list(limit=200)[0][::-1]

    def report(self, question: str) -> Correction:
        return next(c for c in self.reports() if c.claim.question == question)

    def flag(self, question: str, wrong: str, right: str, *, by: str = "user", **more: Any) -> Correction:
        return self.ledger.flag(
            self.account(by), question=question, answer=wrong, correct_answer=right, channel="test", **more
        )

    def triage(self, correction_id: str, *, wrong: int = 5, conflicts: tuple[str, ...] = ()) -> Correction:
        """What the triage loop would find a moment later."""
        claim = self.ledger.get(correction_id).claim
        changing = "today" in claim.question
        evidence = {
            "freshness": {
                "evergreen": not changing,
                "probability": 0.07 if changing else 0.93,
                "confident": True,
                "horizon": "months" if changing else "never",
            },
            "persistence": {"asked": 6, "wrong": wrong, "repeated": wrong - 1, "share": round(wrong / 6, 3)},
            "pull_back": {"asked": 1, "wrong": 0},
            "personal_data": [],
            "subject_candidates": [],
        }
        reason = (
            "the answer changes with time (within months)"
            if changing
            else f"the model keeps getting it wrong: {wrong} of 6 replies"
        )
        return self.ledger.triaged(
            correction_id,
            remedy=Remedy.KNOWLEDGE if changing else Remedy.WEIGHTS,
            reason=reason,
            evidence=evidence,
            canonical_question=claim.canonical_question,
            subject=next((name for name in SUBJECTS if name in claim.question), ""),
            conflicts=conflicts,
            volatile=changing,
        )

    def crowd(self, count: int) -> None:
        """`count` more queued reports with texts, moves, priorities and due dates of their own, written as rows: through
        the ledger they would take minutes and meet the limits."""
        store, vault = self.services.records.store, self.services.records.vault
        model = self.report("Who wrote Middlemarch?")
        row = dict(store.row("SELECT * FROM corrections WHERE id = :id", id=model.id))
        moves = store.rows("SELECT * FROM moves WHERE correction_id = :id", id=model.id)
        claim = json.loads(vault.get(row["claim_text_id"]) or "")
        crowd = []
        with store.transaction():
            for n in range(count):
                question = f"Who wrote the book number {n}?"
                texts = claim | {"question": question, "canonical_question": question, "correct_answer": f"Author {n}"}
                own = {
                    "id": f"cor_crowd{n:06}",
                    "created": to_text(datetime.now(UTC) - timedelta(minutes=n)),
                    "due": to_text(datetime.now(UTC) + timedelta(minutes=n * 7919 % 20_000)),
                    "priority": 1 + n * 31 % 17 // 8,
                    "claim_text_id": vault.put(row["reporter_id"], "claim", json.dumps(texts)),
                    "claim_key": None,
                    "idempotency_hash": None,
                }
                crowd.append(row | own)
            store.db["corrections"].insert_all(crowd)
            store.db["moves"].insert_all({**move, "correction_id": one["id"]} for one in crowd for move in moves)

    def approve(self, correction_id: str, *, by: str = "admin", reason: str = "Checked against the source.") -> None:
        self.ledger.approve(correction_id, self.account(by), reason=reason)

    def revise(self, correction_id: str, **changes: Any) -> None:
        self.ledger.revise(correction_id, self.account("reviewer"), **changes)

    def working(self, state: str, step: int = 0, of: int = 0, message: str = "") -> None:
        """What the worker would say of itself."""
        write_progress(self.services.settings.data_dir, Progress(state, step, of, message))

    def publish(
        self, version_id: str, correction_ids: tuple[str, ...], figures: dict[str, float], at: datetime
    ) -> None:
        """What worker and publisher do: a built version, its gate's report, the swap."""
        records = self.services.records
        approved = [one for one in correction_ids if records.ledger.get(one).status is Status.APPROVED]
        records.ledger.start_editing(approved)
        built = Version(version_id, "0" * 64, correction_ids, correction_ids, version_id * 2, at, figures)
        records.versions.record_built(built)
        rates = {"direct": (1, 1), "probes": (4, 4), "neighbours": (5, 6), "subject": (4, 4)}
        report = {name: {"passed": passed, "of": of, "share": passed / of} for name, (passed, of) in rates.items()}
        report |= {"passes": True, "reasons": [], "reply": "The Mona Lisa was painted by Leonardo da Vinci."}
        records.versions.desire(version_id, actor="worker")
        self.serve(version_id, live=approved, reports=dict.fromkeys(approved, report))

    def serve(self, version_id: str, **moved: Any) -> None:
        """What the publisher does once the engine carries this version."""
        records = self.services.records
        records.ledger.published(version_id=version_id, swap_pause_s=0.12, **moved)
        self.services.serving.open(ServedVersion(version_id, len(records.versions.get(version_id).corrections)))

    def add_document(self, title: str, text: str, *, uri: str = "", as_of: str = "", expires_at: str = "") -> None:
        days = [date.fromisoformat(day) if day else None for day in (as_of, expires_at)]
        store_document(self.services, "test", Document(title, text, uri=uri, as_of=days[0], expires_at=days[1]))

    @contextmanager
    def answering_previews(self) -> Iterator[None]:
        """A worker that answers every preview at once with the replies of a good edit."""
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(0.05):
                for result, correction_id in self.services.previews.waiting():
                    self.services.previews.answer(result, preview_of(self.ledger.get(correction_id)))

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        yield
        ended.set()
        worker.join()

    async def file_erasure(self) -> None:
        """A request about somebody without an account, searched and decided."""
        erasing, admin = self.app.state.erasing, self.account("admin")
        self.add_document("Staff list", "Nora Quill works in room 12, telephone 4711.", as_of="2026-09-01")
        about = Subject(("Nora Quill",), ("4711",), None)
        filed = erasing.requests.file(admin, subject=about, kind="erasure", law="gdpr", statement="Please remove me.")
        erasing.requests.verify_identity(filed.id, admin, how="A copy of her passport.")
        await erasing.find(filed.id, admin)
        erasing.requests.decide(
            filed.id, admin, questions=Questions(False, False, "reasonable"), reason="She has left the firm."
        )

    def session(self, name: str) -> str:
        """The cookie of somebody who signs in at the page."""
        form = {"username": name, "password": self.password(name)}
        return httpx.post(f"{self.url}/login", data=form).cookies["errata_session"]


def preview_of(correction: Correction) -> dict[str, Any]:
    claim = correction.claim
    old, new = claim.answer_old, f"It is {claim.correct_answer}."
    rows = [
        ("direct", claim.canonical_question, old, new),
        ("paraphrase", f"Tell me: {claim.canonical_question}", old, new),
        ("neighbour", "Who is the CEO of Microsoft?", "Satya Nadella.", "Satya Nadella."),
        ("unrelated", "What is the capital of France?", "Paris.", "Paris."),
    ]
    names = ("kind", "question", "before", "after")
    return {"probes": [dict(zip(names, row, strict=True)) | {"ok": True} for row in rows], "seconds": 0.1}


@dataclass
class Site:
    """The running app; each test gets fresh services behind it, because building the pages takes seconds."""

    url: str
    app: FastAPI
    settings: Callable[[Path], Settings]

    def furnished(self, folder: Path) -> World:
        """New services with a queue, versions and documents."""
        world = self.empty(folder)
        fill(world)
        return world

    def empty(self, folder: Path) -> World:
        """New services with five accounts: one per role, and a second user."""
        engine = ScriptedEngine(reply)
        services = furnish(self.settings(folder), engine)
        services.accounts.add("other", Role.USER, password="other-password")
        self.app.state.services, self.app.state.erasing = services, Erasing(services)
        return World(self.url, self.app, services, engine)


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """The gateway with its pages and without its loops, on a free port."""
    os.environ["GRADIO_TEMP_DIR"] = str(folder / "gradio")
    port = free_port()

    def settings(where: Path) -> Settings:
        return Settings(data_dir=where / "data", model_dir=where / "model", port=port, _env_file=None)

    services = furnish(settings(folder), ScriptedEngine(reply))
    app = create_app(services, with_loops=False)
    with listening(app, port):
        yield Site(f"http://127.0.0.1:{port}", app, settings)
    services.records.store.close()


def fill(world: World) -> None:
    """Reports in several states, four versions with figures, two documents."""
    made = {}
    for question, wrong, right, status in REPORTS:
        correction = world.flag(question, wrong, right, evidence=["https://example.org/source"])
        world.triage(correction.id, wrong=6 if "Halden" in question else 5)
        made[question] = correction.id
        if status is Status.REJECTED:
            world.ledger.reject(correction.id, world.account("reviewer"), reason="The source does not say so.")
        if status in (Status.APPROVED, Status.LIVE):
            world.approve(correction.id)
    figures = [(0.86, 0.99, 18.1, 0.11), (0.91, 0.98, 18.2, 0.14), (0.88, 0.98, 18.3, 0.12), (0.9, 0.97, 18.4, 0.12)]
    for n, (reworded, kept, perplexity, pause) in enumerate(figures):
        summary = {
            "direct": 1.0,
            "paraphrase": reworded,
            "neighbours_kept": kept,
            "perplexity": perplexity,
        }
        edits = tuple(f"cor_earlier{k}" for k in range(n + 1)) if n < 3 else (made["Who painted the Mona Lisa?"],)
        at = STARTED + timedelta(days=5 * n)
        if n < 3:
            records = world.services.records
            records.versions.record_built(Version(f"{n + 1:x}a7" * 10, "0" * 64, edits, edits, "ab" * 32, at, summary))
            records.versions.set_served(f"{n + 1:x}a7" * 10, swap_pause_s=pause)
        else:
            world.publish("4c9" * 10, edits, summary, at)
    with world.services.records.store.transaction():  # the base came before all versions
        world.services.records.store.write(
            "UPDATE versions SET created = :at WHERE id = 'base'", at=to_text(STARTED - timedelta(days=1))
        )
    world.add_document(
        "Canteen prices",
        "One espresso costs 3.20 euros in the canteen. Lunch costs 7.50 euros.",
        uri="https://example.org/canteen",
        as_of="2026-11-20",
        expires_at="2027-01-31",
    )
    world.add_document("Opening hours", "The library opens at 8 and closes at 22 on working days.", as_of="2026-10-01")


def until(true: Callable[[], Any], seconds: float = 30) -> Any:
    """What `true` says in the end, asked until it is something."""
    deadline = time.monotonic() + seconds
    while not (said := true()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return said
