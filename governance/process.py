"""What triage, worker and publisher do to corrections: everything between a report and its effect but the people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from governance.accounts import Actor
from governance.audit import digest
from governance.book import Book
from governance.corrections import Correction, Fallback, Remedy, Status
from governance.errors import MoveNotAllowed
from governance.lifecycle import IN_FORCE, check_status
from governance.request_book import names_somebody_to_be_erased
from governance.times import from_text, now, to_text

PROBE_ATTEMPTS = 2


class ProcessBook(Book):
    """The moves of our own processes. Each method is one transaction with its log entries."""

    def triaged(
        self,
        correction_id: str,
        *,
        remedy: Remedy,
        reason: str,
        evidence: Mapping[str, Any],
        canonical_question: str = "",
        subject: str = "",
        conflicts: Sequence[str] = (),
        duplicate_of: str | None = None,
        personal_data: bool = False,
        volatile: bool | None = None,
        claim: str | None = None,
        actor: Actor = "triage",
    ) -> Correction:
        """What triage found, for the queue: the remedy with its reasons, and the claim in canonical form.

        A remedy of weights that policy bars becomes knowledge, and the reason says so. A duplicate raises the priority
        of the report it repeats, nothing else. A new round begins, and reports on the subject that was found may be a
        burst. Raises MoveNotAllowed if the claim is no longer the one that `claim` commits to.
        """
        with self._store.transaction():
            row = self._row(correction_id)
            check_status(Status(row["status"]), frozenset({Status.FLAGGED}), "triage")
            if claim not in (None, self._vault.commitment(row["claim_text_id"])):
                raise MoveNotAllowed(f"correction {correction_id!r} was triaged on another claim: triage it again")
            row["personal_data"], row["volatile"] = int(personal_data), None if volatile is None else int(volatile)
            if remedy is Remedy.WEIGHTS and (bar := self._barred(row)):
                remedy, reason = Remedy.KNOWLEDGE, f"{reason}; not weights, because {bar}".lstrip("; ")
            row["remedy"] = remedy.value
            row["conflicts"], repeated = json.dumps(list(conflicts)), row["duplicate_of"]
            row["duplicate_of"] = duplicate_of
            if self._texts(row["claim_text_id"]):
                found = {"canonical_question": canonical_question, "subject": subject}
                changes = {name: text for name, text in found.items() if text}
                self._index(row, self._rewrite(row["claim_text_id"], **changes))
                self._assess(row)
            row["round"] += 1
            self._rewrite(row["work_text_id"], triage=dict(evidence), reason=reason)
            self._store.write("DELETE FROM unread_evidence WHERE correction_id = :id", id=correction_id)
            self._name_to(conflicts, row["id"])
            alarms = ["burst"] if self._is_burst(row) else []
            for alarm in alarms:
                self._alarm(alarm, correction_id)
            extra = {
                "remedy": remedy,
                "tier": row["risk_tier"],
                "duplicate_of": duplicate_of,
                "conflicts": list(conflicts),
                "alarms": alarms,
            }
            self._move(row, Status.QUEUED, actor, reason, extra)
            self._rank(repeated, duplicate_of)
            return self.get(correction_id)

    def evidence_read(
        self, correction_id: str, findings: Sequence[Mapping[str, Any]], *, reason: str, count: int
    ) -> None:
        """What all the evidence of a report in the queue is worth, once some was added to it, and the reason that says so.

        Changes nothing if the report was decided since, or if there are no longer `count` pieces: they wait to be read.
        """
        with self._store.transaction():
            row = self._row(correction_id)
            pieces = self._texts(row["claim_text_id"]).get("evidence", ())
            if row["status"] != Status.QUEUED or len(pieces) != count:
                return
            triage = self._texts(row["work_text_id"]).get("triage", {})
            self._rewrite(row["work_text_id"], triage=triage | {"evidence": list(findings)}, reason=reason)
            self._store.write("DELETE FROM unread_evidence WHERE correction_id = :id", id=correction_id)
            self._event("evidence_read", row, "triage", evidence=count)

    def start_editing(self, ids: Iterable[str]) -> None:
        """The worker takes these approved corrections into one solve. All or none."""
        with self._store.transaction():
            for correction_id in ids:
                row = self._row(correction_id)
                row["attempts"] += 1
                self._move(row, Status.EDITING, "worker")

    def set_artefact(
        self,
        correction_id: str,
        artefact_id: str,
        *,
        edit: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] | None = None,
    ) -> None:
        """The artefact computed for this correction, with method, settings hash, layers and the other hashes; and the
        report of the gate that it passed."""
        with self._store.transaction():
            row = self._row(correction_id)
            if report is not None:
                self._keep_report(row, report)
            row["artefact"], row["edit"] = artefact_id, json.dumps(dict(edit or {}), sort_keys=True)
            self._event("artefact", row, "worker", artefact=artefact_id)

    def gate_failed(self, correction_id: str, report: Mapping[str, Any], *, reason: str = "") -> Correction:
        """The gate refused this edit: its card goes on answering, or it failed, as its approver chose."""
        with self._store.transaction():
            row = self._row(correction_id)
            self._keep_report(row, report)
            self._settle(row, "worker", reason or "the gate refused the edit")
            return self.get(correction_id)

    def unfit(self, correction_id: str, base_sha256: str, report: Mapping[str, Any]) -> None:
        """On this base its edit does not pass: a live correction stays in force by its card alone."""
        with self._store.transaction():
            row = self._row(correction_id)
            check_status(Status(row["status"]), frozenset({Status.LIVE}), "find unfit")
            self._keep_report(row, report)
            row["edit"] = json.dumps(json.loads(row["edit"]) | {"unfit_for": base_sha256}, sort_keys=True)
            self._event("unfit", row, "worker", base_sha256=base_sha256, report=row["report_sha256"])

    def published(
        self,
        *,
        version_id: str,
        live: Iterable[str] = (),
        rolled_back: Iterable[str] = (),
        relived: Iterable[str] = (),
        reports: Mapping[str, Mapping[str, Any]] | None = None,
        superseded: Mapping[str, str] | None = None,
        swap_pause_s: float | None = None,
        actor: Actor = "publisher",
    ) -> None:
        """The engine serves this version and its probes agree: one transaction with the served row.

        live         edits that are in force from now on (editing -> live)
        rolled_back  edits the version lacks, by undo or restore (live -> rolled_back)
        relived      edits that a restored version holds again (rolled_back -> live)
        superseded   old correction -> the one that replaces it (approved, live or in_knowledge -> superseded)
        """
        with self._store.transaction():
            before = self._store.value("SELECT served FROM serving")
            self._versions.set_served(version_id, swap_pause_s=swap_pause_s)
            found, moment, due = reports or {}, now(), self._policy.review_after[Remedy.WEIGHTS]
            for correction_id, to in [
                *((one, Status.LIVE) for one in live),
                *((one, Status.LIVE) for one in relived),
                *((one, Status.ROLLED_BACK) for one in rolled_back),
            ]:
                row = self._row(correction_id)
                if correction_id in found:
                    self._keep_report(row, found[correction_id])
                undone = self._vault.get(row["undo_reason_text_id"]) if row["undo_requested"] else None
                row["undo_requested"] = 0
                row["weights_version_before"], row["weights_version_after"] = before, version_id
                row["swap_pause_s"] = swap_pause_s
                if to is Status.LIVE:
                    row["live_since"], row["review_due"] = to_text(moment), to_text(moment + due)
                row["superseded_by"] = None
                self._move(row, to, actor, undone or "", {"version": version_id, "report": row["report_sha256"]})
            for correction_id, by in (superseded or {}).items():
                row = self._row(correction_id)
                if row["status"] == Status.LIVE:
                    row["weights_version_before"], row["weights_version_after"] = before, version_id
                self._supersede(row, by, actor)

    def probe_failed(self, correction_id: str, report: Mapping[str, Any]) -> None:
        """The served engine did not show this edit: once more from approved, then as its approver chose."""
        with self._store.transaction():
            row = self._row(correction_id)
            self._keep_report(row, report)
            row["probe_failures"] += 1
            reason = "the served model did not show the edit"
            if row["probe_failures"] < PROBE_ATTEMPTS:
                self._move(row, Status.APPROVED, "publisher", reason)
            else:
                self._settle(row, "publisher", reason)

    def taken_back(self, ids: Iterable[str], *, reason: str, actor: Actor = "publisher") -> None:
        """Edits whose release was taken back for the sake of another one: approved again, nothing held against them."""
        with self._store.transaction():
            for correction_id in ids:
                self._move(self._row(correction_id), Status.APPROVED, actor, reason)

    def to_knowledge(self, correction_id: str) -> Correction:
        """The correction is answered from the knowledge layer from now on."""
        with self._store.transaction():
            row = self._row(correction_id)
            row["review_due"] = to_text(now() + self._policy.review_after[Remedy.KNOWLEDGE])
            self._move(row, Status.IN_KNOWLEDGE, "librarian")
            return self.get(correction_id)

    def supersede(self, correction_id: str, by: str, *, actor: Actor, reason: str = "") -> Correction:
        """A newer correction in force takes the place of this one."""
        with self._store.transaction():
            row = self._row(correction_id)
            if Status(row["status"]) is Status.LIVE and self.in_weights(correction_id):
                raise MoveNotAllowed("a live edit is superseded by published(), when the served version lacks it")
            self._supersede(row, by, actor, reason)
            return self.get(correction_id)

    def requeue_interrupted(self, *, blame: bool = True) -> tuple[str, ...]:
        """What is being edited and is not in the version that waits to be served starts again: after a crash of the worker,
        or when somebody wanted another version since.

        One that took the worker down too often is set aside instead, unless no edit is to `blame`; returns the others.
        """
        again: list[str] = []
        with self._store.transaction():
            for row in self._store.rows(
                "SELECT c.* FROM corrections c WHERE c.status = 'editing' AND NOT EXISTS ("
                " SELECT 1 FROM serving s JOIN version_corrections vc ON vc.version_id = s.desired"
                " WHERE vc.correction_id = c.id AND s.served IS NOT s.desired)"
                " ORDER BY c.created, c.id"
            ):
                row["crashes"] += blame
                if row["crashes"] < self._policy.limits.crashes:
                    self._move(row, Status.APPROVED, "worker", "the worker was interrupted")
                    again.append(row["id"])
                else:
                    self._settle(row, "worker", f"the worker was interrupted {row['crashes']} times by this edit")
        return tuple(again)

    def finish_undos(self) -> None:
        """Roll back what was asked to be, where the version that is served lacks it: by a restore, or on another base.
        While another version is wanted nothing is done: the publisher is at work."""
        with self._store.transaction():
            rows = self._store.rows(
                "SELECT c.id, s.served FROM corrections c JOIN serving s ON s.served = s.desired"
                " WHERE c.status = 'live' AND c.undo_requested AND NOT EXISTS (SELECT 1 FROM version_corrections vc"
                " WHERE vc.version_id = s.served AND vc.correction_id = c.id) ORDER BY c.created, c.id"
            )
            if rows:  # what is served already stays so
                self.published(version_id=rows[0]["served"], rolled_back=[row["id"] for row in rows], actor="worker")

    def mark_told(self, correction_id: str, *, moves: int) -> None:
        """The reporter has been told the outcome, unless it has moved on since it had so many `moves`."""
        with self._store.transaction():
            row = self._row(correction_id)
            if moves == self._store.value("SELECT COUNT(*) FROM moves WHERE correction_id = :id", id=correction_id):
                row["told"] = to_text(now())
                self._event("told", row, "herald", reporter=row["reporter_pseudonym"])

    def probed_again(self, correction_id: str, *, holds: bool, reply: str) -> None:
        """A fact in force was probed after its review date: it is shown to people again, by an alarm that says whether
        it still holds. Its date stays, until a person has looked."""
        with self._store.transaction():
            row = self._row(correction_id)
            check_status(Status(row["status"]), IN_FORCE, "review")
            found = {"for": row["review_due"], "at": to_text(now()), "holds": holds, "reply": reply}
            self._rewrite(row["work_text_id"], review=found)
            alarm = "review" if holds else "review_failed"
            self._alarm(alarm, correction_id)
            self._event("probed_again", row, "review", holds=holds, due=row["review_due"])

    def _is_burst(self, row: Mapping[str, Any]) -> bool:
        """Did as many reports as the policy names come in on this subject within its time, this one among them or beside
        it? True once for each such window, however late triage finds the subject."""
        alarms, came = self._policy.alarms, from_text(row["created"])
        window = timedelta(minutes=alarms.burst_minutes)
        near = self._store.rows(
            "SELECT c.created, EXISTS (SELECT 1 FROM alarms a WHERE a.correction_id = c.id AND a.kind = 'burst') AS told"
            " FROM corrections c WHERE (c.subject_key = :key OR c.id = :id) AND c.created > :since AND c.created < :until"
            " ORDER BY c.created",
            key=row["subject_key"],
            id=row["id"],
            since=to_text(came - window),
            until=to_text(came + window),
        )
        times = [from_text(one["created"]) for one in near]
        spans = zip(times, times[alarms.burst_reports - 1 :], strict=False)
        return not any(one["told"] for one in near) and any(last - first < window for first, last in spans)

    def _settle(self, row: dict[str, Any], actor: Actor, reason: str) -> None:
        to = Status.IN_KNOWLEDGE if row["fallback"] == Fallback.KNOWLEDGE else Status.FAILED
        if to is Status.IN_KNOWLEDGE:
            row["review_due"] = to_text(now() + self._policy.review_after[Remedy.KNOWLEDGE])
        self._move(row, to, actor, reason, {"report": row["report_sha256"]})

    def _supersede(self, row: dict[str, Any], by: str, actor: Actor, reason: str = "") -> None:
        if row["status"] == Status.APPROVED:  # it waited for the newer one: the table's way out is over knowledge
            self._move(row, Status.IN_KNOWLEDGE, actor, reason)
        row["superseded_by"], row["undo_requested"] = self._row(by)["id"], 0
        self._move(row, Status.SUPERSEDED, actor, reason, {"by": by})

    def _name_to(self, others: Iterable[str], correction_id: str) -> None:
        """Those that a report contradicts name it, too: whichever is decided first, its decider sees both."""
        for other in others:
            row = self._row(other)
            row["conflicts"] = json.dumps(list(dict.fromkeys([*json.loads(row["conflicts"]), correction_id])))
            self._save(row)

    def _keep_report(self, row: dict[str, Any], report: Mapping[str, Any]) -> None:
        self._rewrite(row["work_text_id"], report=dict(report))
        row["report_sha256"] = digest(report)

    def _barred(self, row: Mapping[str, Any]) -> str | None:
        correction = self._load(row)
        bar = self._policy.weights_barred(
            category=correction.category, personal_data=correction.personal_data, volatile=correction.volatile
        )
        # What an erasure itself commissions names the person, so that nothing else is said of them.
        words = correction.claim.words
        if bar or correction.channel == "erasure" or not names_somebody_to_be_erased(self._store, self._vault, words):
            return bar
        return "it concerns somebody who has asked to be erased"

    def _assess(self, row: dict[str, Any]) -> None:
        """Set tier and approvals anew; a tier never falls by an edit of the words."""
        correction = self._load(row)
        tier, ground = self._policy.risk_tier(
            correction.claim, category=correction.category, personal_data=correction.personal_data
        )
        needed = self._policy.approvals_needed(tier)
        if needed >= row["approvals_needed"]:
            row["risk_tier"], row["approvals_needed"] = tier, needed
            row["due"] = min(row["due"], to_text(correction.created + self._policy.tier(tier).due))
            self._rewrite(row["work_text_id"], tier_ground=ground)
