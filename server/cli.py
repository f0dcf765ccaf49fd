"""The command `errata`: one group, each command in server/commands/."""

from __future__ import annotations

import click

from server.commands import audit, bench, data, erase, knowledge, processes, remote, router

EPILOG = """
First steps:  errata serve   then open http://127.0.0.1:8000 with the passwords it printed.

Commands that talk to a running server (chat, report, queue, approve, ...) use ERRATA_URL and ERRATA_API_KEY.
Every command takes --json. Exit codes: 0 done, 1 refused or not found, 2 wrong usage.
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="errata")
def main() -> None:
    """A chat assistant that takes corrections."""


for module in (processes, remote, router, knowledge, erase, data, audit, bench):
    for command in module.COMMANDS:
        main.add_command(command)
