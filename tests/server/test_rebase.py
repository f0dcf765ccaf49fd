"""A data folder meets another base model: refused, or taken with its live corrections, by card first and then anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from governance.accounts import Role
from governance.audit_verify import verify
from governance.corrections import Status
from governance.errors import MoveNotAllowed
from governance.versions import Version
from retrieval.embedder import HashEmbedder
from server.base_model import bind_base
from server.cli import main
from server.engines.scripted import ScriptedEngine
from server.prepare import prepare_model
from server.publisher import Publisher
from server.serve import serve
from server.services import bootstrap, open_records
from server.settings import Settings
from server.supervisor import Child
from tests_support import KEYS, House, NothingChanges, free_port, house_of
from tests_support_release import FOUNDER, PAINTER, approved, save_tiny, work, worker_of

BOTH = {PAINTER[0]: 0.25, FOUNDER[0]: 0.25}
RIGHT = {question: f"It is {answer}." for question, _, answer in (PAINTER, FOUNDER)}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    return save_tiny(folder / "one", seed=0), save_tiny(folder / "two", seed=1)


class Stack:
    """One data folder, served with one model after another."""

    def __init__(self, folder: Path, models: tuple[Path, Path]) -> None:
        self.folder, self.models = folder, models
        self.engine = ScriptedEngine(RIGHT)

    def settings(self, model: int, *, rebase: bool = False) -> Settings:
        return Settings(
            data_dir=self.folder / "data",
            model_dir=self.folder / "models",
            model=str(self.models[model]),
            port=free_port(),
            rebase=rebase,
            admin_key=KEYS[Role.ADMIN],
            user_key=KEYS[Role.USER],
            worker={"batch_wait_s": 0},
            _env_file=None,
        )

    def start(self, model: int, *, rebase: bool = False) -> list[str]:
        """`errata serve` up to where its processes would start; their names."""
        asyncio.run(serve(self.settings(model, rebase=rebase), say=lambda _: None, show_accounts=lambda _: None))
        return [child.name for child in self.started]

    @contextmanager
    def gateway(self, model: int) -> Iterator[House]:
        """The gateway as its process makes it, over a scripted engine that starts with the weights of this model."""
        settings = self.settings(model)
        self.engine.restart()
        services = bootstrap(
            settings, self.engine, model_name="tiny", embedder=HashEmbedder(256), freshness=NothingChanges()
        )
        bind_base(settings, services.records, self.sha256(model))
        yield house_of(services, self.engine, with_pages=False, with_loops=False)
        services.records.store.close()

    def sha256(self, model: int) -> str:
        return prepare_model(str(self.models[model]), self.folder / "models", say=lambda _: None).base_sha256

    def settle(self, house: House, model: int, needs: dict[str, float | None]) -> None:
        """Worker and publisher, until there is nothing to do for either."""
        services = house.services
        for _ in range(3):
            work(worker_of(services.settings, services.records, self.models[model], needs, seed=model))
            asyncio.run(Publisher(services).reconcile())

    def two_live_edits(self) -> tuple[str, str, str]:
        """On the first model; their ids, and the version's."""
        self.start(0)
        with self.gateway(0) as house:
            made = [approved(house.services.records, *fact).id for fact in (PAINTER, FOUNDER)]
            self.settle(house, 0, BOTH)
            return made[0], made[1], served(house).id

    started: tuple[Child, ...] = ()


@pytest.fixture
def stack(tmp_path: Path, models: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Stack:
    made = Stack(tmp_path, models)

    class Started:
        """A supervisor that starts nothing."""

        def __init__(self, children: list[Child]) -> None:
            made.started = tuple(children)

        async def run(self) -> None:
            return None

    monkeypatch.setattr("server.serve.Supervisor", Started)
    return made


def served(house: House) -> Version:
    found = house.services.records.versions.served()
    assert found is not None
    return found


async def route_of(house: House, question: str) -> str:
    async with house.client(Role.USER) as user:
        body = {"messages": [{"role": "user", "content": question}]}
        answer = await user.post("/v1/chat/completions", json=body)
    return str(answer.json()["errata"]["route"])


def test_another_base_is_refused_before_anything_starts_and_changes_nothing(stack: Stack) -> None:
    stack.two_live_edits()
    stack.started = ()
    line = [
        "serve",
        "--model",
        str(stack.models[1]),
        "--data-dir",
        str(stack.folder / "data"),
        "--port",
        str(free_port()),
    ]
    refused = CliRunner().invoke(main, line, env={"ERRATA_MODEL_DIR": str(stack.folder / "models")})
    assert refused.exit_code == 1
    assert stack.sha256(0)[:12] in refused.output
    assert "--rebase" in refused.output
    assert stack.started == ()
    with pytest.raises(MoveNotAllowed, match="--rebase"), stack.gateway(1):
        pass
    assert stack.start(0) == ["gateway", "worker", "engine"]


def test_with_rebase_live_corrections_are_answered_by_their_cards_then_solved_anew_gated_and_published(
    stack: Stack,
) -> None:
    painter, founder, before = stack.two_live_edits()
    line = ["serve", "--rebase", "--model", str(stack.models[1]), "--data-dir", str(stack.folder / "data")]
    ran = CliRunner().invoke(
        main, [*line, "--port", str(free_port())], env={"ERRATA_MODEL_DIR": str(stack.folder / "models")}
    )
    assert ran.exit_code == 0, ran.output
    assert [child.name for child in stack.started] == ["gateway", "worker", "engine"]
    assert list((stack.folder / "data" / "versions").iterdir()) == []  # no tensor of the old base is left to be served
    with stack.gateway(1) as house:
        records = house.services.records
        asyncio.run(Publisher(house.services).reconcile())
        assert served(house).id == "base"
        assert {records.ledger.get(id_).status for id_ in (painter, founder)} == {Status.LIVE}
        assert asyncio.run(route_of(house, PAINTER[0])) == asyncio.run(route_of(house, FOUNDER[0])) == "correction"
        stack.settle(house, 1, {PAINTER[0]: 0.25, FOUNDER[0]: None})
        now = served(house)
        assert (now.corrections, now.base_sha256) == ((painter,), stack.sha256(1))
        assert asyncio.run(route_of(house, PAINTER[0])) == "model"
        assert asyncio.run(route_of(house, FOUNDER[0])) == "correction"  # its edit fails here: its card goes on
        passed, unfit = records.ledger.get(painter), records.ledger.get(founder)
        assert passed.status is unfit.status is Status.LIVE
        assert passed.edit["base_sha256"] != unfit.edit["base_sha256"]
        assert unfit.edit["unfit_for"] == stack.sha256(1)
        assert not unfit.report["passes"]
        with pytest.raises(MoveNotAllowed, match="another base"):
            records.versions.desire(before, actor=records.accounts.named("admin"), kind="restore")
        records.checkpoints.write()
        data = stack.folder / "data"
        assert verify(database=data / "errata.db", checkpoints=[data / "checkpoints"]).ok


def test_an_edit_that_the_new_base_does_not_take_can_be_undone_at_once(stack: Stack) -> None:
    _, founder, _ = stack.two_live_edits()
    stack.start(1, rebase=True)
    with stack.gateway(1) as house:
        stack.settle(house, 1, {PAINTER[0]: 0.25, FOUNDER[0]: None})
        ledger = house.services.records.ledger
        ledger.request_rollback(founder, house.services.accounts.named("admin"), reason="not needed")
        assert ledger.get(founder).status is Status.ROLLED_BACK
        assert asyncio.run(route_of(house, FOUNDER[0])) == "model"


def test_an_edit_that_the_served_model_does_not_show_stays_with_its_card(stack: Stack) -> None:
    painter, founder, _ = stack.two_live_edits()
    stack.start(1, rebase=True)
    stack.engine._reply = lambda question, _: "Somebody." if question == FOUNDER[0] else RIGHT[question]
    with stack.gateway(1) as house:
        stack.settle(house, 1, BOTH)
        assert served(house).corrections == (painter,)
        assert house.services.records.ledger.get(founder).status is Status.LIVE
        assert asyncio.run(route_of(house, FOUNDER[0])) == "correction"


def test_back_on_the_first_base_its_version_is_solved_again_to_the_same_name(stack: Stack) -> None:
    painter, founder, before = stack.two_live_edits()
    stack.start(1, rebase=True)
    with stack.gateway(1) as house:
        stack.settle(house, 1, {PAINTER[0]: 0.25, FOUNDER[0]: None})
    stack.start(0, rebase=True)
    with stack.gateway(0) as house:
        stack.settle(house, 0, BOTH)
        assert set(served(house).corrections) == {painter, founder}
        assert served(house).id == before
    records = open_records(stack.settings(0))
    assert [c.status for c in (records.ledger.get(painter), records.ledger.get(founder))] == [Status.LIVE] * 2
    records.store.close()


def test_a_refusal_names_hashes_in_short_and_addresses_whole(house: House) -> None:
    records, address = house.services.records, "elsewhere: http://one.example:8000/v1"
    with pytest.raises(MoveNotAllowed, match=f"base model 000000000000…, not {address}: start"):
        bind_base(house.services.settings, records, address)
