"""A worker or publisher killed between any two steps of an edit: the next one goes on to the same end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from editing.verify import GateReport
from governance.audit_verify import verify
from governance.corrections import Correction, Status
from governance.versions import BASE
from server.engines.scripted import ScriptedEngine
from server.publisher import Publisher
from server.settings import Settings
from tests_support import House, furnish, house_of
from tests_support_release import (
    DEAD,
    FOUNDER,
    PAINTER,
    Judge,
    Step,
    approved,
    killed_worker,
    save_tiny,
    work,
    worker_of,
)

LAKE = ("Which lake lies at Orsund?", "Orsund", "the Mirrow")
BRIDGE = ("Who built the Long Span?", "the Long Span", "Greta Holt")
RIGHT = {question: f"It is {answer}." for question, _, answer in (LAKE, PAINTER, FOUNDER, BRIDGE)}
NEEDS = {LAKE[0]: 0.25, PAINTER[0]: 0.25, FOUNDER[0]: 0.05, BRIDGE[0]: None}

LEDGER, VERSIONS, ENGINE = (
    "governance.ledger:Ledger",
    "governance.versions:Versions",
    "server.engines.scripted:ScriptedEngine",
)
WORKER_STEPS = [
    Step("before", f"{LEDGER}.start_editing"),
    Step("after", f"{LEDGER}.start_editing"),
    Step("after", "editing.editor:Editor.artefact"),
    Step("after", "editing.edit_set:write_tensors"),
    Step("after", "editing.edit_set:Artefact.save"),
    Step("after", "server.edits:Edits._remember"),
    Step("after", "server.edits:Edits._remember", 2),
    Step("before", "tests_support_release:Judge.judge"),
    Step("after", "tests_support_release:Judge.judge"),
    Step("after", "tests_support_release:Judge.judge", 3),
    Step("before", f"{LEDGER}.gate_failed"),
    Step("after", f"{LEDGER}.gate_failed"),
    Step("before", "editing.edit_set:write_version"),
    Step("after", "editing.edit_set:_write_into"),
    Step("after", "editing.edit_set:write_version"),
    Step("after", f"{LEDGER}.set_artefact", 2),
    Step("after", f"{VERSIONS}.record_built"),
    Step("after", f"{VERSIONS}.desire"),
    Step("before", "server.version_files:VersionFiles.prune"),
    Step("after", "server.version_files:VersionFiles.prune"),
]


@dataclass
class Site:
    """One data folder with a live edit, and three approved ones: two that can be edited and one that cannot."""

    house: House
    base: Path
    kept: Correction
    painter: Correction
    founder: Correction
    bridge: Correction

    @property
    def settings(self) -> Settings:
        return self.house.services.settings

    def work(self) -> None:
        work(worker_of(self.settings, self.house.services.records, self.base, NEEDS))

    async def publish(self) -> None:
        for _ in range(2):
            await Publisher(self.house.services).reconcile()

    def path_of(self, correction: Correction) -> list[str]:
        """Where it went after its approval, without the tries that a death cut short."""
        moves = self.house.services.records.ledger.get(correction.id).moves
        found = [str(move.to_status) for move in moves]
        found = found[found.index("approved") :]
        while found[:3] == ["approved", "editing", "approved"]:
            del found[:2]
        return found

    def wrong_about(self, fact: tuple[str, str, str], question: str) -> str:
        return "Somebody else." if question == fact[0] else RIGHT[question]

    def check_end(self) -> None:
        """Everything as if nobody had died: each edit live once, one version, no half file, a log that verifies."""
        records = self.house.services.records
        assert self.path_of(self.painter) == self.path_of(self.founder) == ["approved", "editing", "live"]
        assert self.path_of(self.bridge) == ["approved", "editing", "in_knowledge"]
        assert records.ledger.get(self.kept.id).status is Status.LIVE
        served = records.versions.served()
        assert served is not None
        assert set(served.corrections) == {self.kept.id, self.painter.id, self.founder.id}
        assert len(records.versions.list()) == 3  # base, the one before, this one
        folders = {path.name for path in self.settings.versions_dir.iterdir()}
        assert folders == {version.id for version in records.versions.list()}
        assert not list(self.settings.artefacts_dir.glob("*.unfinished"))
        log = [entry.text for entry in records.log.entries(limit=10_000)]
        for event in ("version.built", "version.served"):
            assert sum(f'"{event}"' in text and served.id in text for text in log) == 1, event
        records.checkpoints.write()
        assert verify(database=self.settings.database_path, checkpoints=[self.settings.data_dir / "checkpoints"]).ok


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture
async def site(tmp_path: Path, base: Path):
    settings = Settings(
        data_dir=tmp_path / "data", model_dir=tmp_path / "model", worker={"batch_wait_s": 0}, _env_file=None
    )
    engine = ScriptedEngine(RIGHT)
    house = house_of(furnish(settings, engine), engine, with_pages=False, with_loops=False)
    records = house.services.records
    kept = approved(records, *LAKE)
    work(worker_of(settings, records, base, NEEDS))
    await Publisher(house.services).reconcile()
    assert records.ledger.get(kept.id).status is Status.LIVE
    yield Site(house, base, kept, *(approved(records, *fact) for fact in (PAINTER, FOUNDER, BRIDGE)))
    records.store.close()


@pytest.mark.parametrize("step", WORKER_STEPS, ids=str)
async def test_a_worker_killed_at_any_step_is_continued_to_the_same_end(site: Site, step: Step) -> None:
    assert killed_worker(site.settings, site.base, NEEDS, step) == DEAD
    site.work()
    await site.publish()
    site.check_end()


async def test_a_worker_killed_after_its_version_was_published_finds_nothing_to_do(site: Site) -> None:
    step = Step("before", "server.version_files:VersionFiles.prune")
    assert killed_worker(site.settings, site.base, NEEDS, step) == DEAD
    await site.publish()
    site.work()
    await site.publish()
    site.check_end()


class Killed(BaseException):
    """As a signal that ends the process: no `except Exception` sees it."""


def die() -> None:
    raise Killed


PUBLISHER_STEPS = [
    Step("before", f"{ENGINE}.swap"),
    Step("after", f"{ENGINE}.swap"),
    Step("before", f"{ENGINE}.chat"),
    Step("after", f"{ENGINE}.chat"),
    Step("before", f"{LEDGER}.published"),
    Step("after", f"{VERSIONS}.set_served"),
    Step("after", f"{LEDGER}.published"),
    Step("before", "server.serving:Serving.open"),
]
TAKING_BACK_STEPS = [
    Step("before", f"{ENGINE}.swap", 2),
    Step("after", f"{ENGINE}.swap", 2),
    Step("after", f"{LEDGER}.probe_failed"),
    Step("after", f"{LEDGER}.taken_back"),
    Step("after", f"{VERSIONS}.desire"),
    Step("before", "server.metrics:Metrics.swapped"),
]


@pytest.mark.parametrize("step", PUBLISHER_STEPS, ids=str)
async def test_a_publisher_killed_at_any_step_is_continued_to_the_same_end(
    site: Site, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.work()
    with monkeypatch.context() as patched:
        step.arm(die, setattr_=patched.setattr)
        with pytest.raises(Killed):
            await Publisher(site.house.services).reconcile()
    await site.publish()
    site.check_end()
    assert await site.house.engine.weight_version() == site.house.services.serving.version.id
    assert site.house.services.serving.version.active_edits == 3


@pytest.mark.parametrize("step", TAKING_BACK_STEPS, ids=str)
async def test_a_publisher_killed_while_it_takes_a_version_back_counts_one_failure_and_serves_the_one_before(
    site: Site, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, engine = site.house.services.records, site.house.engine
    before = records.versions.serving().served
    site.work()
    right, engine._reply = engine._reply, lambda question, version: site.wrong_about(PAINTER, question)
    with monkeypatch.context() as patched:
        step.arm(die, setattr_=patched.setattr)
        with pytest.raises(Killed):
            await Publisher(site.house.services).reconcile()
    await site.publish()
    assert records.versions.serving().desired == records.versions.serving().served == before
    assert await engine.weight_version() == before
    painter, founder = (records.ledger.get(c.id) for c in (site.painter, site.founder))
    assert painter.status is founder.status is Status.APPROVED
    assert (painter.probe_failures, founder.probe_failures) == (1, 0)
    engine._reply = right
    site.work()
    await site.publish()
    site.check_end()


async def test_a_folder_that_no_record_names_is_gone_after_the_next_start(site: Site) -> None:
    """As an upgrade leaves it between death and start: another recipe gives the same release another name."""
    (site.settings.versions_dir / "f00d").mkdir()
    (site.settings.versions_dir / ".beef.123").mkdir()
    site.work()
    await site.publish()
    site.check_end()


async def test_a_version_restored_while_the_worker_solves_is_not_overruled_by_it(site: Site) -> None:
    records, judge = site.house.services.records, Judge.judge
    worker = worker_of(site.settings, records, site.base, NEEDS)

    def pull_the_switch(*args: object, **kwargs: object) -> GateReport:
        records.versions.desire(BASE, actor=records.accounts.named("admin"), kind="restore")
        worker._gate.judge = partial(judge, worker._gate)  # once
        return judge(worker._gate, *args, **kwargs)

    worker._gate.judge = pull_the_switch
    work(worker)
    assert records.versions.serving().desired == BASE
    painter = records.ledger.get(site.painter.id)
    assert (painter.status, painter.crashes) == (Status.APPROVED, 0)
    await site.publish()
    assert records.ledger.get(site.kept.id).status is Status.ROLLED_BACK
    work(worker)
    await site.publish()
    assert set(records.versions.desired().corrections) == {site.painter.id, site.founder.id}
    assert site.path_of(site.painter) == site.path_of(site.founder) == ["approved", "editing", "live"]


async def test_an_edit_whose_version_nobody_wants_any_more_is_taken_up_again(site: Site) -> None:
    records = site.house.services.records
    site.work()
    records.versions.desire(BASE, actor=records.accounts.named("admin"), kind="restore")  # before it was published
    await site.publish()
    assert records.ledger.get(site.painter.id).status is Status.EDITING
    for _ in range(2):
        site.work()
        await site.publish()
    assert records.versions.served() == records.versions.desired()
    assert site.path_of(site.painter) == site.path_of(site.founder) == ["approved", "editing", "live"]


async def test_a_version_built_again_after_a_failed_probe_survives_the_death_of_its_worker(site: Site) -> None:
    """It has the name of the first try, so its record is older than the second."""
    site.work()
    right, site.house.engine._reply = site.house.engine._reply, lambda *_: "Somebody else."
    await Publisher(site.house.services).reconcile()
    site.house.engine._reply = right
    assert site.house.services.records.ledger.get(site.painter.id).status is Status.APPROVED
    assert killed_worker(site.settings, site.base, NEEDS, Step("before", "server.version_files:VersionFiles.prune"))
    site.work()
    await site.publish()
    assert site.path_of(site.painter)[-2:] == ["editing", "live"]
    assert len(site.house.services.records.versions.list()) == 3
