"""What an erasure does to corrections: a fact in force outlives its reporter, everything else of theirs loses its texts."""

import json

from governance.accounts import Actor
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


class Forgetting(ProcessBook):
    """Each method is one transaction with its log entries."""

    def adopt(self, correction_id: str, *, actor: Actor) -> None:
        """Keep a fact in force although its reporter is erased: question, subject and answer in canonical form alone,
        under the correction's own key. What the person wrote around it goes with their key."""
        with self._store.transaction():
            row = self._row(correction_id)
            claim, work = self._texts(row["claim_text_id"]), self._texts(row["work_text_id"])
            if not claim:
                return
            kept = {name: claim.get(name, "") for name in ("canonical_question", "subject", "correct_answer")}
            adopted = json.dumps(kept | {"question": kept["canonical_question"]}, ensure_ascii=False)
            self._vault.replace(row["claim_text_id"], adopted, owner=correction_id)
            work = {name: work[name] for name in ("report", "review", *WORDINGS) if name in work}
            self._vault.replace(row["work_text_id"], json.dumps(work, ensure_ascii=False), owner=correction_id)
            self._event("adopted", row, actor, claim=self._vault.commitment(row["claim_text_id"]))

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
            texts = [row["claim_text_id"], row["work_text_id"]]
            for found in self._store.rows(
                "SELECT reason_text_id FROM moves WHERE correction_id = :id UNION ALL"
                " SELECT reason_text_id FROM approvals WHERE correction_id = :id",
                id=correction_id,
            ):
                texts.append(found["reason_text_id"])
            row["claim_key"] = row["subject_key"] = row["answer_key"] = None
            self._vault.delete(texts)
            self._event("forgotten", row, actor)
        return tuple(text_id for text_id in texts if text_id is not None)
