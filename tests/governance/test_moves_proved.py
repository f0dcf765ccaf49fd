"""Random people and processes against the ledger: whatever they try, its promises hold after each step."""

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from governance.audit_verify import verify
from governance.corrections import Fallback, Remedy, Status
from governance.errors import GovernanceError
from governance.lifecycle import ALLOWED_MOVES

WHO = st.sampled_from(["user", "other_user", "auditor", "reviewer", "admin", "second_admin", "third_admin"])
REMEDY = st.sampled_from(Remedy)
QUESTIONS = st.sampled_from(
    ["Who painted the Mona Lisa?", "Who wrote Emma?", "What is the dose of aspirin?", "Who won the election of 1960?"]
)
ANSWERS = st.sampled_from(["Leonardo", "Jane Austen", "500 mg", "Kennedy"])


class LedgerMachine(RuleBasedStateMachine):
    """Acts are tried in any order by anyone; refusals are errors of the room, never anything else."""

    corrections = Bundle("corrections")

    def __init__(self, make_room):
        super().__init__()
        self.make_room = make_room

    @initialize()
    def start(self):
        self.folder = tempfile.TemporaryDirectory()
        self.room = self.make_room(Path(self.folder.name))
        self.others = self.room.log.size()
        self.built = ["base"]

    def teardown(self):
        self.room.store.close()
        self.folder.cleanup()

    def attempt(self, act, *, entries=1):
        """Do it or be refused; a refusal leaves no entry behind."""
        before = self.room.log.size()
        try:
            done = act()
        except GovernanceError:
            assert self.room.log.size() == before
            return None
        assert self.room.log.size() - before in ((0, entries) if entries == 1 else range(entries + 1))
        return done

    @rule(target=corrections, who=WHO, question=QUESTIONS, answer=ANSWERS)
    def flag(self, who, question, answer):
        found = self.attempt(
            lambda: self.room.ledger.flag(
                self.room.people[who], question=question, answer="no idea", correct_answer=answer
            )
        )
        assert (found is None) == (who == "auditor")
        return multiple() if found is None else found.id

    @rule(one=corrections, remedy=REMEDY, volatile=st.booleans())
    def triage(self, one, remedy, volatile):
        before = self.room.ledger.get(one).status
        done = self.attempt(
            lambda: self.room.ledger.triaged(one, remedy=remedy, reason="", evidence={}, volatile=volatile)
        )
        assert (done is None) == (before is not Status.FLAGGED)
        assert done is None or not (volatile and done.remedy is Remedy.WEIGHTS)

    @rule(one=corrections, who=WHO, fallback=st.sampled_from(Fallback))
    def approve(self, one, who, fallback):
        actor, before = self.room.people[who], self.room.ledger.get(one)
        done = self.attempt(lambda: self.room.ledger.approve(one, actor, fallback=fallback))
        if done is not None:
            assert before.status is Status.QUEUED
            assert actor.role.may_administer
            assert actor.id != before.reporter_id

    @rule(target=corrections, question=QUESTIONS, remedy=REMEDY)
    def fast_track(self, question, remedy):
        """The usual way up to the worker, so that long histories are reached often."""
        ledger, people = self.room.ledger, self.room.people
        one = ledger.flag(people["user"], question=question, answer="no idea", correct_answer="Leonardo").id
        ledger.triaged(one, remedy=remedy, reason="", evidence={})
        for name in ("admin", "second_admin"):
            if ledger.get(one).status is Status.QUEUED:
                self.attempt(lambda name=name: ledger.approve(one, people[name]))
        self.attempt(lambda: ledger.start_editing([one]))
        return one

    @rule(one=corrections, who=WHO, act=st.sampled_from(["reject", "ask_evidence", "withdraw", "appeal", "requeue"]))
    def other_acts(self, one, who, act):
        self.attempt(lambda: getattr(self.room.ledger, act)(one, self.room.people[who], reason="because"))

    @rule(one=corrections, who=WHO)
    def add_evidence(self, one, who):
        self.attempt(lambda: self.room.ledger.add_evidence(one, self.room.people[who], evidence=["a book"]))

    @rule(one=corrections, who=WHO, answer=ANSWERS)
    def revise(self, one, who, answer):
        self.attempt(lambda: self.room.ledger.revise(one, self.room.people[who], correct_answer=answer))

    @rule(one=corrections, who=WHO, remedy=REMEDY)
    def reroute(self, one, who, remedy):
        self.attempt(lambda: self.room.ledger.reroute(one, self.room.people[who], remedy=remedy))

    @rule(one=corrections)
    def edit(self, one):
        self.attempt(lambda: self.room.ledger.start_editing([one]))

    @rule(one=corrections, act=st.sampled_from(["gate", "probe", "knowledge"]))
    def settle(self, one, act):
        ledger = self.room.ledger
        if act == "gate":
            self.attempt(lambda: ledger.gate_failed(one, {"direct": 0.0}))
        elif act == "probe":
            self.attempt(lambda: ledger.probe_failed(one, {"direct": 0.0}))
        else:
            self.attempt(lambda: ledger.to_knowledge(one))

    @rule()
    def crash(self):
        self.attempt(self.room.ledger.requeue_interrupted, entries=100)

    @rule(who=WHO, one=corrections)
    def ask_for_undo(self, who, one):
        self.attempt(lambda: self.room.ledger.request_rollback(one, self.room.people[who], reason="wrong"))

    @rule()
    def release(self):
        """What worker and publisher do with all that is being edited or to be undone."""
        ledger = self.room.ledger
        served = set(self.room.versions.served().corrections) if self.room.versions.served() else set()
        undone = {c.id for c in ledger.in_status(Status.LIVE) if c.undo_requested}
        fresh = {c.id for c in ledger.in_status(Status.EDITING)}
        version = f"v{len(self.built)}"
        self.room.build(version, *sorted((served | fresh) - undone))
        self.built.append(version)
        self.room.versions.desire(version, actor="worker")
        ledger.published(version_id=version, live=sorted(fresh), rolled_back=sorted(undone))

    @rule(data=st.data())
    def restore(self, data):
        if self.room.versions.served() is None:
            return
        version = self.room.versions.get(data.draw(st.sampled_from(self.built)))
        ledger = self.room.ledger
        live = {c.id for c in ledger.in_status(Status.LIVE)}
        back = {c.id for c in ledger.in_status(Status.ROLLED_BACK) if c.id in version.corrections}
        if not set(version.corrections) <= live | back:
            return
        ledger.published(
            version_id=version.id, rolled_back=sorted(live - set(version.corrections)), relived=sorted(back)
        )

    @invariant()
    def moves_are_allowed_and_logged(self):
        if not hasattr(self, "room"):
            return
        entries = self.room.entries()
        logged = {entry["n"]: entry for entry in entries if entry["kind"] == "correction.moved"}
        moved = 0
        for correction in self.room.ledger.in_status(*Status):
            before = None
            for move in correction.moves:
                assert move.from_status == before
                assert before is None or move.to_status in ALLOWED_MOVES[before]
                entry = logged[move.entry]
                assert (entry["correction"], entry["from"], entry["to"]) == (correction.id, before, move.to_status)
                assert (entry["actor"], entry["role"]) == (move.actor, move.role)
                if move.to_status is Status.APPROVED and move.role != "system":
                    assert move.role == "admin"
                    assert move.actor_id != correction.reporter_id
                    assert len(set(entry["approvals"])) >= (2 if correction.risk_tier == "high" else 1)
                before = move.to_status
                moved += 1
            assert before == correction.status
        assert moved == len(logged)

    @invariant()
    def the_served_set_is_the_live_set(self):
        if not hasattr(self, "room") or self.room.versions.served() is None:
            return
        live = {correction.id for correction in self.room.ledger.in_status(Status.LIVE)}
        assert set(self.room.versions.served().corrections) == live
        carded = {card.id for card in self.room.ledger.cards()}
        effective = self.room.ledger.in_status(Status.APPROVED, Status.EDITING, Status.IN_KNOWLEDGE)
        assert carded == {correction.id for correction in effective}

    @invariant()
    def the_tree_verifies(self):
        if hasattr(self, "room"):
            report = verify(database=self.room.store.path)
            assert report.ok
            assert report.root == self.room.log.root().hex()
            assert json.loads(self.room.log.entries(report.size - 1)[0].text)["n"] == report.size


def test_no_order_of_acts_breaks_a_promise(room_maker):
    run_state_machine_as_test(
        lambda: LedgerMachine(room_maker),
        settings=settings(
            max_examples=12, stateful_step_count=35, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
