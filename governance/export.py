"""The correction record and the log as files: JSON Lines and CSV, without personal text unless it is asked for."""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from governance.accounts import Actor, logged
from governance.audit import PAGE, Log
from governance.book import numbers_of
from governance.checkpoints import Checkpoints
from governance.corrections import WORDINGS, Correction
from governance.ledger import Ledger
from governance.store import Store
from governance.times import to_text

# What spreadsheets take for a formula, their full-width forms included (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|")


def record(correction: Correction, *, texts: bool = False) -> dict[str, Any]:
    """The correction as plain data. With `texts` also what is sealed in the vault: for those who may read it."""
    told = correction.told
    data: dict[str, Any] = {
        "schema_version": correction.schema_version,
        "id": correction.id,
        "created": to_text(correction.created),
        "updated": to_text(correction.updated),
        "channel": correction.channel,
        "status": correction.status.value,
        "reporter": {"pseudonym": correction.reporter_pseudonym, "role": correction.reporter_role},
        "answer_id": correction.answer_id,
        "router": {"route": correction.route},
        "weights_version_at_report": correction.weights_version_at_report,
        "index_generation": correction.index_generation,
        "claim_commitment": correction.claim_commitment,
        "erased": correction.erased,
        "category": correction.category.value,
        "volatile": correction.volatile,
        "personal_data": correction.personal_data,
        "evidence_count": len(correction.evidence),
        "duplicate_of": correction.duplicate_of,
        "superseded_by": correction.superseded_by,
        "conflicts": list(correction.conflicts),
        "risk_tier": correction.risk_tier,
        "priority": correction.priority,
        "due": to_text(correction.due),
        "remedy": correction.remedy.value if correction.remedy else None,
        "fallback": correction.fallback.value,
        "approvals_needed": correction.approvals_needed,
        "approvals": [
            {"actor": approval.actor, "role": approval.role, "at": to_text(approval.at)}
            for approval in correction.approvals
        ],
        "moves": [
            {
                "from": move.from_status.value if move.from_status else None,
                "to": move.to_status.value,
                "actor": move.actor,
                "role": move.role,
                "at": to_text(move.at),
                "entry": move.entry,
            }
            for move in correction.moves
        ],
        "artefact": correction.artefact,
        "edit": dict(correction.edit),
        "attempts": correction.attempts,
        "verification": {"report_sha256": correction.report_sha256, "figures": numbers_of(correction.report)},
        "deployment": {
            "weights_version_before": correction.weights_version_before,
            "weights_version_after": correction.weights_version_after,
            "live_since": to_text(correction.live_since) if correction.live_since else None,
            "swap_pause_s": correction.swap_pause_s,
            "review_due": to_text(correction.review_due) if correction.review_due else None,
        },
        "undo_requested": correction.undo_requested,
        "reporter_told": to_text(told) if told else None,
    }
    if texts:
        claim = correction.claim
        data["claim"] = {name: getattr(claim, name) for name in claim.__dataclass_fields__}
        data["comment"], data["evidence"] = correction.comment, list(correction.evidence)
        data["router"]["reason"] = correction.route_reason
        data["reason"], data["triage"] = correction.reason, dict(correction.triage)
        data["verification"]["report"] = dict(correction.report)
        data |= {name: list(getattr(correction, name)) for name in WORDINGS}
        for name in ("moves", "approvals"):
            for shown, given in zip(data[name], getattr(correction, name), strict=True):
                shown["reason"] = given.reason
    return data


def write_jsonl(ledger: Ledger, file: TextIO, *, texts: bool = False) -> int:
    """All corrections, newest first, one a line; returns how many."""
    count = 0
    for correction in every(ledger):
        file.write(json.dumps(record(correction, texts=texts), ensure_ascii=False, sort_keys=True) + "\n")
        count += 1
    return count


def write_csv(ledger: Ledger, file: TextIO, *, texts: bool = False) -> int:
    """All corrections as a table; nested fields become `a.b` columns, lists JSON; cells cannot be formulas."""
    writer: csv.DictWriter[str] | None = None
    count = 0
    for correction in every(ledger):
        row = dict(_flat(record(correction, texts=texts)))
        if writer is None:
            writer = csv.DictWriter(file, list(row), extrasaction="ignore", lineterminator="\r\n")
            writer.writeheader()
        writer.writerow({name: as_cell(value) for name, value in row.items()})
        count += 1
    return count


def record_export(store: Store, log: Log, what: str, *, of: str | None, texts: bool, actor: Actor) -> None:
    """Put on record that a copy is taken out: of `what`, of which one if it is one, and whether with sealed texts.

    Call it before the copy is written: one that nobody knows of is worse than an entry too many.
    """
    with store.transaction():
        log.append("export.made", {"what": what, "of": of, "texts": texts, **logged(actor)})


def write_log(log: Log, checkpoints: Checkpoints, path: Path) -> int:
    """The log as `path` (one canonical entry a line), with its checkpoint beside it as `path`.checkpoint and the key.

    Returns the number of entries. `audit_verify.verify(export=path, checkpoints=[...])` needs nothing else.
    Raises LogError, and writes nothing, if the log contradicts what was signed before.
    """
    note = checkpoints.sign()
    size = int(note.split("\n")[1])
    done = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        while done < size:
            entries = log.entries(done, min(PAGE, size - done))
            file.writelines(entry.text + "\n" for entry in entries)
            done += len(entries)
    path.with_name(path.name + ".checkpoint").write_text(note, encoding="utf-8")
    path.with_name(path.name + ".key").write_text(checkpoints.key + "\n", encoding="utf-8")
    return size


def every(ledger: Ledger) -> Iterator[Correction]:
    """All corrections, newest first, a page at a time."""
    cursor: str | None = None
    while True:
        page, cursor = ledger.list(limit=200, cursor=cursor)
        yield from page
        if cursor is None:
            return


def as_cell(value: Any) -> str:
    """Text that a spreadsheet shows and never computes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _flat(data: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in data.items():
        # What is free in shape stays one column, so that every row has the same ones.
        if isinstance(value, dict) and name not in ("edit", "figures", "triage", "report"):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
