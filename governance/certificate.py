"""The certificate of an erasure: who decided what and why, what was done, and what remains. It names nobody."""

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from governance.accounts import Account
from governance.errors import Invalid
from governance.requests import ErasureRequest, Occurrence, Place
from governance.store import Store
from governance.times import now, to_text

CODE = re.compile(
    r"(?<![\w.@-])(?:(?:(?:gdpr|pdpa|article|art|section|sec|s\.)[ .-]{0,2}){1,2}\d{1,3}|\d{1,3}(?=\())"
    r"(?:\((?:\d{1,2}|[a-z])\)|[-./](?:\d{1,2}|[a-z])(?![\w@]))*(?![\w@])",
    re.IGNORECASE,
)
"""A legal ground, `gdpr-17-3-e` or `Art.17(3)(e)`, alone or within a sentence."""
GROUND = re.compile(
    r"(?:(?:(?:uk|eu)[ -])?(?:gdpr|dsgvo|rgpd|dpa|pdpa|pdpl|bdsg|dsg|hgb|ao|bgb|lgpd|ccpa|cpra|hipaa|pipeda|pipl|popia|appi)"
    r"[ .-]{1,2}(?:(?:s|sec|section|art|article|§)[ .-]{0,2})?|§ ?)[1-9]\d{0,3}[a-z]?"
    r"(?:\((?:\d{1,2}|[a-z])\)|[-./](?:\d{1,3}|[a-z])){0,4}"
    r"|[1-9]\d{0,2}(?:[-.]\d{1,2}(?:[-.][a-z])?|[-.][a-z])",
    re.IGNORECASE,
)
"""A legal ground alone: `hgb-257`, `pdpa-s33`, `17-3-e`. That of a refusal goes into the log in the clear, so it can hold no
name: laws are of this list."""
WORDS = {
    Place.TEXT: ("text", "texts"),
    Place.CORRECTION: ("correction", "corrections"),
    Place.EDIT: ("edit", "edits"),
    Place.DOCUMENT: ("document", "documents"),
    Place.CACHE: ("cache", "caches"),
    Place.EXPORT: ("file", "files"),
    Place.MODEL: ("reply of the model", "replies of the model"),
}
ACCOUNT = ("account", "accounts")


def check_ground(ground: str) -> None:
    """Raises Invalid unless the ground of a refusal is a code."""
    if len(ground) > 40 or not (CODE.fullmatch(ground) or GROUND.fullmatch(ground)):
        raise Invalid(
            "give the ground as a short code such as gdpr-17-3-e, pdpa-s33, hgb-257 or section-12: it stands in the log for"
            " good",
            "ground",
        )


def codes_in(exceptions: str) -> list[str]:
    """The legal grounds that the decider wrote, without the words around them."""
    return list(dict.fromkeys("".join(found.group().lower().split()) for found in CODE.finditer(exceptions)))


def kept(occurrences: Collection[Occurrence], refs: Collection[str]) -> str:
    """How many of what was found the decider kept, by kind: `1 document, 2 files`. Empty if nothing."""
    words = (
        ACCOUNT if one.ref.startswith(("acc_", "opr_")) else WORDS[one.place] for one in occurrences if one.ref in refs
    )
    return ", ".join(f"{count} {forms[count > 1]}" for forms, count in Counter(words).items())


def copies_made(store: Store) -> tuple[int, int]:
    """How many backups were made so far, and how many exports that hold texts or a model."""
    row = store.row(
        "SELECT COALESCE(SUM(kind = 'backup.made'), 0) AS backups, COALESCE(SUM(kind = 'export.made'), 0) AS exports"
        " FROM (SELECT json_extract(entry, '$.kind') AS kind FROM audit_entries WHERE kind = 'backup.made'"
        " OR kind = 'export.made' AND (json_extract(entry, '$.texts') OR json_extract(entry, '$.what') = 'model'))"
    )
    return (row["backups"], row["exports"]) if row else (0, 0)


def certify(
    request: ErasureRequest,
    work: Mapping[str, Any],
    *,
    closed_by: Account,
    told: bool,
    copies: tuple[int, int],
    backups_until: datetime | None,
) -> dict[str, Any]:
    """What the person and the auditor are given, as plain data. `work` is the request's sealed part, of which counts and
    codes are taken. `copies` are the `copies_made`, which may hold the person still."""
    backups, exports = copies
    remains = [outcome.remains for outcome in request.outcomes if outcome.remains]
    if left := kept(request.occurrences, work.get("kept", ())):
        remains.append(f"kept by decision: {left}")
    if backups or backups_until is not None:
        until = f"until {backups_until:%Y-%m-%d}" if backups_until else "until they are deleted, on a date not set yet"
        remains.append(f"copies in {backups or 'earlier'} backups made before, {until}; a restore erases them again")
    if exports:
        remains.append(
            f"copies in {exports} exports made before, wherever they were taken; a restore does not reach them"
        )
    return {
        "request": request.id,
        "law": request.law.value,
        "kind": request.kind.value,
        "received": to_text(request.created),
        "due": to_text(request.due),
        "closed": to_text(now()),
        "in_time": now() <= request.due,
        "steps": [
            {
                "to": step.to_step.value,
                "actor": step.actor,
                "role": step.role,
                "at": to_text(step.at),
                "entry": step.entry,
            }
            for step in request.steps
        ],
        "methods": [
            {"method": choice.method.value, "count": len(choice.refs), "why": choice.why} for choice in request.choices
        ],
        "exceptions": {
            "considered": bool(work.get("exceptions")),
            "codes": codes_in(work.get("exceptions", "")),
        },
        "outcomes": [asdict(outcome) for outcome in request.outcomes],
        "model_before": dict(request.model_before),
        "residual_risk": dict(request.residual),
        "remains": remains,
        "closed_by": closed_by.pseudonym,
        "subject_told": told,
    }
