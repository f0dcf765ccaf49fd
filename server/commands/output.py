"""How commands print: text for people, one JSON value with --json, errors as one line and exit code 1."""

from __future__ import annotations

import errno
import functools
import json
import re
import sqlite3
import sys
from collections.abc import Callable
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
