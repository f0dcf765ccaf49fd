"""What the commands on a data folder share: its option, its records, who runs them, and a progress bar's step."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from governance.export import record_export
from server.commands.inputs import effective
from server.errors import ServerError
from server.notary import sign_now
from server.services import Records, open_records
from server.settings import Settings

DATA_DIR = click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="The data folder. [./data]"
)


@contextmanager
def records_of(data_dir: Path | None, *, create: bool = False) -> Iterator[Records]:
    """The records of a data folder; what is added to its log meanwhile is covered by a checkpoint at the end.

    Raises ServerError if there are none, unless they may be created: a mistyped folder is not to become a new one.
    """
    settings = effective(data_dir=data_dir)
    if not create:
        check_folder(settings)
    elif not settings.database_path.exists():
        tell(f"A new data folder is made in {settings.data_dir}.")
    records = open_records(settings)
    size = records.log.size()
    try:
        yield records
    finally:
        sign_now(records, since=size, say=tell)
        records.store.close()


def check_folder(settings: Settings) -> None:
    """Raises ServerError if the data folder has no database."""
    if not settings.database_path.exists():
        raise ServerError(
            f"There is no errata.db in {settings.data_dir}: name another folder with --data-dir, bring a backup back with"
            " `errata restore FILE`, or begin with `errata serve`."
        )


def operator_of(records: Records) -> str:
    """The pseudonym under which the log knows the operating system's user."""
    return records.accounts.operator(getpass.getuser())


def log_export(records: Records, what: str, *, of: str | None = None, texts: bool = False) -> None:
    """Put on record, before it is written, that the operating system's user takes a copy out of the data folder."""
    record_export(records.store, records.log, what, of=of, texts=texts, actor=operator_of(records))


def tell(line: str) -> None:
    """To the person at the terminal, beside the command's own output."""
    click.echo(line, err=True)


def percent(bar: Any) -> Callable[[int, int], None]:
    """Moves a bar of 100 steps."""
    return lambda done, of: bar.update(max(0, int(100 * done / max(of, 1)) - bar.pos))
