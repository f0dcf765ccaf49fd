"""`errata audit`: verify the log, prove entries, export, and print reports; on the data folder itself."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from governance.errors import Invalid
from governance.times import period
from server.commands.folder import DATA_DIR, log_export, percent, records_of
from server.commands.inputs import DAY, FILE, FILE_OR_FOLDER, NEW_FILE, effective
from server.commands.output import json_option, show, table
from server.notary import signed_places
from server.records_json import proof_json


@click.group()
def audit() -> None:
    """The log: verify, prove, export."""


@audit.command("verify")
@click.argument("file", required=False, type=FILE)
@click.option("--export", "export", type=FILE, help="The same as FILE.")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=FILE_OR_FOLDER,
    help="A checkpoint file or folder to hold it against too; repeat for more.",
)
@click.option("--key", help="The public key that checkpoints must be signed with.")
@DATA_DIR
@json_option
def verify_log(
    file: Path | None,
    export: Path | None,
    checkpoints: tuple[Path, ...],
    key: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Recompute the tree from the entries and hold it against every signed checkpoint: those of the data folder and of
    ERRATA_CHECKPOINT_DIR, or, for an exported log (FILE), the one that lies beside it. Needs no running server."""
    from governance.audit_proofs import split_key
    from governance.audit_verify import verify

    try:
        if key is not None:
            split_key(key)
    except ValueError as error:
        raise click.UsageError(f"--key: {error}") from None
    if file and export:
        raise click.UsageError("name one file: FILE and --export mean the same")
    export = export or file
    settings = effective(data_dir=data_dir)
    beside = export and export.with_name(f"{export.name}.checkpoint")  # an export ends at the head that lies there
    usual = signed_places(settings) if beside is None else (beside,) if beside.exists() else ()
    held = (*checkpoints, *usual)
    with click.progressbar(length=100, label="Verifying", file=sys.stderr) as bar:
        database = None if export else settings.database_path
        report = verify(database=database, export=export, checkpoints=held, key=key, progress=percent(bar))
    problems = [problem.message for problem in report.problems]
    result = {
        "ok": report.ok,
        "entries": report.size,
        "root": report.root,
        "checkpoints": report.heads,
        "unsigned": report.unsigned,
        "trusted_key": report.trusted_key,
        "first_bad": report.first_bad,
        "problems": problems,
    }
    verdict = "ok" if report.ok else f"BROKEN, first at entry {report.first_bad}" if report.first_bad else "NOT PROVED"
    against = f"{report.heads} checkpoints" if report.heads else "held against no signed checkpoint: pass --checkpoint"
    entries = f"{report.size} entries"
    if report.heads and report.unsigned:
        entries += f" (the last {report.unsigned} not signed{'' if export else ' yet'})"
    if report.heads and not report.trusted_key:
        against += ", signed by a key that lay beside them: pass --key to hold them against one that you trust"
    show(
        result,
        as_json=as_json,
        text=lambda: "\n  ".join((f"{verdict}: {entries}, {against}", *_counted(problems))),
    )
    if not report.ok:
        sys.exit(1)


def _counted(lines: list[str]) -> list[str]:
    """Each line once, with how often it is said."""
    return [line if times == 1 else f"{line} ({times} times)" for line, times in Counter(lines).items()]


@audit.command("checkpoint")
@DATA_DIR
@json_option
def print_checkpoint(data_dir: Path | None, as_json: bool) -> None:
    """Print a signed checkpoint of the log as it is now."""
    with records_of(data_dir) as records:
        note, key = records.checkpoints.sign(), records.checkpoints.key
    show({"checkpoint": note, "key": key}, as_json=as_json, text=lambda: note)


@audit.command("prove")
@click.argument("entry", type=int)
@DATA_DIR
@json_option
def prove(entry: int, data_dir: Path | None, as_json: bool) -> None:
    """Print the inclusion proof of an entry in the log as it is now."""
    with records_of(data_dir) as records:
        log, size = records.log, records.log.size()
        found, hashes = log.entry(entry), log.inclusion_proof(entry, size)
        proof = proof_json(found, size=size, root=log.root(size), hashes=hashes)
    show(proof, as_json=as_json)


@audit.command("export")
@click.argument("file", type=NEW_FILE)
@click.option(
    "--records", "records_too", is_flag=True, help="The corrections instead: CSV for a .csv, else JSON Lines."
)
@click.option("--texts", is_flag=True, help="With --records: also what is sealed in the vault.")
@DATA_DIR
@json_option
def export_log(file: Path, records_too: bool, texts: bool, data_dir: Path | None, as_json: bool) -> None:
    """Write all entries as JSON Lines, with the signed checkpoint and the key beside them; or all corrections.

    The log says who exported what; its own export holds that entry too."""
    from governance.export import write_csv, write_jsonl, write_log

    if texts and not records_too:
        raise click.UsageError("--texts goes with --records: the log itself holds no texts")
    with records_of(data_dir) as records:
        log_export(records, "corrections" if records_too else "log", texts=texts)
        if records_too:
            write = write_csv if file.suffix == ".csv" else write_jsonl
            with file.open("w", encoding="utf-8", newline="") as target:
                count = write(records.ledger, target, texts=texts)
        else:
            size = write_log(records.log, records.checkpoints, file)
    result: dict[str, object]
    if records_too:
        result = {"corrections": count, "file": str(file)}
        show(result, as_json=as_json, text=lambda: f"{count} corrections in {file}")
        return
    note, key = f"{file}.checkpoint", f"{file}.key"
    result = {"entries": size, "file": str(file), "checkpoint": note, "key": key}
    show(result, as_json=as_json, text=lambda: f"{size} entries in {file}, checkpoint in {note}, key in {key}")


@audit.command("report")
@click.argument("file", type=NEW_FILE)
@click.option("--correction", "correction_id", default=None, help="Of one correction.")
@click.option("--since", type=DAY, default=None, help="Of a period, from this day on. [the first of this month]")
@click.option("--until", type=DAY, default=None, help="Up to this day, itself not counted. [tomorrow]")
@click.option("--texts", is_flag=True, help="With --correction: also what is sealed in the vault.")
@DATA_DIR
@json_option
def report(
    file: Path,
    correction_id: str | None,
    since: datetime | None,
    until: datetime | None,
    texts: bool,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Write a printable page: of one correction, or with the figures of a period."""
    from governance.export import every
    from governance.records import figures
    from governance.reports import correction_page, period_page

    if texts and not correction_id:
        raise click.UsageError("--texts goes with --correction: the page of a period holds figures alone")
    if correction_id and (since or until):
        raise click.UsageError("--since and --until are of a period: leave them out with --correction")
    try:
        start, end = period(since, until)
    except Invalid as error:
        raise click.UsageError(str(error)) from None
    with records_of(data_dir) as records:
        if correction_id:
            page = correction_page(records.ledger.get(correction_id), texts=texts)
        else:
            page = period_page(figures(every(records.ledger), start=start, end=end))
        log_export(records, "report", of=correction_id, texts=texts)
        file.write_text(page, encoding="utf-8")
    show({"file": str(file)}, as_json=as_json, text=lambda: f"written to {file}")


@audit.command("answered")
@click.option("--on", "day", type=DAY, required=True, help="The day, in UTC.")
@DATA_DIR
@json_option
def answered(day: datetime, data_dir: Path | None, as_json: bool) -> None:
    """Say what was answered on a day: by which route, under which set of edits, approved by whom. Texts stay sealed."""
    from governance.records import answered as traced

    start = day.replace(tzinfo=UTC)
    end = start + min(timedelta(days=1), datetime.max.replace(tzinfo=UTC) - start)  # the calendar has a last day
    with records_of(data_dir) as records:
        found = traced(records.answers, records.versions, records.ledger, start=start, end=end)
    rows = [
        {
            "answer": one.answer.id,
            "at": one.answer.created.isoformat(),
            "route": one.answer.route,
            "weights_version": one.answer.weights_version,
            "index_generation": one.answer.index_generation,
            "edits": [{"correction": edit, "approved_by": list(by)} for edit, by in one.approved_by],
        }
        for one in found
    ]
    show(
        rows, as_json=as_json, text=lambda: table(rows, ("at", "answer", "route", "weights_version", "edits"), width=70)
    )


COMMANDS = (audit,)
