"""What an erasure does to corrections: a fact in force outlives its reporter, everything else of theirs loses its texts."""

import json
from collections.abc import Collection

from governance.accounts import Actor
from governance.correction_rows import TEXTS_OF_CORRECTIONS
from governance.corrections import WORDINGS, Status
from governance.errors import MoveNotAllowed
from governance.process import ProcessBook

FORGOTTEN_BY = {
    Status.FLAGGED: (Status.CLOSED,),
    Status.NEEDS_EVIDENCE: (Status.CLOSED,),
    Status.QUEUED: (Status.CLOSED,),
    Status.APPROVED: (Status.QUEUED, Status.CLOSED),
    Status.EDITING: (Status.APPROVED, Status.QUEUED, Status.CLOSED),
    Status.LIVE: (Status.ROLLED_BACK,),
    Status.FAILED: (Status.QUEUED, Status.CLOSED),
    Status.IN_KNOWLEDGE: (Status.ROLLED_BACK,),
}
KEPT = ("canonical_question", "subject", "correct_answer", "valid_from", "valid_until", "language")
REASONS_OF_OTHERS = """
SELECT reason_text_id AS text FROM moves
WHERE correction_id = :id AND actor_id <> :reporter AND role <> 'system' AND reason_text_id IS NOT NULL
UNION ALL SELECT reason_text_id FROM approvals WHERE correction_id = :id AND reason_text_id IS NOT NULL
UNION ALL SELECT undo_reason_text_id FROM corrections c
WHERE id = :id AND undo_requested AND undo_reason_text_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM audit_entries
    WHERE json_extract(entry, '$.kind') = 'correction.undo_requested' AND json_extract(entry, '$.correction') = :id
        AND json_extract(entry, '$.actor') = c.reporter_pseudonym
)
"""


class Forgetting(ProcessBook):
    """Each method is one transaction with its log entries."""

    def adopt(self, correction_id: str, *, actor: Actor) -> None:
        """Keep a fact in force although its reporter is erased: question, subject and answer in canonical form alone,
        under the correction's own key, with its dates and the reasons that others gave. What the person wrote around it
        goes with their key."""
        with self._store.transaction():
            row = self._row(correction_id)
            claim, work = self._texts(row["claim_text_id"]), self._texts(row["work_text_id"])
            if not claim:
                return
            kept = {name: claim.get(name, "") for name in KEPT}
            adopted = json.dumps(kept | {"question": kept["canonical_question"]}, ensure_ascii=False)
            self._vault.replace(row["claim_text_id"], adopted, owner=correction_id)
            triage = {"freshness": work["triage"]["freshness"]} if "freshness" in work.get("triage", {}) else {}
            work = {name: work[name] for name in ("report", "review", *WORDINGS) if name in work} | {"triage": triage}
            self._vault.replace(row["work_text_id"], json.dumps(work, ensure_ascii=False), owner=correction_id)
            said = self._store.rows(REASONS_OF_OTHERS, id=correction_id, reporter=row["reporter_id"])
            self._vault.hand_over((one["text"] for one in said), of=[row["reporter_id"]], to=correction_id)
            row["request_hash"] = None
            self._event("adopted", row, actor, claim=self._vault.commitment(row["claim_text_id"]))

    def keep(self, ref: str, *, of: Collection[str]) -> bool:
        """Keep a correction whole, or a single text, although its owner, one `of` these, is erased: as it is, under a key
        of its own. False if it is nobody's of these."""
        with self._store.transaction():
            texts = [ref] if ref.startswith("txt_") else self._texts_of(ref)
            return self._vault.hand_over(texts, of=of, to=ref) > 0

    def forget(self, correction_id: str, *, actor: Actor, is_restored: bool = False) -> tuple[str, ...]:
        """Delete every text of a correction; an open one is closed, one in knowledge rolled back. Returns the text ids.

        Raises MoveNotAllowed for one that is live or being edited: publish a version without it first. In a state that
        `is_restored` and that nothing is served from yet, it is rolled back or closed as well.
        """
        with self._store.transaction():
            row = self._row(correction_id)
            status = Status(row["status"])
            if status in (Status.LIVE, Status.EDITING) and not is_restored:
                raise MoveNotAllowed(f"a correction that is {status.value!r} is in the weights: drop its edit first")
            for to in FORGOTTEN_BY.get(status, ()):
                self._move(row, to, actor)
            texts = self._texts_of(correction_id)
            row["claim_key"] = row["subject_key"] = row["answer_key"] = row["request_hash"] = None
            self._vault.delete(texts)
            self._event("forgotten", row, actor)
        return texts

    def _texts_of(self, correction_id: str) -> tuple[str, ...]:
        rows = self._store.rows(f"SELECT text FROM ({TEXTS_OF_CORRECTIONS}) WHERE id = :id", id=correction_id)
        return tuple(row["text"] for row in rows)
