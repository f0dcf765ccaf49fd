"""Commands on the data folder itself, logged under the operating system's user: people, model, backups, settings, doctor."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from governance.accounts import Role
from governance.backup import Restored, is_damage, set_damaged_aside
from governance.backup import backup as copy_database
from governance.backup import restore as bring_back
from governance.errors import WrongKey
from governance.store import Store
from governance.vault import Vault, load_or_create_key
from server.commands.folder import DATA_DIR, log_export, operator_of, percent, records_of, tell
from server.commands.inputs import FILE, NEW_FILE, effective, text_of
from server.commands.output import json_option, show, table
from server.doctor import examine
from server.notary import sign_now
from server.records_json import account_json, made_json
from server.services import Records, open_records
from server.settings import EMBEDDED, Settings, misspelt


@click.group()
def user() -> None:
    """Accounts of this data folder."""


@user.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="user: chat and report; auditor: read; reviewer: judge reports; admin: approve, undo, manage.",
)
@click.option("--key", help="An API key of your own, 16-200 printable characters; else one is made.")
@click.option("--password", help="A password of your own; else one is made.")
@DATA_DIR
@json_option
def add_user(name: str, role: str, key: str | None, password: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Make an account. Password and key are printed this once."""
    with records_of(data_dir, create=True) as records:
        actor = operator_of(records)
        made = made_json(records.accounts.add(name, Role(role), key=key, password=password, actor=actor))
    show(
        made,
        as_json=as_json,
        text=lambda: f"{made['name']} ({made['role']})\n  password {made['password']}\n  API key  {made['key']}",
    )


@user.command("list")
@DATA_DIR
@json_option
def list_users(data_dir: Path | None, as_json: bool) -> None:
    """List accounts."""
    with records_of(data_dir) as records:
        rows = [account_json(account) for account in records.accounts.list()]
    show(rows, as_json=as_json, text=lambda: table(rows, ("name", "role", "disabled", "created", "id")))


@user.command("disable")
@click.argument("name")
@DATA_DIR
@json_option
def disable_user(name: str, data_dir: Path | None, as_json: bool) -> None:
    """Close an account; its key and sessions end now."""
    with records_of(data_dir) as records:
        closed = account_json(records.accounts.disable(name, actor=operator_of(records)))
    show(closed, as_json=as_json, text=lambda: f"{name} is disabled")


@user.command("reset")
@click.argument("name")
@DATA_DIR
@json_option
def reset_user(name: str, data_dir: Path | None, as_json: bool) -> None:
    """A new password and key; the old ones end now."""
    with records_of(data_dir) as records:
        made = made_json(records.accounts.reset(name, actor=operator_of(records)))
    show(made, as_json=as_json, text=lambda: f"{name}\n  password {made['password']}\n  API key  {made['key']}")


@click.group()
def model() -> None:
    """The served model: prepare, statistics, export."""


MODEL = click.option("--model", "name", help="Local folder or Hugging Face id. [the embedded one]")


@model.command("prepare")
@MODEL
@json_option
def prepare(name: str | None, as_json: bool) -> None:
    """Find, fetch or convert the model, once."""
    from server.prepare import prepare_model

    settings = effective(model=name)
    made = prepare_model(settings.model, settings.model_dir, say=tell)
    result = {"path": str(made.path), "base_sha256": made.base_sha256, "model_type": made.model_type}
    show(result, as_json=as_json, text=lambda: f"{made.path}\n  {made.model_type}, base {made.base_sha256[:16]}…")


@model.command("stats")
@MODEL
@click.option(
    "--text",
    type=FILE,
    help="Text to measure on, and to edit by from the next start on; else the model writes its own.",
)
@json_option
def stats(name: str | None, text: Path | None, as_json: bool) -> None:
    """Measure the statistics that edits are made with, and cache them."""
    from editing.loading import default_config, load_model, statistics_for, use_statistics
    from server.prepare import prepare_model

    settings = effective(model=name)
    texts = None if text is None else [part for part in text_of(text).split("\n\n") if part.strip()]
    made = prepare_model(settings.model, settings.model_dir, say=tell)
    loaded = load_model(made.path)
    folder = settings.statistics_dir
    if texts is None:
        use_statistics(None, folder, base_sha256=loaded.base_sha256)
    with click.progressbar(length=100, label="Measuring", file=sys.stderr) as bar:
        found = statistics_for(
            loaded,
            default_config(loaded),
            texts=texts,
            folder=folder if texts is None else None,
            progress=percent(bar),
        )
    if texts is not None:
        use_statistics(found, folder, base_sha256=loaded.base_sha256)
    show({"sha256": found.sha256, "layers": sorted(found.covariances)}, as_json=as_json)


@model.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["hf", "peft"]),
    default="hf",
    show_default=True,
    help="A whole checkpoint, or a LoRA adapter.",
)
@click.option("--version", "version_id", help="The version to export. [the served one]")
@MODEL
@DATA_DIR
@json_option
def export_model(
    folder: Path, format_: str, version_id: str | None, name: str | None, data_dir: Path | None, as_json: bool
) -> None:
    """Write the edited model for transformers and vLLM, or only the change as an adapter for PEFT."""
    from editing.edit_set import Artefact
    from editing.errors import ArtefactMismatch
    from editing.export import export_hf, export_peft
    from editing.loading import load_editor
    from server.prepare import prepare_model

    settings = effective(model=name, data_dir=data_dir)
    with records_of(data_dir) as records:
        base = prepare_model(settings.model, settings.model_dir, say=tell)
        versions = records.versions
        version = versions.get(version_id) if version_id else versions.served() or versions.desired()
        editor = load_editor(base.path, folder=settings.statistics_dir)
        solution = editor.solve([Artefact.load(settings.artefacts_dir, id_) for id_ in version.artefacts])
        if solution.version_id != version.id:
            raise ArtefactMismatch(
                f"version {version.id!r} was solved by another build, whose tensors this one does not give:"
                " take them from its folder, or export the version of the next release"
            )
        log_export(records, "model", of=version.id)
        base_model = str(base.path) if settings.model == EMBEDDED else settings.model
        written = (
            export_hf(folder, solution, base.path)
            if format_ == "hf"
            else export_peft(folder, solution, base_model=base_model)
        )
    result = {"folder": str(written), "version": version.id, "edits": len(version.corrections)}
    show(result, as_json=as_json, text=lambda: f"version {version.id} in {written}")


@click.command()
@click.argument("file", type=NEW_FILE)
@DATA_DIR
@json_option
def backup(file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Copy the database to FILE while the server runs. The keys are not in it: keep DATA_DIR/keys elsewhere."""
    with records_of(data_dir) as records:
        size = copy_database(records.store, records.log, file, actor=operator_of(records))
    show(
        {"file": str(file), "entries": size},
        as_json=as_json,
        text=lambda: f"{size} log entries and all records in {file}",
    )


@click.command()
@click.argument("file", type=FILE)
@DATA_DIR
@json_option
def restore(file: Path, data_dir: Path | None, as_json: bool) -> None:
    """Bring back the records of a backup, also while the server runs; erasures since then are done again. A database
    that is damaged, or whose log was changed or is another one, is set aside; one whose log is what its checkpoints were
    signed for is not, once something was asked or reported: for a backup with another log, move it away first."""
    from dataclasses import asdict

    from server.replay import replay_documents

    records, damaged = _opened_or_aside(effective(data_dir=data_dir), file)
    done = bring_back(
        records.store,
        file,
        vault=records.vault,
        tombstones=records.tombstones,
        ledger=records.ledger,
        actor=operator_of(records),
        checkpoints=records.checkpoints,
        replay=replay_documents,
    )
    aside = damaged or done.set_aside
    _tell_what_is_left_to_do(done, aside)
    sign_now(records, say=tell)
    records.store.close()
    moved = {"set_aside": [str(path) for path in (aside, *done.notes) if path], "notes": [*map(str, done.notes)]}
    show({**asdict(done), **moved}, as_json=as_json)


def _tell_what_is_left_to_do(done: Restored, aside: Path | None) -> None:
    if aside:
        why = "restart the server if it runs, and delete that file when you know why: it keeps what is erased later"
        tell(f"The former database is damaged, or its log is not the backup's, and lies in {aside} now; {why}.")
    if done.disabled:
        tell(f"Disabled after the backup, and so they stay: {', '.join(done.disabled)}.")
    if done.to_reset:
        tell(f"Given new secrets after the backup, which are lost: {', '.join(done.to_reset)}.")
        tell("They are disabled until you run `errata user reset NAME` for each.")


def _opened_or_aside(settings: Settings, backup: Path) -> tuple[Records, Path | None]:
    """The records as they are; a database that cannot be opened, or its log not be read or not be believed, is moved
    aside first. Where there is none, nothing is made before the folder's key has opened the backup."""
    from governance.audit_verify import verify

    database = settings.database_path
    try:
        if (is_there := database.exists()) and verify(database=database).ok:
            return open_records(settings), None
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
    aside = set_damaged_aside(database, backup, vault=_vault_of(settings))
    return open_records(settings), aside if is_there else None


def _vault_of(settings: Settings) -> Vault:
    """The folder's key, where its database cannot be opened. Raises WrongKey if it is missing."""
    path = settings.keys_dir / "master.key"
    if not path.exists():
        raise WrongKey(f"the vault's key is missing: put {str(path)!r} back, with which the backup was made")
    return Vault(Store(settings.database_path), load_or_create_key(path))


@click.command("settings")
@json_option
def print_settings(as_json: bool) -> None:
    """Print the effective settings as the variables that set them, secrets masked."""
    settings = effective()
    masked = settings.masked()
    for line in (*settings.faults().values(), *misspelt(os.environ)):
        tell(line)
    show(masked, as_json=as_json, text=lambda: "\n".join(_lines(masked)))


def _lines(values: Mapping[str, Any], prefix: str = "ERRATA_") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{prefix}{name}__")
        else:
            said = json.dumps(value) if isinstance(value, bool) else str(value)
            yield f"{prefix}{name}".upper() + ("=" if value is None else f"={shlex.quote(said)}")


@click.command()
@DATA_DIR
@json_option
def doctor(data_dir: Path | None, as_json: bool) -> None:
    """Look at everything that must be right, and say what is not and what to do."""
    findings = examine(effective(data_dir=data_dir))
    rows = [{"part": f.part, "ok": f.ok, "says": f.says} for f in findings]
    show(
        rows,
        as_json=as_json,
        text=lambda: "\n".join(f"{'ok ' if f.ok else 'BAD'}  {f.part:<12} {f.says}" for f in findings),
    )
    if not all(f.ok for f in findings):
        sys.exit(1)


COMMANDS = (user, model, backup, restore, print_settings, doctor)
