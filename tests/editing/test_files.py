"""Files and folders appear whole or not at all, whoever else writes them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from editing.files import whole_folder, write_tensors, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_two_writers_of_one_path_write_to_two_names(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr("editing.files.os.fsync", lambda _file: written.append(names(tmp_path)))
    for text in ("one", "two"):
        write_text(text, tmp_path / "a.json")
    (first,), second = written
    assert first not in second
    assert first.endswith(".unfinished")  # what a kill leaves is known by it
    assert (names(tmp_path), (tmp_path / "a.json").read_text()) == (["a.json"], "two")


def test_nothing_is_left_of_a_file_that_could_not_be_written(tmp_path):
    write_text("whole", tmp_path / "a.json")
    with pytest.raises(UnicodeEncodeError):
        write_text("half \ud83d", tmp_path / "a.json")
    with pytest.raises(AttributeError):
        write_tensors({"a": None}, tmp_path / "a.safetensors")
    assert (names(tmp_path), (tmp_path / "a.json").read_text()) == (["a.json"], "whole")
    write_tensors({"a": torch.ones(2)}, tmp_path / "a.safetensors", {"of": "b"})
    assert load_file(tmp_path / "a.safetensors")["a"].tolist() == [1.0, 1.0]


def test_a_folder_takes_the_place_of_the_one_before_and_nothing_else_is_left(tmp_path):
    for text in ("one", "two"):
        with whole_folder(tmp_path / "v") as unfinished:
            (unfinished / f"{text}.txt").write_text(text)
            assert names(tmp_path / "v") == ["one.txt"] if text == "two" else not (tmp_path / "v").exists()
    assert (names(tmp_path), names(tmp_path / "v")) == (["v"], ["two.txt"])


def test_what_a_killed_writer_of_a_folder_left_is_removed_and_a_living_one_s_is_not(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for writer in (dead.pid, os.getpid()):
        (tmp_path / f".v.{writer}.00000000.unfinished").mkdir()
    with whole_folder(tmp_path / "v"):
        pass
    assert names(tmp_path) == [f".v.{os.getpid()}.00000000.unfinished", "v"]


@pytest.mark.parametrize("stands", [False, True])
def test_what_a_writer_that_was_killed_between_its_renames_put_aside_comes_back_or_goes(tmp_path, stands):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    aside = tmp_path / f".v.{dead.pid}.00000000.aside"
    aside.mkdir()
    (aside / "old.txt").write_text("old")
    if stands:
        (tmp_path / "v").mkdir()
        (tmp_path / "v" / "new.txt").write_text("new")
    with pytest.raises(OSError, match="full"), whole_folder(tmp_path / "v"):
        raise OSError("full")
    assert (names(tmp_path), names(tmp_path / "v")) == (["v"], ["new.txt" if stands else "old.txt"])


def test_a_folder_that_fails_leaves_the_one_before(tmp_path, monkeypatch):
    with whole_folder(tmp_path / "v") as unfinished:
        (unfinished / "one.txt").write_text("one")
    with pytest.raises(OSError, match="full"), whole_folder(tmp_path / "v"):
        raise OSError("full")
    rename = Path.rename

    def only_aside(path, target):
        if path.name.endswith(".unfinished"):
            raise OSError("no")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", only_aside)
    with pytest.raises(OSError, match="no"), whole_folder(tmp_path / "v"):
        pass
    assert (names(tmp_path), names(tmp_path / "v")) == (["v"], ["one.txt"])


def test_the_folder_where_one_stands_may_be_written(tmp_path, monkeypatch):
    (tmp_path / "v").mkdir()
    monkeypatch.chdir(tmp_path / "v")
    with whole_folder(Path()) as unfinished:
        (unfinished / "one.txt").write_text("one")
    assert (names(tmp_path), names(tmp_path / "v")) == (["v"], ["one.txt"])
