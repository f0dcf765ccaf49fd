"""What people do to corrections: report, revise, approve, reject, reroute, appeal, undo; all by policy, all logged."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from governance.accounts import Account, logged
from governance.claims import (
    MAX_COMMENT,
    MAX_CORRECT_ANSWER,
    MAX_EVIDENCE,
    MAX_EVIDENCE_ITEM,
    MAX_PHRASINGS,
    MAX_QUESTION,
    MAX_REASON,
    MAX_SUBJECT,
    check_subject,
    check_text,
    check_texts,
)
from governance.corrections import WORDINGS, Correction, Fallback, Remedy, Status
from governance.errors import Forbidden, InvalidClaim, MoveNotAllowed, NotFound, TooMany, WeightsBarred
from governance.intake import Intake
from governance.lifecycle import BEFORE_APPROVAL, IN_FORCE, check_move, check_status
from governance.times import now, to_text


class Ledger(Intake):
    """The corrections of this installation. Every method is one transaction with its log entry, or none of it.

    Raises NotFound, MoveNotAllowed (the status), Forbidden (the person), InvalidClaim (the text), TooMany (a limit).
    Where an act is told the `read_round`, it is refused (MoveNotAllowed) unless that is the round of the correction now:
    nobody decides on words that they have not seen.
    """

    def revise(
        self,
        correction_id: str,
        actor: Account,
        *,
        canonical_question: str | None = None,
        subject: str | None = None,
        correct_answer: str | None = None,
        paraphrases: Sequence[str] | None = None,
        probes: Sequence[str] | None = None,
        neighbours: Sequence[str] | None = None,
        judge: Callable[[Correction], tuple[bool, bool | None]] | None = None,
        read_round: int | None = None,
    ) -> Correction:
        """Put the claim into its canonical form before approval; approvals given for the old words lapse.

        `judge` says of the claim in its new words whether it holds personal data and whether its answer changes (None:
        unsure); what policy bars from the weights then goes to knowledge.
        """
        self._check_reviewer(actor, "edit a claim")
        claim: dict[str, str] = {}
        for field, text, longest in (
            ("canonical_question", canonical_question, MAX_QUESTION),
            ("subject", subject, MAX_SUBJECT),
            ("correct_answer", correct_answer, MAX_CORRECT_ANSWER),
        ):
            if text is not None:
                claim[field] = check_text(field, text, longest=longest)
        work: dict[str, tuple[str, ...]] = {}
        for field, texts in zip(WORDINGS, (paraphrases, probes, neighbours), strict=True):
            if texts is not None:
                work[field] = check_texts(field, texts, longest=MAX_QUESTION, most=MAX_PHRASINGS)
        if not claim and not work:
            raise InvalidClaim(
                f"nothing to change: send canonical_question, subject, correct_answer, {', '.join(WORDINGS[:-1])}"
                f" or {WORDINGS[-1]}"
            )
        with self._store.transaction():
            row = self._row(correction_id)
            check_status(Status(row["status"]), BEFORE_APPROVAL, "edit the claim of")
            _check_round(row, read_round)
            before = self._texts(row["claim_text_id"])
            if not before:
                raise NotFound(f"the text of correction {correction_id!r} has been erased")
            merged = before | claim
            if "subject" in claim or "canonical_question" in claim:
                check_subject(merged.get("subject", ""), merged.get("canonical_question", ""))
            if claim.get("correct_answer", before["correct_answer"]) != before["correct_answer"]:
                self._store.write(
                    "INSERT OR IGNORE INTO claim_authors (correction_id, actor_id) VALUES (:id, :actor)",
                    id=correction_id,
                    actor=actor.id,
                )
            self._index(row, self._rewrite(row["claim_text_id"], **claim))
            self._rewrite(row["work_text_id"], **{name: list(texts) for name, texts in work.items()})
            if judge is not None:
                row["personal_data"], row["volatile"] = judge(self._load(row))
            if row["remedy"] == Remedy.WEIGHTS and (bar := self._barred(row)):
                row["remedy"] = Remedy.KNOWLEDGE.value
                self._rewrite(row["work_text_id"], reason=f"revised; not weights, because {bar}")
            self._assess(row)
            row["round"] += 1
            self._save(row)
            found = self.related(correction_id)
            row["conflicts"], repeated = json.dumps(list(found.conflicts)), row["duplicate_of"]
            row["duplicate_of"] = found.repeats
            self._name_to(found.conflicts, correction_id)
            self._event(
                "revised",
                row,
                actor,
                fields=sorted((*claim, *work)),
                claim=self._vault.commitment(row["claim_text_id"]),
                duplicate_of=found.repeats,
            )
            self._rank(repeated, found.repeats)
            return self.get(correction_id)

    def approve(
        self,
        correction_id: str,
        actor: Account,
        *,
        reason: str = "",
        fallback: Fallback = Fallback.KNOWLEDGE,
        read_round: int | None = None,
    ) -> Correction:
        """One person's yes. With enough of them the correction is approved; until then it stays queued."""
        reason = check_text("reason", reason, longest=MAX_REASON, required=False)
        with self._store.transaction():
            row = self._row(correction_id)
            if not actor.role.may_administer:
                self._policy.check_approval(self._load(row), actor)
            check_status(Status(row["status"]), frozenset({Status.QUEUED}), "approve")
            _check_round(row, read_round)
            correction = self._load(row)
            self._policy.check_approval(correction, actor)
            if correction.erased:
                raise NotFound(f"the text of correction {correction_id!r} has been erased: reject it")
            if correction.remedy is Remedy.WEIGHTS:
                self._check_weights(row)
            self._store.write(
                "INSERT INTO approvals (correction_id, round, actor_id, actor, role, at, reason_text_id)"
                " VALUES (:id, :round, :actor_id, :actor, :role, :at, :reason)",
                id=correction_id,
                round=row["round"],
                actor_id=actor.id,
                actor=actor.pseudonym,
                role=actor.role.value,
                at=to_text(now()),
                reason=self._reason(row, reason),
            )
            row["fallback"] = Fallback(fallback).value
            alarms = ["fast_approval"] if self._is_fast(correction) else []
            for alarm in alarms:
                self._alarm(alarm, correction_id)
            given = [*(approval.actor for approval in correction.approvals), actor.pseudonym]
            if len(given) < row["approvals_needed"]:
                self._event("approval", row, actor, given=given, needed=row["approvals_needed"], alarms=alarms)
            else:
                extra = {"approvals": given, "remedy": row["remedy"], "fallback": row["fallback"], "alarms": alarms}
                self._move(row, Status.APPROVED, actor, reason, extra)
            return self.get(correction_id)

    def reject(self, correction_id: str, actor: Account, *, reason: str = "") -> Correction:
        """A reviewer says no; the reporter may appeal."""
        self._check_reviewer(actor, "reject a report")
        return self._people_move(correction_id, Status.REJECTED, actor, reason)

    def ask_evidence(self, correction_id: str, actor: Account, *, reason: str = "") -> Correction:
        """A reviewer asks the reporter for a source."""
        self._check_reviewer(actor, "ask for evidence")
        return self._people_move(correction_id, Status.NEEDS_EVIDENCE, actor, reason, new_round=True)

    def requeue(self, correction_id: str, actor: Account, *, reason: str = "") -> Correction:
        """An admin takes an approved or failed correction back to the queue; it needs new approvals. Its edit is forgotten,
        since the words may be revised; that of the same words is found again."""
        if not actor.role.may_administer:
            raise Forbidden(f"{actor.role.with_article} may not take back an approval: ask an admin")
        with self._store.transaction():
            status = Status(self._row(correction_id)["status"])
            check_status(status, frozenset({Status.APPROVED, Status.FAILED}), "requeue")
            afresh = {"artefact": None, "edit": "{}", "crashes": 0, "probe_failures": 0}
            return self._people_move(correction_id, Status.QUEUED, actor, reason, new_round=True, **afresh)

    def add_evidence(
        self, correction_id: str, actor: Account, *, evidence: Sequence[str] = (), reason: str = ""
    ) -> Correction:
        """The reporter (or a reviewer) adds sources; a report that waited for them goes through triage again, in the queue
        they wait to be read by machine. Who read the report without them does not approve it: a new round begins.

        A reason that nobody waited for joins the comment, so only the reporter may give one."""
        found = check_texts("evidence", evidence, longest=MAX_EVIDENCE_ITEM, most=MAX_EVIDENCE)
        comment = check_text("reason", reason, longest=MAX_REASON, required=not found)
        with self._store.transaction():
            row = self._own_row(correction_id, actor)
            check_status(Status(row["status"]), BEFORE_APPROVAL, "add evidence to")
            claim = self._texts(row["claim_text_id"])
            before = tuple(claim.get("evidence", ()))
            said = claim.get("comment", "")
            if comment and row["status"] != Status.NEEDS_EVIDENCE:  # else the move holds it
                if row["reporter_id"] != actor.id:
                    raise Forbidden("the comment is the reporter's alone: send the evidence without a reason")
                if len(said) + len(comment) >= MAX_COMMENT:
                    raise InvalidClaim(f"reason finds no room left: a comment has {MAX_COMMENT:,} characters", "reason")
                said = check_text("reason", f"{said}\n{comment}", longest=MAX_COMMENT)
            self._rewrite(
                row["claim_text_id"],
                evidence=check_texts("evidence", before + found, longest=MAX_EVIDENCE_ITEM, most=MAX_EVIDENCE),
                comment=said,
            )
            row["round"] += bool(found)
            if found and row["status"] == Status.QUEUED:
                self._store.write("INSERT OR IGNORE INTO unread_evidence VALUES (:id)", id=correction_id)
            if row["status"] == Status.NEEDS_EVIDENCE:
                self._move(row, Status.FLAGGED, actor, comment, {"evidence": len(before) + len(found)})
            else:
                self._event("evidence", row, actor, evidence=len(before) + len(found))
            return self.get(correction_id)

    def withdraw(self, correction_id: str, actor: Account, *, reason: str = "") -> Correction:
        """The reporter takes the report back, or a reviewer closes it."""
        with self._store.transaction():
            self._own_row(correction_id, actor)
            return self._people_move(correction_id, Status.CLOSED, actor, reason)

    def appeal(self, correction_id: str, actor: Account, *, reason: str = "") -> Correction:
        """The reporter asks for a second look at a rejected report."""
        with self._store.transaction():
            row = self._own_row(correction_id, actor)
            check_status(Status(row["status"]), frozenset({Status.REJECTED}), "appeal for")
            if row["appeals"] >= self._policy.limits.appeals:
                raise Forbidden(f"this report was appealed {row['appeals']} times: the decision stands")
            row["appeals"] += 1
            row["round"] += 1
            self._move(
                row,
                Status.FLAGGED,
                actor,
                check_text("reason", reason, longest=MAX_REASON, required=False),
                {"appeal": row["appeals"]},
            )
            return self.get(correction_id)

    def reroute(
        self, correction_id: str, actor: Account, *, remedy: Remedy, reason: str = "", read_round: int | None = None
    ) -> Correction:
        """A reviewer chooses the other remedy. Raises WeightsBarred for a fact that may not be edited."""
        self._check_reviewer(actor, "reroute a report")
        reason = check_text("reason", reason, longest=MAX_REASON, required=False)
        with self._store.transaction():
            row = self._row(correction_id)
            check_status(Status(row["status"]), frozenset({Status.QUEUED}), "reroute")
            _check_round(row, read_round)
            if remedy is Remedy.WEIGHTS and (bar := self._barred(row)):
                raise WeightsBarred(f"this correction cannot be edited into weights: {bar}")
            row["remedy"] = Remedy(remedy).value
            row["round"] += 1
            self._rewrite(row["work_text_id"], reason=reason or f"rerouted by {actor.role.with_article}")
            commitment = self._vault.commitment(row["work_text_id"])
            self._event("rerouted", row, actor, remedy=row["remedy"], work=commitment)
            return self.get(correction_id)

    def request_rollback(self, correction_id: str, actor: Account, *, reason: str = "") -> Correction:
        """Undo: from knowledge at once; an edit in the weights stays live, marked, until the publisher confirms."""
        if not actor.role.may_administer:
            raise Forbidden(f"{actor.role.with_article} may not roll back: ask an admin")
        reason = check_text("reason", reason, longest=MAX_REASON, required=False)
        with self._store.transaction():
            row = self._row(correction_id)
            check_move(Status(row["status"]), Status.ROLLED_BACK)
            if row["status"] == Status.IN_KNOWLEDGE or not self.in_weights(correction_id):
                self._move(row, Status.ROLLED_BACK, actor, reason)
            elif not row["undo_requested"]:
                row["undo_requested"], row["undo_reason_text_id"] = 1, self._reason(row, reason)
                commitment = self._vault.commitment(row["undo_reason_text_id"])
                self._event("undo_requested", row, actor, reason=commitment)
            return self.get(correction_id)

    def reviewed(self, correction_id: str, actor: Account) -> None:
        """A fact in force was looked at again and stands: its next review date is set."""
        self._check_reviewer(actor, "review a fact")
        with self._store.transaction():
            row = self._row(correction_id)
            check_status(Status(row["status"]), IN_FORCE, "review")
            remedy = Remedy.WEIGHTS if row["status"] == Status.LIVE else Remedy.KNOWLEDGE
            row["review_due"] = to_text(now() + self._policy.review_after[remedy])
            self._event("reviewed", row, actor, due=row["review_due"])

    def see_alarm(self, alarm_id: int, actor: Account) -> None:
        """A person has looked at the alarm."""
        self._check_reviewer(actor, "settle an alarm")
        with self._store.transaction():
            if not self._store.write("UPDATE alarms SET seen = :at WHERE id = :id", at=to_text(now()), id=alarm_id):
                raise NotFound(f"no alarm {alarm_id}")
            self._log.append("alarm.seen", {"alarm": alarm_id, **logged(actor)})

    # -- parts ----------------------------------------------------------------------------------------------------

    def _people_move(
        self, correction_id: str, to: Status, actor: Account, reason: str, *, new_round: bool = False, **changed: Any
    ) -> Correction:
        reason = check_text("reason", reason, longest=MAX_REASON, required=False)
        with self._store.transaction():
            row = self._row(correction_id)
            row["round"] += int(new_round)
            self._move(row | changed, to, actor, reason)
            return self.get(correction_id)

    def _own_row(self, correction_id: str, actor: Account) -> dict[str, Any]:
        """The row, for its reporter or a reviewer; for anyone else there is no such correction."""
        row = self._row(correction_id)
        if row["reporter_id"] != actor.id and not actor.role.may_review:
            raise NotFound(f"no correction {correction_id!r}")
        return row

    def _check_reviewer(self, actor: Account, act: str) -> None:
        if not actor.role.may_review:
            raise Forbidden(f"{actor.role.with_article} may not {act}: ask a reviewer")

    def _check_weights(self, row: dict[str, Any]) -> None:
        """Raises WeightsBarred, or TooMany when the day's or the subject's share of weight edits is used up."""
        if bar := self._barred(row):
            raise WeightsBarred(f"this correction cannot be edited into weights: {bar}; reroute it to knowledge")
        limits = self._policy.limits
        today = self._store.value(
            "SELECT COUNT(*) FROM moves m JOIN corrections c ON c.id = m.correction_id"
            " WHERE m.at > :since AND m.to_status = 'approved' AND m.role <> 'system' AND c.remedy = 'weights'",
            since=to_text(now() - timedelta(days=1)),
        )
        if today >= limits.weight_edits_per_day:
            raise TooMany(f"{today} weight edits were approved within a day: approve this one tomorrow", 3600)
        same = self._store.value(
            "SELECT COUNT(*) FROM corrections WHERE subject_key = :key AND remedy = 'weights'"
            " AND status IN ('approved', 'editing', 'live')",
            key=row["subject_key"],
        )
        if same >= limits.weight_edits_per_subject:
            raise TooMany(f"{same} edits on this subject are in force: reroute it to knowledge", 3600)

    def _is_fast(self, correction: Correction) -> bool:
        if correction.channel == "erasure":  # approved with its request, which took as long as it took
            return False
        queued = [move.at for move in correction.moves if move.to_status is Status.QUEUED]
        return bool(queued) and (now() - queued[-1]).total_seconds() < self._policy.alarms.fast_approval_s


def _check_round(row: dict[str, Any], read_round: int | None) -> None:
    """Raises MoveNotAllowed if words, remedy or evidence have changed since the round that the person read (None: not said)."""
    if read_round not in (None, row["round"]):
        raise MoveNotAllowed(
            f"correction {row['id']!r} has changed since you read it, in its words, its remedy or its evidence: look at it"
            " again"
        )
