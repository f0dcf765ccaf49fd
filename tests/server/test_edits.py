"""The edits of a release: an artefact belongs to the words it was made of, an unfit fact spoils none beside it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from governance.corrections import Status
from governance.versions import BASE
from server.worker import Worker
from tests_support import House
from tests_support_release import PAINTER, approved, queued, save_tiny, worker_of

PLACE = ("Where does the Blue Door hang?", PAINTER[1], "Ostravia")
OWNER = ("Who owns the Blue Door?", PAINTER[1], "Greta Holt")


@pytest.fixture
def worker(house: House, tmp_path: Path) -> Worker:
    base = save_tiny(tmp_path / "model")
    needs = {question: 0.25 for question, _, _ in (PAINTER, PLACE, OWNER)}
    return worker_of(house.services.settings, house.services.records, base, needs)


@pytest.fixture
def computed(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The answers that the editor works out, one group after the other."""
    found: list[tuple[str, ...]] = []
    artefact = worker._editor.artefact

    def compute(facts, statements=None):
        found.append(tuple(fact.target_new for fact in facts))
        return artefact(facts, statements)

    monkeypatch.setattr(worker._editor, "artefact", compute)
    return found


def test_what_a_kill_left_of_an_artefact_goes_at_the_next_start(house: House, worker: Worker) -> None:
    """It holds a report's wordings as tokens, and no record names it: an erasure would not find it."""
    folder = house.services.settings.artefacts_dir
    folder.mkdir(parents=True, exist_ok=True)
    for name in (
        "a.safetensors",
        "a.json",
        "b.safetensors",
        "c.safetensors.unfinished",
        "d.json.unfinished",
        "e.request",
    ):
        (folder / name).write_text("")
    worker.resume()
    assert {path.name for path in folder.iterdir()} == {"a.safetensors", "a.json", "e.request"}


@pytest.mark.parametrize("new_answer", [None, "Greta Holt"], ids=["the same words", "another answer"])
@pytest.mark.parametrize("failed", [False, True], ids=["approved", "failed"])
def test_what_is_approved_anew_has_the_edit_of_its_words(
    house: House, worker: Worker, computed: list[tuple[str, ...]], failed: bool, new_answer: str | None
) -> None:
    records, admin = house.services.records, house.services.accounts.named("admin")
    ledger = records.ledger
    waiting = queued(records, *PAINTER)
    ledger.approve(waiting.id, admin, fallback="none")
    worker.release(worker.plan())
    before = ledger.get(waiting.id).artefact
    ledger.probe_failed(waiting.id, {})
    if failed:
        ledger.start_editing([waiting.id])
        ledger.probe_failed(waiting.id, {})
    records.versions.desire(BASE, actor="publisher")
    assert ledger.get(waiting.id).status is (Status.FAILED if failed else Status.APPROVED)
    requeued = ledger.requeue(waiting.id, admin)
    assert (requeued.artefact, requeued.edit) == (None, {})
    if new_answer:
        ledger.revise(waiting.id, admin, correct_answer=new_answer)
    ledger.approve(waiting.id, admin)
    worker.release(worker.plan())
    assert computed == [(PAINTER[2],), *([(new_answer,)] if new_answer else [])]
    assert (ledger.get(waiting.id).artefact == before) is (new_answer is None)


def test_an_unfit_fact_is_refused_with_its_own_reason_and_the_others_of_its_subject_go_on(
    house: House, worker: Worker
) -> None:
    records = house.services.records
    live = approved(records, *PLACE)
    worker.release(worker.plan())
    records.ledger.published(version_id=records.versions.desired().id, live=[live.id])
    fit = approved(records, *PAINTER)
    long = approved(records, *OWNER[:2], "word " * 60)
    worker.release(worker.plan())
    assert records.ledger.get(fit.id).status is Status.EDITING
    assert set(records.versions.desired().corrections) == {live.id, fit.id}
    aside = records.ledger.get(long.id)
    assert aside.status is Status.IN_KNOWLEDGE
    assert long.id in aside.report["refused"]
    assert "longer than" in aside.report["refused"]


def test_of_a_subject_whose_new_facts_are_all_unfit_the_live_edit_stays(house: House, worker: Worker) -> None:
    records = house.services.records
    live = approved(records, *PLACE)
    worker.release(worker.plan())
    records.ledger.published(version_id=records.versions.desired().id, live=[live.id])
    before = records.ledger.get(live.id).artefact
    long = approved(records, *OWNER[:2], "word " * 60)
    worker.release(worker.plan())
    assert records.versions.desired().corrections == (live.id,)
    assert records.ledger.get(live.id).artefact == before
    assert records.ledger.get(long.id).status is Status.IN_KNOWLEDGE


@pytest.mark.parametrize(("pause_s", "count"), [(1.0, 3), (11.0, 2)], ids=["a burst", "longer than is waited"])
def test_approvals_that_follow_each_other_closely_are_one_release(
    house: House, worker: Worker, monkeypatch: pytest.MonkeyPatch, pause_s: float, count: int
) -> None:
    records, clock, coming = house.services.records, [0.0], [OWNER, PLACE]
    made = [approved(records, *PAINTER).id]

    def sleep(_seconds: float) -> None:
        clock[0] += pause_s
        if coming:
            made.append(approved(records, *coming.pop()).id)

    monkeypatch.setattr("server.worker.time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    monkeypatch.setattr(worker, "_materialise", lambda _version_id: None)
    monkeypatch.setattr(worker._files, "has_tensors", lambda _version_id: True)
    worker.round()
    assert set(records.versions.desired().corrections) == set(made)
    assert len(made) == count
