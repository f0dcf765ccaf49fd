"""Working ahead: what waits for review is computed while nothing else is to do, and found by the release."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from governance.corrections import Remedy, Status
from server.ahead import IN_HAND, Ahead, group_of
from server.worker import Worker
from tests_support import House
from tests_support_release import FOUNDER, PAINTER, Judge, approved, queued, save_tiny, work, worker_of


@pytest.fixture
def worker(house: House, tmp_path: Path) -> Worker:
    base = save_tiny(tmp_path / "model")
    made = worker_of(house.services.settings, house.services.records, base, {PAINTER[0]: 0.25})
    while made.turn() == 0.0:  # writes the base
        pass
    return made


@pytest.fixture
def computed(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The facts that the editor computes from now on."""
    found: list[str] = []
    artefact = worker._editor.artefact

    def compute(facts, statements=None):
        found.extend(fact.id for fact in facts)
        return artefact(facts, statements)

    monkeypatch.setattr(worker._editor, "artefact", compute)
    return found


def test_a_report_is_worked_out_while_it_waits_and_its_release_computes_nothing(
    house: House, worker: Worker, computed: list[str]
) -> None:
    records = house.services.records
    waiting = queued(records, *PAINTER)
    assert worker.turn() == 0.0
    assert computed == [waiting.id]
    assert records.ledger.get(waiting.id) == waiting  # nothing is decided by it
    records.ledger.approve(waiting.id, records.accounts.named("admin"))
    worker.turn()
    assert records.ledger.get(waiting.id).status is Status.EDITING
    assert computed == [waiting.id]


def test_each_report_is_worked_out_once_and_approved_ones_come_first(
    house: House, worker: Worker, computed: list[str]
) -> None:
    records = house.services.records
    waiting = queued(records, *FOUNDER)
    urgent = approved(records, *PAINTER)
    for _ in range(2):
        worker.turn()
    assert computed == [urgent.id]  # the publisher is awaited before anything is worked out ahead
    versions = records.versions
    records.ledger.published(version_id=versions.serving().desired, live=[urgent.id])
    while worker.turn() == 0.0:
        pass
    assert computed == [urgent.id, waiting.id]


def test_what_goes_to_knowledge_and_what_no_edit_can_hold_is_left(
    house: House, worker: Worker, computed: list[str]
) -> None:
    ledger = house.services.records.ledger
    other = queued(house.services.records, *FOUNDER)
    ledger.reroute(
        other.id, house.services.records.accounts.named("admin"), remedy=Remedy.KNOWLEDGE, reason="it changes"
    )
    queued(house.services.records, "What is it?", "", "a thing")
    while worker.turn() == 0.0:
        pass
    assert other.id not in computed


@pytest.mark.parametrize(
    ("question", "subject"), [("Who painted the Red Zebra?", "the Ochre Zebra"), ("Name three Zebra dentists", "Zebra")]
)
def test_why_nothing_was_worked_out_is_logged_without_what_people_wrote(
    house: House, worker: Worker, caplog: pytest.LogCaptureFixture, question: str, subject: str
) -> None:
    waiting = queued(house.services.records, question, subject, "Zoe Zebra of Zebra Street")
    with caplog.at_level("INFO"):
        while worker.turn() == 0.0:
            pass
    assert waiting.id in caplog.text
    assert "Zebra" not in caplog.text


def test_what_is_erased_while_it_is_worked_out_leaves_no_file(
    house: House, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, ahead = house.services.records, worker._ahead
    waiting = queued(records, *PAINTER)
    erased = records.ledger.get(waiting.id)
    object.__setattr__(erased, "erased", True)
    monkeypatch.setattr(records.ledger, "get", lambda _id: erased)
    assert ahead.step(())
    assert not list(house.services.settings.artefacts_dir.glob("*"))


def test_it_can_be_switched_off(house: House, worker: Worker, computed: list[str]) -> None:
    worker._settings.worker.ahead = False
    queued(house.services.records, *PAINTER)
    while worker.turn() == 0.0:
        pass
    assert computed == []


def test_a_report_that_took_the_worker_down_twice_is_left_to_its_release(
    house: House, worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    records, tried = house.services.records, []
    harmful, harmless = queued(records, *PAINTER), queued(records, *FOUNDER)

    class Died(BaseException):
        """As a process that is killed: nothing of it runs on."""

    def die(facts, statements=None):
        tried.extend(fact.id for fact in facts)
        raise Died

    def next_worker() -> Worker:
        made = worker_of(house.services.settings, records, worker._model_dir, {})
        monkeypatch.setattr(made._editor, "artefact", die)
        return made

    for _ in range(4):
        with pytest.raises(Died):
            work(next_worker())
    work(next_worker())
    assert sorted(tried) == sorted(2 * [harmful.id, harmless.id])
    assert harmful.id in caplog.text


def test_a_worker_that_is_told_to_end_holds_it_against_no_report(house: House, worker: Worker, monkeypatch) -> None:
    waiting, settings = queued(house.services.records, *PAINTER), house.services.settings

    def told_to_end(*_args):
        worker._ahead.leave()
        raise SystemExit

    monkeypatch.setattr(worker._editor, "artefact", told_to_end)
    with pytest.raises(SystemExit):
        work(worker)
    again = worker_of(settings, house.services.records, worker._model_dir, {})
    while again.turn() == 0.0:
        pass
    assert list(settings.artefacts_dir.glob("*.safetensors")), waiting.id


def test_memory_that_does_not_suffice_ends_no_worker(
    house: House, worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = queued(house.services.records, *PAINTER)

    def full(facts, statements=None):
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(worker._editor, "artefact", full)
    while worker.turn() == 0.0:
        pass
    assert f"for {waiting.id} failed" in caplog.text
    assert "CUDA out of memory" in caplog.text


@pytest.fixture
def tried() -> list[tuple[str, ...]]:
    """The groups that a stand-in for the editor was given."""
    return []


@pytest.fixture
def next_ahead(
    house: House, tried: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str | None], Ahead]:
    """Another worker's part that works ahead; one report, if it is named, takes it down."""
    records, settings = house.services.records, house.services.settings
    editor = SimpleNamespace(config=SimpleNamespace(protect_weights=(0.25,)))

    def made(fatal: str | None = None) -> Ahead:
        ahead = Ahead(settings, records, editor, Judge({}), say=lambda _ids: None)  # type: ignore[arg-type]
        assert ahead.step(())  # what every verdict needs

        def work_out(groups, new):
            tried.extend(tuple(one.id for one in found.corrections) for found in groups)
            if fatal in new:
                raise KeyboardInterrupt

        monkeypatch.setattr(ahead._edits, "of", work_out)
        return ahead

    return made


def test_two_deaths_are_held_against_a_report_whatever_is_worked_out_after_them(
    house: House, tried: list[tuple[str, ...]], next_ahead: Callable[[str | None], Ahead]
) -> None:
    records = house.services.records
    harmful, harmless = queued(records, *PAINTER), queued(records, *FOUNDER)
    for _ in range(5):
        with suppress(KeyboardInterrupt):
            ahead = next_ahead(harmful.id)
            while ahead.step(()):
                pass
    assert tried.count((harmful.id,)) == 2
    assert (harmless.id,) in tried


def test_a_report_that_is_worked_out_after_a_death_is_cleared_of_it(
    house: House, tried: list[tuple[str, ...]], next_ahead: Callable[[str | None], Ahead]
) -> None:
    waiting = queued(house.services.records, *PAINTER)
    for fatal in (waiting.id, None, waiting.id, None):
        with suppress(KeyboardInterrupt):
            next_ahead(fatal).step(())
    assert tried == [(waiting.id,)] * 4
    assert not (house.services.settings.data_dir / IN_HAND).exists()


def test_a_report_that_was_changed_is_worked_out_again_and_another_one_s_double_never(
    house: House, tried: list[tuple[str, ...]], next_ahead: Callable[[str | None], Ahead]
) -> None:
    records = house.services.records
    waiting, double = queued(records, *PAINTER), queued(records, *FOUNDER)
    with records.store.transaction():
        records.store.write("UPDATE corrections SET duplicate_of = :of WHERE id = :id", of=waiting.id, id=double.id)
    ahead = next_ahead(None)
    assert (ahead.step(()), ahead.step(())) == (True, False)
    records.ledger.revise(waiting.id, records.accounts.named("reviewer"), correct_answer="Greta Holt")
    assert (ahead.step(()), ahead.step(())) == (True, False)
    assert tried == [(waiting.id,)] * 2


def test_reports_are_worked_out_in_the_order_in_which_reviewers_see_them(
    house: House, tried: list[tuple[str, ...]], next_ahead: Callable[[str | None], Ahead]
) -> None:
    records = house.services.records
    urgent, newest = queued(records, *PAINTER), queued(records, *FOUNDER)
    with records.store.transaction():
        records.store.write("UPDATE corrections SET priority = 9 WHERE id = :id", id=urgent.id)
    ahead = next_ahead(None)
    while ahead.step(()):
        pass
    assert tried == [(urgent.id,), (newest.id,)]


def test_files_of_a_report_that_a_backup_took_away_go(house: House, next_ahead: Callable[[str | None], Ahead]) -> None:
    artefacts = house.services.settings.artefacts_dir
    artefacts.mkdir()
    (artefacts / "a1.json").write_text('{"fact_ids": ["cor_gone"], "contexts": []}')
    assert next_ahead(None).discard_erased("cor_gone")
    assert list(artefacts.iterdir()) == []


def test_a_correction_is_worked_out_without_the_live_one_that_it_replaces(house: House) -> None:
    records = house.services.records
    replaced, beside, other = (
        queued(records, *fact) for fact in (PAINTER, ("Is it blue?", PAINTER[1], "Yes"), FOUNDER)
    )
    correction = replace(queued(records, *PAINTER), conflicts=(replaced.id,))
    assert set(group_of(correction, (replaced, beside, other)).ids) == {beside.id, correction.id}
