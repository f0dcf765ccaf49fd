"""What commands take: files, days, words, and the settings with flags on top."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from pydantic_settings import SettingsError

from server.commands.output import Refused
from server.settings import Settings, refusal


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


def effective(*addresses: str, **flags: Any) -> Settings:
    """The settings, with these flags on top. Raises UsageError, naming each that cannot be used and what may stand there;
    of addresses those that the command uses."""
    given = {name: value for name, value in flags.items() if value is not None}
    if engine := {name: given.pop(name) for name in ("engine_url", "engine_weights") if name in given}:
        given["engine"] = {name.removeprefix("engine_"): value for name, value in engine.items()}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise click.UsageError("\n".join(refusal(one["loc"], one["msg"]) for one in error.errors())) from None
    except SettingsError as error:
        [name] = re.findall(r'field "(\w+)"', str(error)) or ["*"]
        variable = f"ERRATA_{name}".upper()
        raise click.UsageError(f"{variable}: this is no JSON object; set its parts, as {variable}__NAME") from None
    except UnicodeDecodeError:
        raise click.UsageError(".env is no UTF-8 text: save it as UTF-8") from None
    if faults := [why for name, why in settings.faults().items() if name in addresses]:
        raise click.UsageError("\n".join(faults))
    return settings
