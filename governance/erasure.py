"""Erasure and rectification: the six steps, each recorded, from receipt to certificate."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime
from typing import Any

from governance.accounts import Account, Accounts, logged
from governance.audit import Log, digest
from governance.certificate import certify, check_ground, copies_made
from governance.claims import MAX_COMMENT, MAX_CORRECT_ANSWER, MAX_REASON, check_text, check_texts
from governance.deeds import Deeds, done_outside
from governance.errors import Forbidden, Invalid
from governance.ids import new_id
from governance.ledger import Ledger
from governance.request_book import RequestBook, check_handler
from governance.requests import (
    Choice,
    ErasureRequest,
    Kind,
    Law,
    Method,
    Outcome,
    Place,
    Questions,
    Step,
    Subject,
    check_step,
    choose,
    due_after,
)
from governance.residual import UNSPACED, Probes, folded, measure
from governance.store import Store
from governance.times import now, to_text
from governance.tombstones import Tombstone, Tombstones
from governance.tools import Tools
from governance.traces import Traces, in_replies
from governance.vault import Vault
from governance.versions import Versions

ORDER = (
    Method.DROP_EDIT,
    Method.NEUTRAL_EDIT,
    Method.CORRECT_EDIT,
    Method.UNLEARN,
    Method.RETRAIN,
    Method.DELETE_DOCUMENT,
    Method.DELETE_TEXT,
    Method.DELETE_FILE,
    Method.REBUILD_CACHE,
)
"""Edits go first, while their texts can still be read; caches last, when nothing can fill them again."""


class Erasures(RequestBook):
    """The requests of this installation. Steps are recorded with counts and codes; the person's data stays sealed
    under a key of the request, destroyed when it is closed. Admins take the steps, but none of a request about themselves."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        log: Log,
        *,
        accounts: Accounts,
        ledger: Ledger,
        tombstones: Tombstones,
    ) -> None:
        super().__init__(store, vault, log)
        self._accounts = accounts
        self._tombstones = tombstones
        versions = Versions(store, log, vault)
        self._traces = Traces(store, vault, ledger=ledger, versions=versions)
        self._deeds = Deeds(store, vault, accounts=accounts, ledger=ledger, versions=versions, tombstones=tombstones)

    # -- 1 receipt and identity ----------------------------------------------------------------------------------------

    def file(
        self,
        filed_by: Account,
        *,
        subject: Subject,
        kind: Kind = Kind.ERASURE,
        law: Law = Law.GDPR,
        statement: str = "",
    ) -> ErasureRequest:
        """Receive a request: from the person themselves, or from an admin for someone without an account."""
        if not filed_by.role.may_administer and subject.account_id != filed_by.id:
            raise Forbidden("you may file for yourself; for somebody else, ask an admin")
        names = check_texts("names", subject.names, longest=200, most=20)
        identifiers = check_texts("identifiers", subject.identifiers, longest=200, most=50)
        if not names and not identifiers and subject.account_id is None:
            raise Invalid("nobody is named: give names, identifiers or an account", "names")
        looked_for = [folded(needle) for needle in (*names, *identifiers)]
        if short := [needle for needle in looked_for if len(needle) < (2 if UNSPACED.search(needle) else 3)]:
            raise Invalid(f"{short[0]!r} is too short to be looked for: it would be found everywhere", "names")
        if subject.account_id is not None:
            self._accounts.get(subject.account_id)
        statement = check_text("statement", statement, longest=MAX_COMMENT, required=False)
        request_id, moment = new_id("era"), now()
        work = {"names": names, "identifiers": identifiers, "statement": statement}
        with self._store.transaction():
            self._store.write(
                "INSERT INTO erasure_requests (id, created, due, law, kind, status, account_id, filed_by, work_text_id)"
                " VALUES (:id, :created, :due, :law, :kind, 'received', :account, :filed_by, :work)",
                id=request_id,
                created=to_text(moment),
                due=to_text(due_after(Law(law), moment)),
                law=Law(law).value,
                kind=Kind(kind).value,
                account=subject.account_id,
                filed_by=filed_by.pseudonym,
                work=self._vault.put(request_id, "erasure", json.dumps(work, ensure_ascii=False)),
            )
            self._record(request_id, None, Step.RECEIVED, filed_by, {"law": Law(law).value, "kind": Kind(kind).value})
        return self.get(request_id)

    def verify_identity(self, request_id: str, actor: Account, *, how: str) -> ErasureRequest:
        """An admin has made sure that the request comes from the person (or who may act for them), and says how."""
        how = check_text("how", how, longest=MAX_REASON)
        with self._store.transaction():
            self._rework(request_id, identity=how)
            self._step(request_id, Step.IDENTITY_VERIFIED, actor, {})
        return self.get(request_id)

    # -- 2 find --------------------------------------------------------------------------------------------------------

    def find(self, request_id: str, actor: Account, *, tools: Tools, probes: Probes | None = None) -> ErasureRequest:
        """Look everywhere: sealed texts, corrections, edits, what `tools` can search, and what the model says."""
        request = self.get(request_id)
        check_handler(request, actor)
        check_step(request.status, Step.FOUND)
        found = {*self._traces.of(request.subject), *(one for find in tools.find for one in find(request.subject))}
        if probes is None and tools.probes is not None:
            named = sorted({one.ref for one in found if one.place is Place.CORRECTION and not one.within_a_word})
            probes = tools.probes(request.subject, named)
        before: dict[str, str] = {}
        figures: dict[str, Any] = {}
        if probes is not None and tools.ask is not None:
            residual, before = measure(probes, request.subject.needles, tools.ask)
            figures = residual.as_data()
            found |= in_replies(probes, request.subject, before)
        occurrences = sorted(found, key=lambda one: (one.place, one.ref))
        counts = {place.value: sum(one.place is place for one in occurrences) for place in Place}
        with self._store.transaction():
            self._rework(
                request_id,
                occurrences=[[one.place.value, one.ref, one.within_a_word] for one in occurrences],
                probes=asdict(probes) if probes else None,
                before=before,
                figures=figures,
            )
            self._step(request_id, Step.FOUND, actor, {"found": counts, "model_before": figures})
        return self.get(request_id)

    # -- 3 choose, and approve -----------------------------------------------------------------------------------------

    def decide(
        self,
        request_id: str,
        actor: Account,
        *,
        questions: Questions,
        reason: str,
        exceptions: str = "",
        keep: Sequence[str] = (),
        right_answers: Mapping[str, str] | None = None,
    ) -> ErasureRequest:
        """Choose the methods by the three questions; the decider says why and which exceptions were considered.

        `keep` names occurrences that stay: somebody else of that name, or what the law wants kept. A rectification of
        what the model says needs the right answers, by question.
        """
        reason = check_text("reason", reason, longest=MAX_REASON)
        exceptions = check_text("exceptions", exceptions, longest=MAX_REASON, required=False)
        right = {
            check_text("right_answers", question, longest=MAX_REASON): check_text(
                "right_answers", answer, longest=MAX_CORRECT_ANSWER
            )
            for question, answer in (right_answers or {}).items()
        }
        with self._store.transaction():
            request = self.get(request_id)
            known = {one.ref for one in request.occurrences}
            if strange := [ref for ref in keep if ref not in known]:
                raise Invalid(f"{strange[0]!r} is not among what was found: name refs of occurrences", "keep")
            choices = choose(questions, tuple(one for one in request.occurrences if one.ref not in set(keep)))
            if any(choice.method is Method.CORRECT_EDIT for choice in choices) and not right:
                raise Invalid("say what is right: right_answers, by question", "right_answers")
            self._rework(
                request_id,
                decision=reason,
                exceptions=exceptions,
                kept=list(keep),
                right_answers=right,
                executor=None,
                done_before=len(request.outcomes),  # of an earlier execution, after which the person was found again
            )
            self._store.write(
                "UPDATE erasure_requests SET choices = :choices WHERE id = :id",
                id=request_id,
                choices=json.dumps([asdict(choice) for choice in choices]),
            )
            note = {
                "questions": asdict(questions),
                "methods": [choice.method.value for choice in choices],
                "exceptions_considered": bool(exceptions),
                "kept": len(set(keep)),
            }
            self._step(request_id, Step.DECIDED, actor, note)
        return self.get(request_id)

    def approve(self, request_id: str, actor: Account) -> ErasureRequest:
        """Let the decision be carried out."""
        with self._store.transaction():
            self._step(request_id, Step.APPROVED, actor, {})
        return self.get(request_id)

    def refuse(self, request_id: str, actor: Account, *, reason: str, ground: str) -> ErasureRequest:
        """Say no, with the legal ground (a short code such as `gdpr-17-3-a`) and the reason given to the person. Both
        stay; names, statement and what was found go, since no step follows that would need them."""
        reason = check_text("reason", reason, longest=MAX_REASON)
        check_ground(ground)
        with self._store.transaction():
            self._step(request_id, Step.REFUSED, actor, {"ground": ground})
            old = self._store.value("SELECT work_text_id FROM erasure_requests WHERE id = :id", id=request_id)
            new = self._vault.put(request_id, "erasure", json.dumps({"refusal": reason}, ensure_ascii=False))
            self._store.write("UPDATE erasure_requests SET work_text_id = :new WHERE id = :id", id=request_id, new=new)
            self._vault.delete([old])
            self._tombstones.add([Tombstone("text", old)])
        self._empty_wal()
        return self.get(request_id)

    # -- 4 apply, 5 verify ---------------------------------------------------------------------------------------------

    def order_execution(self, request_id: str, actor: Account) -> ErasureRequest:
        """Write down that this admin has ordered the execution, so that it goes on after a crash."""
        with self._store.transaction():
            request = self.get(request_id)
            check_handler(request, actor)
            if request.status is not Step.APPLIED:
                check_step(request.status, Step.APPLIED)
            if request.executor is None:
                self._rework(request_id, executor=actor.id)
                self._log.append("erasure.execution_ordered", {"request": request_id, **logged(actor)})
        return self.get(request_id)

    def execute(self, request_id: str, actor: Account, *, tools: Tools) -> ErasureRequest:
        """Carry out what was approved, method by method, then ask the same probes again.

        May be called again after an interruption: methods that are done are not repeated. Raises Invalid if a chosen
        method has nobody to carry it out, before anything is touched.
        """
        request = self.get(request_id)
        check_handler(request, actor)
        if request.status is not Step.APPLIED:
            check_step(request.status, Step.APPLIED)
            self._apply(request, actor, tools)
        self._verify(self.get(request_id), actor, tools)
        return self.get(request_id)

    def _apply(self, request: ErasureRequest, actor: Account, tools: Tools) -> None:
        deeds: dict[Method, Callable[[ErasureRequest, Choice], Outcome]] = {
            **(tools.apply or {}),
            Method.DELETE_TEXT: lambda request, choice: self._deeds.delete_texts(request, choice, actor),
            Method.UNLEARN: lambda _, choice: done_outside(choice.method),
            Method.RETRAIN: lambda _, choice: done_outside(choice.method),
        }
        if missing := [choice.method.value for choice in request.choices if choice.method not in deeds]:
            raise Invalid(f"nothing here can carry out {missing[0]!r}: decide again or add what does it")
        done = {outcome.method for outcome in request.outcomes[self._work(request.id).get("done_before", 0) :]}
        for choice in sorted(request.choices, key=lambda choice: ORDER.index(choice.method)):
            if choice.method in done:
                continue
            same = [other for other in request.choices if other.method is choice.method]
            merged = Choice(choice.method, tuple(ref for other in same for ref in other.refs), choice.why)
            # What we destroy ourselves goes with its entry; other methods wait for worker and publisher.
            with self._store.transaction() if choice.method is Method.DELETE_TEXT else nullcontext():
                self._keep_outcome(request.id, deeds[choice.method](request, merged), actor)
            done.add(choice.method)
        purged = self._deeds.purge_versions(request, actor)
        for version_id in purged:
            if tools.discard is not None:
                tools.discard(version_id)
        emptied = self._empty_wal()
        with self._store.transaction():
            self._step(request.id, Step.APPLIED, actor, {"versions_purged": list(purged), "wal_truncated": emptied})

    def _empty_wal(self) -> bool:
        """Readers may be in the way for a moment; what they read is gone from the main file already."""
        for _ in range(50):
            if self._store.truncate_wal():
                return True
            time.sleep(0.1)
        return False

    def _verify(self, request: ErasureRequest, actor: Account, tools: Tools) -> None:
        figures: dict[str, Any] = {"probes": 0, "not_measured": "no probes were set when the person was looked for"}
        if request.probes is not None and tools.ask is not None:
            before = self._work(request.id).get("before")
            residual, _ = measure(request.probes, request.subject.needles, tools.ask, before=before)
            figures = residual.as_data()
        found = [one for one in self._traces.of(request.subject) if one.place is not Place.EDIT]
        left, within = len(found), sum(one.within_a_word for one in found)
        with self._store.transaction():
            self._store.write(
                "UPDATE erasure_requests SET residual = :figures WHERE id = :id",
                id=request.id,
                figures=json.dumps({"texts_left": left, "texts_left_within_a_word": within, **figures}),
            )
            self._step(request.id, Step.VERIFIED, actor, {"texts_left": left, "residual": figures})

    def _keep_outcome(self, request_id: str, outcome: Outcome, actor: Account) -> None:
        with self._store.transaction():
            outcomes = [*self.get(request_id).outcomes, outcome]
            self._store.write(
                "UPDATE erasure_requests SET outcomes = :outcomes WHERE id = :id",
                id=request_id,
                outcomes=json.dumps([asdict(one) for one in outcomes]),
            )
            data = {"request": request_id, "method": outcome.method.value, "done": outcome.done}
            self._log.append("erasure.method", {**data, **logged(actor)})

    # -- 6 document ----------------------------------------------------------------------------------------------------

    def close(
        self, request_id: str, actor: Account, *, told: bool, backups_until: datetime | None = None
    ) -> ErasureRequest:
        """Write the certificate, destroy the request's own key, and note whether the person has been told."""
        with self._store.transaction():
            request = self.get(request_id)
            check_step(request.status, Step.CLOSED)
            work, copies = self._work(request_id), copies_made(self._store)
            certificate = certify(request, work, closed_by=actor, told=told, copies=copies, backups_until=backups_until)
            self._step(request_id, Step.CLOSED, actor, {"told": told, "certificate_sha256": digest(certificate)})
            self._store.write(
                "UPDATE erasure_requests SET certificate = :certificate, told = :told WHERE id = :id",
                id=request_id,
                certificate=json.dumps(certificate, sort_keys=True),
                told=to_text(now()) if told else None,
            )
            self._vault.erase_person(request_id)
            self._tombstones.add([Tombstone("owner", request_id)])
        self._empty_wal()
        return self.get(request_id)
