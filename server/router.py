"""Which source answers a question: a correction card, retrieved passages, or the model's own knowledge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from editing.wording import contains
from retrieval.answerability import ANSWERABLE_FROM, answerable
from retrieval.documents import Passage
from retrieval.errors import DocumentNotFound
from retrieval.retriever import HybridRetriever
from retrieval.small_talk import is_small_talk
from server.cards import Card, CardHit, CardIndex
from server.same_question import mentions

# A newer passage overrules an approved correction only if it very likely answers the very question.
OVERRULES_FROM = 0.75


class Route(StrEnum):
    MODEL = "model"
    RETRIEVAL = "retrieval"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Decision:
    """A route with its reason in words, and what the route needs."""

    route: Route
    reason: str
    question: str  # what was looked up
    card: Card | None = None
    passages: tuple[Passage, ...] = ()


class Router:
    """Decides per question. The order is the policy: cards are approved answers, passages are approved documents."""

    def __init__(self, cards: CardIndex, retriever: HybridRetriever, *, passages: int = 3) -> None:
        self._cards = cards
        self._retriever = retriever
        self._passages = passages

    def decide(self, question: str, *, forced: str = "auto") -> Decision:
        """Route for a question that stands alone. `forced` is `errata_route` of the request."""
        if forced == "model":
            return Decision(Route.MODEL, "the request asked for the model alone", question)
        if forced == "retrieval":
            found = tuple(self._retriever.search(question, k=self._passages))
            if not found:
                return Decision(Route.MODEL, "retrieval was asked for, but the knowledge base holds nothing", question)
            return Decision(Route.RETRIEVAL, "the request asked for retrieval", question, passages=found)
        if is_small_talk(question):
            return Decision(Route.MODEL, "small talk or a creative request: nothing is looked up", question)
        matched = self._cards.match(question)
        hit = matched.hit
        # The entry of a correction may speak where its card nearly matched, and to nothing else about its subject.
        passages = self._retriever.search(question, k=self._passages)
        found = tuple(one for one in passages if self._may_speak(one, matched.near))
        if hit:
            if decision := self._by_correction(question, hit, found):
                return decision
            found = tuple(one for one in found if not one.expired)
        if not answerable(question, found) and hit:
            reason = f"the served weights hold correction {hit.card.correction_id}, which answers this question"
            return Decision(Route.MODEL, reason, question)
        if not found:
            return Decision(Route.MODEL, "the model's own knowledge: no passage is about this", question)
        if not answerable(question, found):
            reason = f"the model's own knowledge: no passage answers this (best score {found[0].score:.2f})"
            return Decision(Route.MODEL, reason, question)
        dated = " (expired: shown as dated)" if found[0].expired else ""
        reason = f"passage {found[0].title!r} answers this (score {found[0].score:.2f}){dated}"
        return Decision(Route.RETRIEVAL, reason, question, passages=found)

    def _by_correction(self, question: str, hit: CardHit, found: tuple[Passage, ...]) -> Decision | None:
        """The newest approved answer wins, and what it wins against is named. None: a live edit that nothing contradicts,
        asked as the gate asked it, and a passage may say the same with its source."""
        card, said = hit.card, hit.card.said(datetime.now(UTC))
        number = f"correction {card.correction_id}"
        reason = f"{number} answers this question (similarity {hit.similarity:.2f})"
        reason += "".join(
            f"; correction {other.correction_id} says otherwise, approved before it" for other in hit.over
        )
        passage = next((one for one in found if contradicts(one, card)), None)
        if passage is not None:
            day = passage.as_of or self._added(passage)
            named = f"passage {passage.title!r} of {day.isoformat()}"
            if card.approved and day > card.approved.date() and passage.score >= OVERRULES_FROM:
                approved = card.approved.date().isoformat()
                newer = f"{named} answers this; {number}, approved {approved}, says otherwise and is older"
                return Decision(Route.RETRIEVAL, newer, question, passages=found)
            # Said from the card even where the edit is live: a question with two answers gets the approved one, word for word.
            return Decision(Route.CORRECTION, f"{reason}; {named} says otherwise and gives way", question, card=said)
        if not card.is_left_to_the_weights(question):
            reason += "; the served weights hold it, but were not heard to give it in these words" if card.live else ""
            return Decision(Route.CORRECTION, reason, question, card=said)
        if hit.over:
            return Decision(Route.MODEL, f"{reason}; the served weights hold it", question)
        return None

    def _added(self, passage: Passage) -> date:
        """The day since which its document is known; today for one that was removed since it was found."""
        try:
            return self._retriever.store.document(passage.document_id).added.date()
        except DocumentNotFound:
            return datetime.now(UTC).date()

    def _may_speak(self, passage: Passage, near: frozenset[str]) -> bool:
        """Whether a passage is a document's, or the entry of a correction that might answer the question.

        An entry without a subject is titled by its question, has no card, and may speak to any.
        """
        if passage.kind != "correction" or passage.title.endswith("?"):
            return True
        try:
            return self._retriever.store.document(passage.document_id).source in near
        except DocumentNotFound:  # removed since it was found
            return False


def contradicts(passage: Passage, card: Card) -> bool:
    """Whether the passage, which is in date and likely answers the card's question, is about its subject without its answer."""
    text = f"{passage.title} {passage.heading} {passage.text}"
    return (
        passage.score >= ANSWERABLE_FROM
        and not passage.expired
        and passage.kind != "correction"  # the entry of a correction, which is a card itself
        and mentions(text, card.subject)
        and not contains(text, card.claim)
    )
