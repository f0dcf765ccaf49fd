"""How commands print: text for people, one JSON value with --json, errors as one line and exit code 1."""

from __future__ import annotations

import errno
import functools
import json
import os
import re
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from editing.errors import EditingError
from governance.errors import GovernanceError
from retrieval.errors import RetrievalError
from server.errors import ServerError

F = TypeVar("F", bound=Callable[..., Any])


class Refused(click.ClickException):
    """The command was understood and could not be done."""

    exit_code = 1


ERRORS = (Refused, EditingError, GovernanceError, RetrievalError, ServerError, OSError, UnicodeError, sqlite3.Error)


class _NewFile(click.Path):
    """A file to be written at the end of a command, which is refused at its start if it cannot be."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not value:
            self.fail("the name is empty: give that of a file", param, ctx)
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"there is no folder {str(path.parent)!r}: make it first", param, ctx)
        if not path.exists() and not os.access(path.parent, os.W_OK):
            self.fail(f"nothing can be written in {str(path.parent)!r}", param, ctx)
        return path


class _Given(click.Path):
    """A file or folder that a command reads: exit code 1 where it is not found, as for anything else that is not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            raise Refused(error.format_message()) from None


class _Day(click.DateTime):
    """A day, named in help as people write it."""

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is no day: write it YYYY-MM-DD", param, ctx)


class _Words(click.ParamType[str]):
    """A text that says something."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return value if value.strip() else self.fail("it is empty: give a few words", param, ctx)


NEW_FILE = _NewFile()
WORDS = _Words()
FILE = _Given(exists=True, dir_okay=False, path_type=Path)
FOLDER = _Given(exists=True, file_okay=False, path_type=Path)
FILE_OR_FOLDER = _Given(exists=True, path_type=Path)
DAY = _Day(["%Y-%m-%d"])

EVERGREEN = "question,is_evergreen (1: the answer almost never changes, 0: it changes)"
RECENCY = "question,recency (one of RecencyQA's twelve labels, from An-Hour to Never)"
TOO_SHORT = "holds no text to measure on: give one of two tokens or more"


def text_of(path: Path) -> str:
    """The text to measure on that stands in a file. Raises Refused, naming the file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            f"{str(path)!r} is no UTF-8 text ({error.reason} at byte {error.start}): give a plain text saved as UTF-8"
        ) from None
    if not text.strip():
        raise Refused(f"{str(path)!r} {TOO_SHORT}")
    return text


def show(value: Any, *, as_json: bool, text: Callable[[], str] | None = None) -> None:
    """Print `value` as JSON, or what `text` makes of it."""
    if as_json or text is None:
        click.echo(json.dumps(value, ensure_ascii=False, indent=None if as_json else 2))
    else:
        click.echo(text())


def json_option(command: F) -> F:
    """--json, and the rooms' errors as messages instead of tracebacks."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON value.")
    @functools.wraps(command)
    def call(*args: Any, as_json: bool, **kwargs: Any) -> Any:
        try:
            return command(*args, as_json=as_json, **kwargs)
        except ERRORS as error:
            refuse(error, as_json=as_json)

    return call  # type: ignore[return-value]


def refuse(error: Exception, *, as_json: bool) -> NoReturn:
    """End the command with exit code 1, saying why."""
    if not as_json:
        raise Refused(message_of(error)) from None
    click.echo(json.dumps({"error": {"message": message_of(error), "type": type(error).__name__}}))
    sys.exit(1)


def message_of(error: Exception) -> str:
    """What an error says, and for one of SQLite's or the system's what to do, which they never say themselves."""
    if isinstance(error, OSError) and error.filename is not None:
        done = "written to" if error.errno in (errno.EROFS, errno.ENOSPC, errno.EDQUOT) else "used"
        return f"{str(error.filename)!r} cannot be {done}: {error.strerror}"
    if isinstance(error, UnicodeError):
        return f"what was given cannot be read or sent: {error}"
    if type(error) is sqlite3.DatabaseError:
        return f"the database is damaged ({error}): bring a backup back with `errata restore FILE`"
    if isinstance(error, sqlite3.OperationalError) and re.search(r"full|read-?only|unable to open|disk", str(error)):
        return f"the database cannot be used now ({error}): see that the disk has room and the folder can be written to"
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return f"the database is busy ({error}): try again"
    return str(error)


def table(rows: list[dict[str, Any]], columns: tuple[str, ...], *, width: int = 60) -> str:
    """Columns of text, aligned."""
    if not rows:
        return "nothing there"
    cells = [[_cell(row.get(column), width) for column in columns] for row in rows]
    widths = [max(len(head), *(len(row[n]) for row in cells)) for n, head in enumerate(columns)]
    lines = ["  ".join(head.ljust(widths[n]) for n, head in enumerate(columns)).rstrip()]
    lines += ["  ".join(cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip() for row in cells]
    return "\n".join(lines)


def _cell(value: Any, width: int) -> str:
    text = "" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= width else text[: width - 1] + "…"
