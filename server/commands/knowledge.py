"""Commands on what the assistant knows: documents added, a folder kept in step, a search."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from server.commands.inputs import FOLDER
from server.commands.output import Refused, json_option, message_of, show, table
from server.commands.remote import Remote, under
from server.documents import description_of
from server.errors import BadRequest

DOCUMENTS = "/v1/knowledge/documents"


@click.group()
def knowledge() -> None:
    """Documents of the retrieval layer."""


@knowledge.command("add")
@click.argument("sources", nargs=-1, required=True)
@click.option("--title", default="", help="Title; else taken from the document.")
@click.option("--as-of", default=None, help="The day the content was true, YYYY-MM-DD.")
@click.option(
    "--expires-at",
    default=None,
    help="The last day it is good, YYYY-MM-DD, or the moment from which it counts as dated.",
)
@json_option
def add_knowledge(
    sources: tuple[str, ...], title: str, as_of: str | None, expires_at: str | None, as_json: bool
) -> None:
    """Add files or addresses. A bad one is reported and the rest goes in."""
    fields = {key: value for key, value in (("title", title), ("as_of", as_of), ("expires_at", expires_at)) if value}
    try:
        description_of({"text": "-", **fields})
    except BadRequest as error:
        raise click.UsageError(f"--{str(error).replace('_', '-', 1)}") from None
    remote, added, failed = Remote(), [], []
    for source in sources:
        try:
            if source.startswith(("http://", "https://")):
                added.append(remote.call("POST", DOCUMENTS, json={"uri": source, **fields}))
            else:
                path = Path(source)
                file = (path.name, path.read_bytes())
                added.append(remote.call("POST", DOCUMENTS, data=fields, files={"file": file}))
        except (Refused, OSError) as error:
            failed.append({"source": source, "error": message_of(error)})
    lines = [f"added {d['id']} {d['title']} ({d['passages']} passages)" for d in added] + [
        f"skipped {f['source']}: {f['error']}" for f in failed
    ]
    show({"added": added, "failed": failed}, as_json=as_json, text=lambda: "\n".join(lines))
    if failed:
        sys.exit(1)


@knowledge.command("sync")
@click.argument("folder", type=FOLDER)
@json_option
def sync_knowledge(folder: Path, as_json: bool) -> None:
    """Make the knowledge base hold what this folder holds: add new files, replace changed ones, remove the gone.

    Hidden files and folders and links that lead out of the folder count as not there. Files of a kind that is not read,
    and new ones without content, are named as ignored.
    """
    remote = Remote()
    result = _sync(remote, folder)
    show(
        result,
        as_json=as_json,
        text=lambda: (
            ", ".join(f"{len(names)} {what}" for what, names in result.items())
            + "".join(f"\nskipped {f['source']}: {f['error']}" for f in result["failed"])
        ),
    )
    if result["failed"]:
        sys.exit(1)


def _sync(remote: Remote, folder: Path) -> dict[str, list[Any]]:
    """Bring the server in step with a folder. An entry's uri is its file's address with the start of its sha256.

    A file that fails is reported and skipped; its former version goes on serving. Raises OSError where a folder cannot
    be read, before anything is changed.
    """
    import hashlib

    from retrieval.ingest import files_in
    from retrieval.parsers import suffixes

    root = folder.resolve()
    files = list(files_in(root))
    known = {
        d["uri"]: d
        for d in remote.call("GET", DOCUMENTS, holds="data")["data"]
        if d["uri"].startswith(f"{root.as_uri()}/")
    }
    kinds = ("added", "updated", "unchanged", "removed", "ignored", "failed")
    result: dict[str, list[Any]] = {kind: [] for kind in kinds}
    with click.progressbar(files, label="Reading", file=sys.stderr) as shown:
        for path in shown:
            try:
                data = path.read_bytes()
                uri = f"{path.as_uri()}#sha256={hashlib.sha256(data).hexdigest()[:16]}"
                # Also beside a version that stands already: the run that added it may have failed to remove the former one.
                older = [found for key, found in known.items() if key.split("#")[0] == path.as_uri() and key != uri]
                if path.suffix.lower() not in suffixes() or not (data.strip() or older):
                    result["ignored"].append(path.name)
                    continue
                if uri not in known:
                    remote.call("POST", DOCUMENTS, data={"uri": uri}, files={"file": (path.name, data)})
                for document in older:
                    remote.call("DELETE", under(DOCUMENTS, document["id"]))
            except (Refused, OSError) as error:
                result["failed"].append({"source": str(path), "error": message_of(error)})
                continue
            result["updated" if older else "unchanged" if uri in known else "added"].append(path.name)
    present = {path.as_uri() for path in files}
    for uri, document in known.items():
        if uri.split("#")[0] not in present:
            try:
                remote.call("DELETE", under(DOCUMENTS, document["id"]))
                result["removed"].append(document["title"])
            except Refused as error:
                result["failed"].append({"source": uri, "error": str(error)})
    return result


@knowledge.command("search")
@click.argument("query")
@click.option("-k", type=click.IntRange(min=1), default=5, show_default=True, help="At most so many passages.")
@json_option
def search_knowledge(query: str, k: int, as_json: bool) -> None:
    """Find passages."""
    found = Remote().call("POST", "/v1/knowledge/search", holds="data", json={"query": query, "k": k})
    show(found, as_json=as_json, text=lambda: table(found["data"], ("score", "as_of", "title", "text"), width=80))


@knowledge.command("list")
@json_option
def list_knowledge(as_json: bool) -> None:
    """List documents."""
    found = Remote().call("GET", DOCUMENTS, holds="data")
    show(found, as_json=as_json, text=lambda: table(found["data"], ("id", "title", "as_of", "expires_at", "passages")))


@knowledge.command("remove")
@click.argument("document_id")
@json_option
def remove_knowledge(document_id: str, as_json: bool) -> None:
    """Remove a document; no answer uses it from then on."""
    Remote().call("DELETE", under(DOCUMENTS, document_id))
    show({"removed": document_id}, as_json=as_json, text=lambda: f"removed {document_id}")


COMMANDS = (knowledge,)
