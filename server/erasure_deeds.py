"""How each method of an erasure is carried out: edits dropped or neutralised, documents, files and caches deleted."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from editing.refusals import refusal
from editing.silence import NOTHING_KNOWN
from editing.subjects import propose_subjects
from governance.accounts import Account, Role
from governance.corrections import Category, Correction, Fallback, Remedy, Status
from governance.errors import GovernanceError, InvalidClaim, MoveNotAllowed
from governance.requests import Choice, ErasureRequest, Method, Occurrence, Outcome, Place, Step, Subject
from governance.residual import folded, in_words
from governance.tombstones import Tombstone
from governance.traces import is_within_a_word
from governance.versions import BASE
from retrieval.errors import DocumentNotFound
from retrieval.store import KnowledgeStore
from retrieval.traces import naming, purge_words
from server.assessment import judge
from server.documents import remove_document
from server.erasure_files import ErasureFiles
from server.erasure_probes import CONTACT
from server.errors import WorkUnfinished
from server.librarian import KIND, forget_erased_source
from server.personal_data import ASKED_FOR, personal_data_in
from server.services import Services

LOOK_S = 0.2
IN_WEIGHTS = (Status.LIVE, Status.EDITING)
ON_THE_WAY = (Status.APPROVED, Status.EDITING)


class ErasureDeeds:
    """Runs in a thread of its own: worker and publisher do their part meanwhile, and are waited for."""

    def __init__(self, services: Services, files: ErasureFiles, *, stop: threading.Event, patience_s: float) -> None:
        self._services, self._files = services, files
        self._stop, self._patience_s = stop, patience_s

    def of(self, actor: Account) -> Mapping[Method, Callable[[ErasureRequest, Choice], Outcome]]:
        """The methods, each carried out in this person's name."""
        return {
            Method.DROP_EDIT: lambda request, choice: self._drop_edits(choice, actor),
            Method.NEUTRAL_EDIT: lambda request, choice: self._overwrite(request, choice, actor),
            Method.CORRECT_EDIT: lambda request, choice: self._overwrite(request, choice, actor),
            Method.DELETE_DOCUMENT: lambda request, choice: self._delete_documents(choice.refs, actor),
            Method.DELETE_FILE: lambda request, choice: Outcome(Method.DELETE_FILE, self._files.delete(choice.refs)),
            Method.REBUILD_CACHE: lambda request, choice: self._rebuild(request, actor),
        }

    def take_out_of_weights(self, corrections: Sequence[str], actor: Account) -> None:
        """Wait until none of these is in the weights any more; live ones are asked to be undone. The weights are then
        solved from the base without them, which is exact.

        Raises WorkUnfinished if worker and publisher take too long; nothing is lost, call it again.
        """
        ledger = self._services.records.ledger
        deadline = time.monotonic() + self._patience_s
        while waiting := [one for one in map(ledger.get, corrections) if one.status in IN_WEIGHTS]:
            for correction in waiting:
                if correction.status is Status.LIVE:
                    with contextlib.suppress(MoveNotAllowed):  # it has left since
                        ledger.request_rollback(correction.id, actor)
            self._wait(deadline, f"{len(waiting)} edits are still being taken out of the weights")

    def _drop_edits(self, choice: Choice, actor: Account) -> Outcome:
        self.take_out_of_weights(choice.refs, actor)
        self._files.delete_artefacts(choice.refs)
        return Outcome(Method.DROP_EDIT, len(choice.refs))

    def _overwrite(self, request: ErasureRequest, choice: Choice, actor: Account) -> Outcome:
        """One edit per probe that revealed something: a neutral answer, or the right one. It goes the way of every
        correction, gate included, approved by those who approved and ordered this request. A right answer that the
        weights may not hold is given from knowledge."""
        if not self._services.settings.weights_are_ours:
            return Outcome(choice.method, 0, "what the model says: its weights are not Errata's to change")
        questions = [request.probes.asked_by(ref) for ref in choice.refs] if request.probes else []
        right = request.right_answers
        wanted = {q: NOTHING_KNOWN if choice.method is Method.NEUTRAL_EDIT else right.get(q, "") for q in questions}
        made: list[str] = []
        for question, answer in wanted.items():
            with contextlib.suppress(GovernanceError):  # counted as a question that no edit could be made for
                made.append(self._commission(request, question, answer, actor))
        ended = self._settled(made)
        held = sum(correction.status is Status.LIVE for correction in ended)
        known = sum(correction.status is Status.IN_KNOWLEDGE for correction in ended)
        waiting = sum(correction.status is Status.QUEUED for correction in ended)
        for correction in ended:
            if correction.status is Status.FAILED:
                self._forget(correction.id, actor)
        return Outcome(choice.method, held, _what_remains(len(wanted), held, known, waiting))

    def _forget(self, correction_id: str, actor: Account) -> None:
        """A commissioned edit that came to nothing: what was computed for it names the person as its texts do."""
        records = self._services.records
        self._files.delete_artefacts([correction_id])
        with records.store.transaction():
            texts = records.ledger.forget(correction_id, actor=actor)
            stones = [Tombstone("correction", correction_id), *(Tombstone("text", text_id) for text_id in texts)]
            records.tombstones.add(stones)

    def _commission(self, request: ErasureRequest, question: str, answer: str, actor: Account) -> str:
        """A correction made by this request; its texts lie under a key of its own, since the edit needs them."""
        ledger = self._services.records.ledger
        named = [name for name in request.subject.names if name.casefold() in question.casefold()]
        subject = named[0] if named else next(iter(propose_subjects(question, answer)), "")
        personal, volatile = self._bars(request, question, answer)
        if not (personal or volatile) and (why := refusal(question, subject, answer)):
            raise InvalidClaim(why)
        office = Account(request.id, "erasure", Role.ADMIN, "erasure", disabled=False, created=request.created)
        flagged = ledger.flag(
            office,
            question=question,
            answer="(as probed)",
            correct_answer=answer,
            subject=subject,
            category=Category.WRONG,
            channel="erasure",
            idempotency_key=f"{request.id} {question}",
        )
        if flagged.status is not Status.FLAGGED:
            return flagged.id
        ledger.adopt(flagged.id, actor=actor)
        ledger.triaged(
            flagged.id,
            remedy=Remedy.WEIGHTS,
            reason="commissioned by an erasure request",
            evidence={},
            canonical_question=question,
            subject=subject,
            personal_data=personal,
            volatile=volatile,
            actor="erasure",
        )
        for approver in self._approvers(request, actor):
            if ledger.get(flagged.id).status is Status.QUEUED:
                with contextlib.suppress(GovernanceError):  # beyond a limit: it waits in the queue, and is said to
                    ledger.approve(flagged.id, approver, fallback=Fallback.NONE)
        return flagged.id

    def _bars(self, request: ErasureRequest, question: str, answer: str) -> tuple[bool, bool | None]:
        """What bars this from the weights, judged as every report is: personal data, and an answer that changes.

        A neutral answer says nothing of anybody. Raises InvalidClaim if its question does: it would be kept, for nothing.
        """
        if answer == NOTHING_KNOWN:
            if held := set(personal_data_in(question)) - ASKED_FOR.keys():
                raise InvalidClaim(f"the question itself holds personal data: {', '.join(sorted(held))}")
            return False, None
        asks_where = {form.format(name) for form in CONTACT for name in request.subject.names}
        found = judge(self._services, question, (answer,))
        return bool(found.personal) or question in asks_where, found.volatile

    def _approvers(self, request: ErasureRequest, actor: Account) -> list[Account]:
        pseudonyms = {step.actor for step in request.steps if step.to_step is Step.APPROVED} | {actor.pseudonym}
        accounts = self._services.accounts.list()
        return [one for one in accounts if one.pseudonym in pseudonyms and one.role.may_administer and not one.disabled]

    def _settled(self, ids: Sequence[str]) -> list[Correction]:
        """The corrections, once none of them is on its way into the weights any more."""
        ledger = self._services.records.ledger
        deadline = time.monotonic() + self._patience_s
        while any(one.status in ON_THE_WAY for one in map(ledger.get, ids)):
            self._wait(deadline, "the edits that overwrite what the model says are still being made")
        return [ledger.get(one) for one in ids]

    def _delete_documents(self, refs: Sequence[str], actor: Account) -> Outcome:
        return Outcome(Method.DELETE_DOCUMENT, sum(self._delete_document(ref, actor) for ref in refs))

    def _delete_document(self, document_id: str, actor: Account) -> bool:
        try:
            remove_document(self._services, actor, document_id, for_good=True)
        except DocumentNotFound:
            return False
        return True

    def _rebuild(self, request: ErasureRequest, actor: Account) -> Outcome:
        """What is derived from the rest. Entries that a loop wrote meanwhile go too; then the words of all that was
        deleted leave the lexical indexes, and the dense index is built anew without their vectors."""
        services = self._services
        corrections = request.corrections.union(services.records.ledger.forgotten_of(request.accounts))
        deleted = {ref for choice in request.choices for ref in choice.refs if ref.startswith("doc_")}
        kept = {one.ref for one in request.occurrences if one.place is Place.DOCUMENT} - deleted
        found = documents_naming(services.knowledge, request.subject)
        late = {one.ref for one in found if not one.within_a_word} - kept
        for entry in services.knowledge.documents(kind=KIND):
            if entry.source in corrections:
                late.add(entry.id)
            elif services.records.ledger.get(entry.source).reporter_id == request.id:  # the right answer itself
                late.discard(entry.id)
        for document_id in sorted(late):
            self._delete_document(document_id, actor)
        for entry in services.knowledge.documents(kind=KIND):
            forget_erased_source(services, entry, services.records.ledger.get(entry.source))
        self._files.delete_artefacts(corrections)
        with services.records.store.transaction() as db:
            purge_words(db)
        services.retriever.index.renew()
        return Outcome(Method.REBUILD_CACHE, 1 + len(late) + self._files.delete_temporary())

    def discard(self, version_id: str) -> None:
        """The tensors of a purged version."""
        if version_id != BASE:
            self._files.delete_version(version_id)

    def _wait(self, deadline: float, what: str) -> None:
        if self._stop.wait(LOOK_S) or time.monotonic() > deadline:
            raise WorkUnfinished(f"Not done yet: {what}. Execute the request again; what is done is not repeated.")


def documents_naming(knowledge: KnowledgeStore, subject: Subject) -> list[Occurrence]:
    """The documents that name the person, as words of their own or within others."""
    found = naming(knowledge.db, subject.needles, fold=folded)
    return [Occurrence(Place.DOCUMENT, one, _is_within_a_word(knowledge, one, subject)) for one in found]


def _is_within_a_word(knowledge: KnowledgeStore, document_id: str, subject: Subject) -> bool:
    try:
        document, passages = knowledge.document(document_id), knowledge.passages_of(document_id)
    except DocumentNotFound:
        return False
    text = "\n".join((document.title, document.uri, *(f"{one.heading}\n{one.text}" for one in passages)))
    # "Lee, Ann" names Ann Lee, though not in this order.
    spread = [re.findall(r"\w+", name) for name in subject.names]
    return is_within_a_word(text, subject) and not any(
        all(in_words(text, [word]) for word in words) for words in spread
    )


def _what_remains(wanted: int, held: int, known: int, waiting: int) -> str:
    parts = []
    if held:
        parts.append(f"edits that answer in its place, kept with their questions under a key of their own: {held}")
    if known:
        parts.append(
            "right answers that are answered from knowledge, since weights hold no personal data and nothing that changes,"
            f" while the model by itself goes on saying what it said: {known}"
        )
    if waiting:
        parts.append(f"such edits that wait in the queue for another approval: {waiting}")
    if missed := wanted - held - known - waiting:
        parts.append(f"questions that no edit could be made for, which the model goes on answering: {missed}")
    return "; ".join(parts)
