"""`errata knowledge` against a real gateway on a port: a folder kept in step, and what of it stays out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from server.commands.output import Refused
from server.commands.remote import Remote
from tests_support import House

Errata = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "handbook"
    made.mkdir()
    return made


def synced(errata: Errata, folder: Path, *, code: int = 0) -> dict[str, Any]:
    ran = errata("admin", "knowledge", "sync", str(folder), "--json")
    assert ran.exit_code == code, ran.output
    return dict(json.loads(ran.stdout))


def titles(house: House) -> list[str]:
    return sorted(document.title for document in house.services.knowledge.documents())


def test_a_folder_is_kept_in_step_and_a_bad_file_is_skipped(house: House, errata: Errata, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "a.md").write_text("# A\nAlpha.")
    (folder / "sub" / "b.txt").write_text("Beta.")
    (folder / "bad.pdf").write_bytes(b"no pdf")
    first = synced(errata, folder, code=1)
    assert (first["added"], [Path(one["source"]).name for one in first["failed"]]) == (["a.md", "b.txt"], ["bad.pdf"])
    (folder / "bad.pdf").unlink()
    again = synced(errata, folder)
    assert (again["unchanged"], again["added"], again["updated"], again["removed"]) == (["a.md", "b.txt"], [], [], [])
    (folder / "a.md").write_text("# A\nAlpha changed.")
    (folder / "sub" / "b.txt").unlink()
    last = synced(errata, folder)
    assert (last["updated"], last["removed"]) == (["a.md"], ["b"])
    assert titles(house) == ["A"]


@pytest.mark.parametrize(
    "path", [".hidden.txt", ".git/notes.txt", "sub/.venv/licence.txt"], ids=["file", "folder", "folder further down"]
)
def test_what_is_hidden_stays_out(errata: Errata, folder: Path, path: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("hidden")
    assert synced(errata, folder)["added"] == []


def test_a_link_out_of_the_folder_is_not_followed(errata: Errata, folder: Path) -> None:
    (folder.parent / "outside.txt").write_text("secret")
    (folder / "link.txt").symlink_to(folder.parent / "outside.txt")
    assert synced(errata, folder)["added"] == []


def test_a_file_that_turned_bad_leaves_its_former_version_serving(house: House, errata: Errata, folder: Path) -> None:
    (folder / "a.txt").write_text("Alpha.")
    synced(errata, folder)
    (folder / "a.txt").write_bytes(b"\x00\x01\x02 binary")
    assert [Path(one["source"]).name for one in synced(errata, folder, code=1)["failed"]] == ["a.txt"]
    assert titles(house) == ["a"]


def test_a_former_version_that_could_not_be_removed_goes_with_the_next_run(
    house: House, errata: Errata, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.md").write_text("# Before\nAlpha.")
    (folder / "b.txt").write_text("Beta.")
    synced(errata, folder)
    (folder / "a.md").write_text("# After\nAlpha changed.")
    (folder / "b.txt").write_text("Beta changed.")
    refuse_one_removal(monkeypatch)
    first = synced(errata, folder, code=1)
    assert (first["updated"], [Path(one["source"]).name for one in first["failed"]]) == (["b.txt"], ["a.md"])
    assert titles(house) == ["After", "Before", "b"]
    second = synced(errata, folder)
    assert (second["updated"], second["unchanged"]) == (["a.md"], ["b.txt"])
    assert titles(house) == ["After", "b"]


def test_what_cannot_be_removed_is_reported_and_the_rest_goes_on(
    house: House, errata: Errata, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (folder / name).write_text(name)
    synced(errata, folder)
    (folder / "a.txt").unlink()
    (folder / "b.txt").unlink()
    refuse_one_removal(monkeypatch)
    first = synced(errata, folder, code=1)
    assert [len(first[key]) for key in ("failed", "removed", "unchanged")] == [1, 1, 1]
    synced(errata, folder)
    assert titles(house) == ["c"]


def test_a_file_that_cannot_be_read_is_skipped_and_keeps_its_document(
    house: House, errata: Errata, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").write_text("Alpha.")
    synced(errata, folder)
    (folder / "b.txt").write_text("Beta.")
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) if path.name != "a.txt" else refuse(path))
    result = synced(errata, folder, code=1)
    assert (result["added"], [Path(one["source"]).name for one in result["failed"]]) == (["b.txt"], ["a.txt"])
    assert titles(house) == ["a", "b"]


def test_a_folder_that_cannot_be_read_ends_the_run_before_anything_is_removed(
    house: House, errata: Errata, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "locked").mkdir()
    (folder / "locked" / "a.txt").write_text("Alpha.")
    synced(errata, folder)
    look = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: look(path) if Path(path).name != "locked" else refuse(path))
    ran = errata("admin", "knowledge", "sync", str(folder))
    assert (ran.exit_code, "locked" in ran.output) == (1, True), ran.output
    assert titles(house) == ["a"]


def refuse_one_removal(monkeypatch: pytest.MonkeyPatch) -> None:
    call, refusals = Remote.call, iter([True])

    def refusing(remote: Remote, method: str, path: str, **options: Any) -> Any:
        if method == "DELETE" and next(refusals, False):
            raise Refused("the server is busy")
        return call(remote, method, path, **options)

    monkeypatch.setattr(Remote, "call", refusing)


def refuse(path: Path) -> Any:
    raise PermissionError(13, "Permission denied", str(path))


def test_a_file_of_another_kind_or_without_content_is_no_failure(house: House, errata: Errata, folder: Path) -> None:
    (folder / "a.txt").write_text("Alpha.")
    (folder / "b.exe").write_bytes(b"MZ")
    (folder / "e.txt").touch()
    result = synced(errata, folder)
    assert (result["added"], result["ignored"], result["failed"]) == (["a.txt"], ["b.exe", "e.txt"], [])
    (folder / "a.txt").write_text("")  # cut short while it was written, perhaps
    assert [Path(one["source"]).name for one in synced(errata, folder, code=1)["failed"]] == ["a.txt"]
    assert titles(house) == ["a"]
