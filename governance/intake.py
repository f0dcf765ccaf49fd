"""The intake of reports: what may be submitted, by whom, how often, and what it is checked against."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from governance.accounts import Account
from governance.answers import Answers
from governance.claims import (
    MAX_ANSWER_OLD,
    MAX_COMMENT,
    MAX_CORRECT_ANSWER,
    MAX_EVIDENCE,
    MAX_EVIDENCE_ITEM,
    MAX_QUESTION,
    MAX_SUBJECT,
    NORMAL_FORM,
    check_text,
    check_texts,
)
from governance.corrections import SCHEMA_VERSION, Category, Claim, Correction, Status
from governance.errors import Forbidden, InvalidClaim, NotFound, TooMany, WrongKey
from governance.forgetting import Forgetting
from governance.ids import new_id
from governance.times import now, to_text

INSERT = """
INSERT INTO corrections (id, schema_version, created, updated, channel, status, reporter_id, reporter_pseudonym,
    reporter_role, answer_id, weights_version_at_report, index_generation, claim_text_id, work_text_id, claim_key,
    subject_key, answer_key, category, risk_tier, approvals_needed, due, idempotency_hash, request_hash)
VALUES (:id, :schema_version, :created, :updated, :channel, :status, :reporter_id, :reporter_pseudonym,
    :reporter_role, :answer_id, :weights_version_at_report, :index_generation, :claim_text_id, :work_text_id,
    :claim_key, :subject_key, :answer_key, :category, :risk_tier, :approvals_needed, :due, :idempotency_hash,
    :request_hash)
"""
KEYS = """
UPDATE corrections SET claim_key = :claim_key, subject_key = :subject_key, answer_key = :answer_key WHERE id = :id
"""


class Intake(Forgetting):
    """How a report gets in. People propose here; nothing takes effect by it."""

    def flag(
        self,
        reporter: Account,
        *,
        correct_answer: str,
        question: str = "",
        answer: str = "",
        answer_id: str | None = None,
        evidence: Sequence[str] = (),
        category: Category = Category.WRONG,
        comment: str = "",
        subject: str = "",
        channel: str = "api",
        valid_from: str = "",
        valid_until: str = "",
        language: str = "",
        idempotency_key: str | None = None,
    ) -> Correction:
        """Report a wrong answer with the right one; of a recorded answer, question and text are taken from the record,
        and `question` is the reporter's own wording of it, which becomes the canonical question.

        The same idempotency key from the same person returns the first report again.
        """
        if not reporter.role.may_report:
            raise Forbidden(f"{reporter.role.with_article} changes nothing: report from another account")
        claim: dict[str, Any] = {
            "correct_answer": check_text("correct_answer", correct_answer, longest=MAX_CORRECT_ANSWER),
            "comment": check_text("comment", comment, longest=MAX_COMMENT, required=False),
            "evidence": check_texts("evidence", evidence, longest=MAX_EVIDENCE_ITEM, most=MAX_EVIDENCE),
            "subject": check_text("subject", subject, longest=MAX_SUBJECT, required=False),
            "valid_from": check_text("valid_from", valid_from, longest=40, required=False),
            "valid_until": check_text("valid_until", valid_until, longest=40, required=False),
            "language": check_text("language", language, longest=40, required=False),
            "canonical_question": "",
        }
        wording = check_text("question", question, longest=MAX_QUESTION, required=answer_id is None)
        if answer_id is None:
            claim["answer_old"] = check_text("answer", answer, longest=MAX_ANSWER_OLD)
        key_hash = request_hash = None
        if idempotency_key is not None:
            check_text("Idempotency-Key", idempotency_key, longest=255)
            # To the letter: the normal form, made for texts, would take a_1 for a-1.
            key_hash = self._hash(f"idempotency {idempotency_key}")
            sent = ("request", answer_id, wording, claim.get("answer_old", ""), claim["correct_answer"])
            request_hash = self._hash(json.dumps(sent))
        with self._store.transaction():
            if key_hash is not None and (earlier := self._earlier(reporter, key_hash, request_hash)):
                return earlier
            given = None
            if answer_id is not None:
                answers = Answers(self._store, self._vault)
                given = answers.get(answer_id, account_id=None if reporter.role.may_review else reporter.id)
                question, answer = answers.texts(given)
                if not question:
                    raise NotFound(f"the text of answer {answer_id!r} is gone: send question and answer instead")
                # Our own model wrote the answer, so only what the person wrote is checked for control tokens.
                claim["answer_old"] = answer[:MAX_ANSWER_OLD]
            claim["question"] = check_text("question", question, longest=MAX_QUESTION)
            claim["canonical_question"] = wording or claim["question"]
            if claim["correct_answer"].casefold().split() == claim["answer_old"].casefold().split():
                raise InvalidClaim("correct_answer says the same as the answer: say what is right", "correct_answer")
            row = self._new_row(reporter, claim, Category(category), channel)
            row["idempotency_hash"], row["request_hash"] = key_hash, request_hash
            if not claim["subject"]:
                row["subject_key"] = self._subject_found_before(row) or row["subject_key"]
            self._check_limits(reporter, row)
            if given is not None:
                row["answer_id"], row["weights_version_at_report"] = given.id, given.weights_version
                row["index_generation"] = given.index_generation
            row["claim_text_id"] = self._vault.put(reporter.id, "claim", json.dumps(claim, ensure_ascii=False))
            row["work_text_id"] = self._vault.put(reporter.id, "work", json.dumps({}))
            row = self._insert(row)
            alarms = ["burst"] if self._is_burst(row) else []
            self._move(
                row,
                Status.FLAGGED,
                reporter,
                extra={
                    "answer_id": row["answer_id"],
                    "category": row["category"],
                    "tier": row["risk_tier"],
                    "alarms": alarms,
                },
            )
            for alarm in alarms:
                self._alarm(alarm, row["id"])
            return self.get(row["id"])

    def renew_keys(self) -> None:
        """Set the keys of claims that were stored under a former normal form anew. Once; a text that cannot be opened keeps
        its keys. Call it with the right master key: when a data folder is opened."""
        if self._normal_form() == NORMAL_FORM:
            return
        with self._store.transaction() as db:
            if self._normal_form() == NORMAL_FORM:  # another process was faster
                return
            for row in self._store.rows("SELECT id, claim_text_id FROM corrections WHERE claim_key IS NOT NULL"):
                with suppress(WrongKey):
                    if claim := self._texts(row.pop("claim_text_id")):
                        self._index(row, claim)
                        self._store.write(KEYS, **row)
            db.execute(f"PRAGMA user_version = {NORMAL_FORM}")

    # -- parts ----------------------------------------------------------------------------------------------------

    def _normal_form(self) -> int:
        """The form under which claims are stored, kept in the database's header: 0 for the first and for an empty one."""
        return int(self._store.value("PRAGMA user_version"))

    def _new_row(self, reporter: Account, claim: dict[str, Any], category: Category, channel: str) -> dict[str, Any]:
        tier, _ = self._policy.risk_tier(Claim.read(claim), category=category)
        moment = now()
        row: dict[str, Any] = {
            "id": new_id("cor"),
            "schema_version": SCHEMA_VERSION,
            "created": to_text(moment),
            "updated": to_text(moment),
            "channel": check_text("channel", channel, longest=40),
            "status": "",
            "reporter_id": reporter.id,
            "reporter_pseudonym": reporter.pseudonym,
            "reporter_role": reporter.role.value,
            "category": category.value,
            "risk_tier": tier,
            "approvals_needed": self._policy.approvals_needed(tier),
            "due": to_text(moment + self._policy.tier(tier).due),
            "answer_id": None,
            "weights_version_at_report": None,
            "index_generation": None,
        }
        self._index(row, claim)
        return row

    def _insert(self, row: dict[str, Any]) -> dict[str, Any]:
        self._store.write(INSERT, **row)
        return self._row(row["id"])

    def _hash(self, sent: str) -> bytes:
        return hmac.digest(self._pepper, sent.encode(), hashlib.sha256)

    def _earlier(self, reporter: Account, key_hash: bytes, request_hash: bytes | None) -> Correction | None:
        """The report this idempotency key was used for. Raises InvalidClaim if it was another claim; of one that is erased
        that is not known any more."""
        found = self._store.row(
            "SELECT * FROM corrections WHERE reporter_id = :reporter AND idempotency_hash = :hash",
            reporter=reporter.id,
            hash=key_hash,
        )
        if found is None:
            return None
        # Somebody may have put the claim into other words since, so what was sent is compared.
        if found["request_hash"] not in (None, request_hash):
            raise InvalidClaim("this Idempotency-Key was used for another report: take a new one", "Idempotency-Key")
        return self._load(found)

    def _check_limits(self, reporter: Account, row: dict[str, Any]) -> None:
        limits, moment = self._policy.limits, now()
        mine = self._store.value(
            "SELECT COUNT(*) FROM corrections WHERE reporter_id = :reporter AND created > :since",
            reporter=reporter.id,
            since=to_text(moment - timedelta(hours=1)),
        )
        if mine >= limits.reports_per_person_hour:
            raise TooMany(f"you sent {mine} reports within an hour: {limits.reports_per_person_hour} are allowed", 600)
        same = self._store.value(
            "SELECT COUNT(*) FROM corrections WHERE subject_key = :key AND created > :since",
            key=row["subject_key"],
            since=to_text(moment - timedelta(days=1)),
        )
        if same >= limits.reports_per_subject_day:
            raise TooMany(f"there are {same} reports on this subject today: they are being looked at", 3600)

    def _subject_found_before(self, row: dict[str, Any]) -> bytes | None:
        """The key of the subject that triage found for the same question, under which such a report counts at once."""
        found: bytes | None = self._store.value(
            "SELECT subject_key FROM corrections WHERE claim_key = :key AND status <> 'flagged' ORDER BY created DESC LIMIT 1",
            key=row["claim_key"],
        )
        return found
