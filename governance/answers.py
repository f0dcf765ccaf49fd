"""Every answer that was given, traceable: route, passages, weights, and the conversation it belongs to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.audit import Log
from governance.errors import Invalid, NotFound
from governance.ids import new_id
from governance.store import Store
from governance.times import from_text, now, to_text
from governance.tombstones import Tombstone, Tombstones
from governance.vault import Vault

TITLE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. Its texts are in the vault under `account_id`."""

    id: str
    account_id: str
    conversation_id: str | None
    question_text_id: str | None
    answer_text_id: str | None
    route: str
    reason: str
    weights_version: str
    weights_version_end: str | None
    index_generation: int
    active_edits: int
    passages: tuple[Mapping[str, Any], ...]
    created: datetime
    finish_reason: str | None
    correction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, its answer's text, and the answer's record."""

    question: str
    answer: str
    record: Answer


@dataclass(frozen=True, slots=True)
class Conversation:
    """A chat; `turns` is filled by `Answers.conversation` alone."""

    id: str
    account_id: str
    title: str
    created: datetime
    updated: datetime
    turns: tuple[Turn, ...] = ()


class Answers:
    """Answers are rows, not log entries; one gets an entry when it is flagged, or when its chat is deleted.

    With `tombstones`, chats that people delete stay deleted after a restore.
    """

    def __init__(self, store: Store, vault: Vault, *, tombstones: Tombstones | None = None) -> None:
        self._store = store
        self._vault = vault
        self._log = Log(store)
        self._tombstones = tombstones

    def record(
        self,
        *,
        account_id: str,
        question: str,
        answer: str,
        route: str,
        reason: str,
        weights_version: str,
        conversation_id: str | None = None,
        weights_version_end: str | None = None,
        index_generation: int = 0,
        active_edits: int = 0,
        passages: Sequence[Mapping[str, Any]] = (),
        finish_reason: str | None = None,
        answer_id: str | None = None,
        replaces: str | None = None,
        correction_id: str | None = None,
        keeps_texts: bool = True,
    ) -> Answer:
        """Store an answer; with a conversation, as its newest turn. `answer_id` if it was given out already,
        `correction_id` if it was given by a card.

        With `replaces` it stands in the place of that turn, which stays on record but is no part of the chat any more.
        Where the conversation was deleted meanwhile, a row without text is stored, as of its other turns; so it is without
        `keeps_texts`, for a question that nothing was said to: it is in no chat with which its author could delete it.
        """
        answer_id, created = answer_id or new_id("ans"), now()
        texts = {"question": question, "answer": answer, "reason": reason}
        if passages:
            texts["passages"] = json.dumps(list(passages), ensure_ascii=False)
        with self._store.transaction():
            if conversation_id is not None and not self._touch(conversation_id):
                conversation_id, keeps_texts = None, False
            texts = texts if keeps_texts else {}
            sealed = {kind: self._vault.put(account_id, kind, text) for kind, text in texts.items()}
            self._store.write(
                "INSERT INTO answers (id, account_id, conversation_id, question_text_id, answer_text_id,"
                " passages_text_id, reason_text_id, route, reason, weights_version, weights_version_end,"
                " index_generation, active_edits, finish_reason, correction_id, created)"
                " VALUES (:id, :account_id, :conversation_id, :question, :answer, :passages, :reason, :route, '',"
                " :weights_version, :weights_version_end, :index_generation, :active_edits, :finish_reason,"
                " :correction_id, :created)",
                id=answer_id,
                account_id=account_id,
                conversation_id=conversation_id,
                question=sealed.get("question"),
                answer=sealed.get("answer"),
                passages=sealed.get("passages"),
                reason=sealed.get("reason"),
                route=route,
                weights_version=weights_version,
                weights_version_end=weights_version_end,
                index_generation=index_generation,
                active_edits=active_edits,
                finish_reason=finish_reason,
                correction_id=correction_id,
                created=to_text(created),
            )
            if replaces is not None and conversation_id is not None:
                self._store.write(
                    "UPDATE answers SET place = (SELECT COALESCE(old.place, old.created) FROM answers old"
                    " WHERE old.id = :old) WHERE id = :id",
                    id=answer_id,
                    old=replaces,
                )
                self._store.write(
                    "UPDATE answers SET replaced_by = :id WHERE id = :old AND conversation_id = :conversation_id",
                    id=answer_id,
                    old=replaces,
                    conversation_id=conversation_id,
                )
        return self.get(answer_id)

    def get(self, answer_id: str, *, account_id: str | None = None) -> Answer:
        """The answer; with `account_id`, only if it is theirs. Raises NotFound."""
        row = self._store.row("SELECT * FROM answers WHERE id = :id", id=answer_id)
        if row is None or account_id not in (None, row["account_id"]):
            raise NotFound(f"no answer {answer_id!r}")
        return self._answer(row)

    def texts(self, answer: Answer) -> tuple[str, str]:
        """(question, answer); empty once erased."""
        found = self._vault.get_many([answer.question_text_id, answer.answer_text_id])
        return found.get(answer.question_text_id or "", ""), found.get(answer.answer_text_id or "", "")

    def between(self, start: datetime, end: datetime) -> list[Answer]:
        """The answers of a period, oldest first."""
        rows = self._store.rows(
            "SELECT * FROM answers WHERE created >= :start AND created < :end ORDER BY created, id",
            start=to_text(start),
            end=to_text(end),
        )
        return [self._answer(row) for row in rows]

    def start_conversation(self, account_id: str, title: str) -> Conversation:
        """An empty chat, titled by its first question."""
        conversation_id, at = new_id("con"), to_text(now())
        with self._store.transaction():
            title_id = self._vault.put(account_id, "title", _title(title))
            self._store.write(
                "INSERT INTO conversations (id, account_id, title_text_id, created, updated)"
                " VALUES (:id, :account_id, :title, :at, :at)",
                id=conversation_id,
                account_id=account_id,
                title=title_id,
                at=at,
            )
        return Conversation(conversation_id, account_id, _title(title), from_text(at), from_text(at))

    def conversations(
        self, account_id: str, *, search: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> tuple[list[Conversation], str | None]:
        """One person's chats, last used first, and the cursor of the next page; `search` looks in titles and turns.

        Raises Invalid for a cursor that this list has not returned.
        """
        found: list[Conversation] = []
        before, bar, before_id = ("~|~" if cursor is None else cursor).partition("|")
        if not (before and bar and before_id):
            raise Invalid(f"cursor {before[:40]!r} is not one that this list returned: leave it out", "cursor")
        while True:
            rows = self._store.rows(
                "SELECT * FROM conversations WHERE account_id = :account_id"
                " AND (updated, id) < (:before, :before_id) ORDER BY updated DESC, id DESC LIMIT :limit",
                account_id=account_id,
                before=before,
                before_id=before_id,
                limit=limit + 1,
            )
            titles = self._vault.get_many(row["title_text_id"] for row in rows)
            for row in rows:
                if len(found) == limit:
                    return found, f"{before}|{before_id}"
                before, before_id = row["updated"], row["id"]
                title = titles.get(row["title_text_id"], "")
                if not search or search.casefold() in title.casefold() or self._mentions(row["id"], search):
                    found.append(_conversation(row, title))
            if len(rows) <= limit:
                return found, None

    def conversation(self, conversation_id: str, *, account_id: str | None = None) -> Conversation:
        """A chat with its turns; with `account_id`, only if it is theirs. Raises NotFound."""
        row = self._conversation_row(conversation_id, account_id)
        records = [
            self._answer(answer)
            for answer in self._store.rows(
                "SELECT * FROM answers WHERE conversation_id = :id AND replaced_by IS NULL"
                " ORDER BY COALESCE(place, created), id",
                id=conversation_id,
            )
        ]
        turns = tuple(Turn(*self.texts(record), record) for record in records)
        return _conversation(row, self._vault.get(row["title_text_id"]) or "", turns)

    def check_conversation(self, conversation_id: str, *, account_id: str) -> None:
        """Raises NotFound unless the chat is this person's."""
        self._conversation_row(conversation_id, account_id)

    def rename(self, conversation_id: str, title: str, *, account_id: str | None = None) -> None:
        """Give the chat another title. Raises NotFound."""
        with self._store.transaction():
            row = self._conversation_row(conversation_id, account_id)
            self._vault.delete([row["title_text_id"]])  # a text that an erasure took cannot be rewritten
            title_id = self._vault.put(row["account_id"], "title", _title(title))
            self._store.write(
                "UPDATE conversations SET title_text_id = :title WHERE id = :id", id=conversation_id, title=title_id
            )

    def delete(self, conversation_id: str, *, account_id: str | None = None) -> None:
        """Delete the chat and every text of it, in the name of its owner; its answers stay as rows without text. Raises
        NotFound."""
        with self._store.transaction():
            row = self._conversation_row(conversation_id, account_id)
            answers = self._store.rows(
                "SELECT question_text_id, answer_text_id, passages_text_id, reason_text_id FROM answers"
                " WHERE conversation_id = :id",
                id=conversation_id,
            )
            texts = [row["title_text_id"], *(text_id for answer in answers for text_id in answer.values())]
            if self._tombstones is not None:
                stones = [Tombstone("text", text_id) for text_id in texts if text_id is not None]
                self._tombstones.add([Tombstone("conversation", conversation_id), *stones])
            self._vault.delete(texts)
            by = self._store.row("SELECT pseudonym AS actor, role FROM accounts WHERE id = :id", id=row["account_id"])
            self._log.append("conversation.deleted", {"conversation": conversation_id, **(by or {})})
            self._store.write(
                "UPDATE answers SET question_text_id = NULL, answer_text_id = NULL, passages_text_id = NULL,"
                " reason_text_id = NULL, conversation_id = NULL WHERE conversation_id = :id",
                id=conversation_id,
            )
            self._store.write("DELETE FROM conversations WHERE id = :id", id=conversation_id)

    def _touch(self, conversation_id: str) -> bool:
        """Move the chat to the top of its list; is it still there?"""
        touched = self._store.write(
            "UPDATE conversations SET updated = :at WHERE id = :id", id=conversation_id, at=to_text(now())
        )
        return touched > 0

    def _conversation_row(self, conversation_id: str, account_id: str | None) -> dict[str, Any]:
        row = self._store.row("SELECT * FROM conversations WHERE id = :id", id=conversation_id)
        if row is None or account_id not in (None, row["account_id"]):
            raise NotFound(f"no conversation {conversation_id!r}")
        return row

    def _mentions(self, conversation_id: str, search: str) -> bool:
        rows = self._store.rows(
            "SELECT question_text_id, answer_text_id FROM answers WHERE conversation_id = :id AND replaced_by IS NULL",
            id=conversation_id,
        )
        texts = self._vault.get_many(text_id for row in rows for text_id in row.values())
        return any(search.casefold() in text.casefold() for text in texts.values())

    def _answer(self, row: Mapping[str, Any]) -> Answer:
        passages = self._vault.get(row["passages_text_id"])
        return Answer(
            id=row["id"],
            account_id=row["account_id"],
            conversation_id=row["conversation_id"],
            question_text_id=row["question_text_id"],
            answer_text_id=row["answer_text_id"],
            route=row["route"],
            reason=self._vault.get(row["reason_text_id"]) or row["reason"],
            weights_version=row["weights_version"],
            weights_version_end=row["weights_version_end"],
            index_generation=row["index_generation"],
            active_edits=row["active_edits"],
            passages=tuple(json.loads(passages)) if passages else (),
            created=from_text(row["created"]),
            finish_reason=row["finish_reason"],
            correction_id=row["correction_id"],
        )


def _title(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1] + "…"


def _conversation(row: Mapping[str, Any], title: str, turns: tuple[Turn, ...] = ()) -> Conversation:
    return Conversation(
        row["id"], row["account_id"], title, from_text(row["created"]), from_text(row["updated"]), turns
    )
