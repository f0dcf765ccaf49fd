"""What the commands on a data folder share: its option, its records, who runs them, and a progress bar's step."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from server.commands.processes import effective
from server.services import Records, open_records

DATA_DIR = click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="The data folder. [./data]"
)


def records_of(data_dir: Path | None) -> Records:
    return open_records(effective(data_dir=data_dir))


def operator_of(records: Records) -> str:
    """The pseudonym under which the log knows the operating system's user."""
    return records.accounts.operator(getpass.getuser())


def percent(bar: Any) -> Callable[[int, int], None]:
    """Moves a bar of 100 steps."""
    return lambda done, of: bar.update(max(0, int(100 * done / max(of, 1)) - bar.pos))
