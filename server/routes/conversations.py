"""A person's own conversations and answers: list, read, rename, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from governance.answers import Answer, Conversation
from governance.claims import check_text
from server.auth import READERS, Reporter, ServicesOf, Signed
from server.body import Body

router = APIRouter(prefix="/v1", tags=["conversations"])

MOST_ON_A_PAGE = 200
MAX_TITLE = 200
OPEN = ("n", "id", "as_of", "expired", "score")  # what a passage may be told by without its words


class Rename(Body):
    title: str = Field(min_length=1, max_length=MAX_TITLE)


@router.get("/me")
def me(account: Signed) -> dict[str, Any]:
    """Who is signed in."""
    return {"id": account.id, "name": account.name, "role": str(account.role)}


@router.get("/conversations")
def conversations(
    services: ServicesOf,
    account: Signed,
    search: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, description=f"How many; {MOST_ON_A_PAGE} at most.")] = 50,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Own conversations, newest first."""
    found, next_cursor = services.records.answers.conversations(
        account.id, search=search, limit=min(limit, MOST_ON_A_PAGE), cursor=cursor
    )
    return {"data": [_summary(conversation) for conversation in found], "next_cursor": next_cursor}


@router.get("/conversations/{conversation_id}")
def conversation(conversation_id: str, services: ServicesOf, account: Signed) -> dict[str, Any]:
    """One conversation with its turns."""
    found = services.records.answers.conversation(conversation_id, account_id=account.id)
    return {**_summary(found), "turns": [_turn(turn.record, turn.question, turn.answer) for turn in found.turns]}


@router.patch("/conversations/{conversation_id}")
def rename(conversation_id: str, body: Rename, services: ServicesOf, account: Reporter) -> dict[str, Any]:
    answers = services.records.answers
    title = check_text("title", body.title, longest=MAX_TITLE)
    answers.rename(conversation_id, title, account_id=account.id)
    return _summary(answers.conversation(conversation_id, account_id=account.id))


@router.delete("/conversations/{conversation_id}", status_code=204)
def delete(conversation_id: str, services: ServicesOf, account: Reporter) -> Response:
    """Delete a conversation: its texts are gone, also from the database file."""
    services.records.answers.delete(conversation_id, account_id=account.id)
    return Response(status_code=204)


@router.get("/answers/{answer_id}")
def answer(answer_id: str, services: ServicesOf, account: Signed) -> dict[str, Any]:
    """One answer and how it came about: one's own, or any for those who review; an auditor sees the record without words."""
    answers = services.records.answers
    found = answers.get(answer_id, account_id=None if account.role in READERS else account.id)
    if account.role.may_review or found.account_id == account.id:
        return _turn(found, *answers.texts(found))
    passages = tuple({name: passage[name] for name in OPEN if name in passage} for passage in found.passages)
    return _turn(replace(found, reason="", passages=passages), "", "")


def _turn(answer: Answer, question: str, text: str) -> dict[str, Any]:
    return {
        "answer_id": answer.id,
        "question": question,
        "answer": text,
        "created": answer.created.isoformat(),
        "finish_reason": answer.finish_reason,
        "errata": {
            "route": answer.route,
            "reason": answer.reason,
            "weights_version": answer.weights_version,
            "weights_version_end": answer.weights_version_end,
            "active_edits": answer.active_edits,
            "passages": list(answer.passages),
        },
    }


def _summary(conversation: Conversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "title": conversation.title,
        "created": conversation.created.isoformat(),
        "updated": conversation.updated.isoformat(),
    }
