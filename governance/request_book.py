"""The erasure requests as rows: reading them whole, and the one function through which a step is taken."""

import json
from collections.abc import Mapping
from typing import Any

from governance.accounts import Account, logged
from governance.audit import Log
from governance.correction_rows import sealed_json
from governance.errors import Forbidden, MoveNotAllowed, NotFound
from governance.requests import (
    Choice,
    Decision,
    ErasureRequest,
    Kind,
    Law,
    Method,
    Occurrence,
    Outcome,
    Place,
    Step,
    StepTaken,
    Subject,
    check_step,
)
from governance.residual import Probes, holds
from governance.store import Store
from governance.times import from_text, now, optional, to_text
from governance.vault import Vault


class RequestBook:
    """What the erasures read and write. Its public methods only read."""

    def __init__(self, store: Store, vault: Vault, log: Log) -> None:
        self._store = store
        self._vault = vault
        self._log = log

    def get(self, request_id: str) -> ErasureRequest:
        """Raises NotFound."""
        row = self._store.row("SELECT * FROM erasure_requests WHERE id = :id", id=request_id)
        if row is None:
            raise NotFound(f"no erasure request {request_id!r}")
        return self._load(row)

    def list(self, *, account_id: str | None = None) -> "tuple[ErasureRequest, ...]":
        """All requests, or those about one account: the most urgent first, those that are settled last."""
        rows = self._store.rows(
            "SELECT * FROM erasure_requests WHERE :account IS NULL OR account_id = :account"
            " ORDER BY status IN ('closed', 'refused'), due",
            account=account_id,
        )
        return tuple(self._load(row) for row in rows)

    def _load(self, row: Mapping[str, Any]) -> ErasureRequest:
        work = self._work(row["id"], row["work_text_id"])
        steps = self._store.rows("SELECT * FROM erasure_moves WHERE request_id = :id ORDER BY ordinal", id=row["id"])
        return ErasureRequest(
            id=row["id"],
            created=from_text(row["created"]),
            due=from_text(row["due"]),
            law=Law(row["law"]),
            kind=Kind(row["kind"]),
            status=Step(row["status"]),
            account_id=row["account_id"],
            filed_by=row["filed_by"],
            subject=Subject(tuple(work.get("names", ())), tuple(work.get("identifiers", ())), row["account_id"]),
            statement=work.get("statement", ""),
            identity=work.get("identity", ""),
            refusal=work.get("refusal", ""),
            decision=Decision(work.get("decision", ""), work.get("exceptions", ""), tuple(work.get("kept", ()))),
            occurrences=tuple(Occurrence(Place(place), *rest) for place, *rest in work.get("occurrences", ())),
            probes=_probes(work.get("probes")),
            model_before=work.get("figures", {}),
            right_answers=work.get("right_answers", {}),
            executor=work.get("executor"),
            choices=tuple(
                Choice(Method(choice["method"]), tuple(choice["refs"]), choice["why"])
                for choice in json.loads(row["choices"])
            ),
            outcomes=tuple(
                Outcome(Method(outcome["method"]), outcome["done"], outcome["remains"])
                for outcome in json.loads(row["outcomes"])
            ),
            residual=json.loads(row["residual"]),
            certificate=json.loads(row["certificate"]),
            told=optional(row["told"]),
            steps=tuple(
                StepTaken(
                    None if step["from_status"] is None else Step(step["from_status"]),
                    Step(step["to_status"]),
                    step["actor"],
                    step["role"],
                    from_text(step["at"]),
                    json.loads(step["note"]),
                    step["entry"],
                )
                for step in steps
            ),
        )

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _work(self, request_id: str, text_id: str | None = None) -> dict[str, Any]:
        found = text_id or self._store.value("SELECT work_text_id FROM erasure_requests WHERE id = :id", id=request_id)
        return sealed_json(self._vault, found)

    def _rework(self, request_id: str, **changes: Any) -> None:
        work = self._work(request_id)
        if not work:
            raise MoveNotAllowed(f"request {request_id!r} is closed: its data is gone")
        text_id = self._store.value("SELECT work_text_id FROM erasure_requests WHERE id = :id", id=request_id)
        self._vault.replace(text_id, json.dumps(work | changes, ensure_ascii=False))

    def _step(self, request_id: str, to: Step, actor: Account, note: Mapping[str, Any]) -> None:
        request = self.get(request_id)
        check_handler(request, actor)
        before = request.status
        check_step(before, to)
        self._store.write("UPDATE erasure_requests SET status = :status WHERE id = :id", id=request_id, status=to.value)
        self._record(request_id, before, to, actor, note)

    def _record(self, request_id: str, before: Step | None, to: Step, actor: Account, note: Mapping[str, Any]) -> None:
        entry = self._log.append(
            "erasure.moved",
            {
                "request": request_id,
                "from": before,
                "to": to,
                **logged(actor),
                "note": dict(note),
            },
        )
        self._store.write(
            "INSERT INTO erasure_moves (request_id, ordinal, from_status, to_status, actor, role, at, note, entry)"
            " SELECT :id, COUNT(*) + 1, :before, :to, :actor, :role, :at, :note, :entry"
            " FROM erasure_moves WHERE request_id = :id",
            id=request_id,
            before=before,
            to=to,
            actor=actor.pseudonym,
            role=actor.role.value,
            at=to_text(now()),
            note=json.dumps(dict(note), sort_keys=True),
            entry=entry,
        )


def _probes(document: Mapping[str, Any] | None) -> Probes | None:
    return Probes(**{name: tuple(texts) for name, texts in document.items()}) if document else None


def check_handler(request: ErasureRequest, actor: Account) -> None:
    """Raises Forbidden unless this is an admin whom the request does not concern."""
    if not actor.role.may_administer:
        raise Forbidden(f"{actor.role.with_article} may not handle such requests: ask an admin")
    if actor.id in (request.account_id, *request.accounts):
        raise Forbidden("this request concerns you: another admin has to handle it")


def names_somebody_to_be_erased(store: Store, vault: Vault, text: str) -> bool:
    """Whether the text names, in whole words, a person whose request for erasure is known to be theirs (see
    docs/decisions/0016) and not closed yet; once it is closed, the names are gone."""
    for row in store.rows(
        "SELECT work_text_id FROM erasure_requests"
        " WHERE kind = 'erasure' AND status NOT IN ('received', 'closed', 'refused')"
    ):
        work = sealed_json(vault, row["work_text_id"])
        if any(holds(text, needle) for needle in (*work.get("names", ()), *work.get("identifiers", ()))):
            return True
    return False
