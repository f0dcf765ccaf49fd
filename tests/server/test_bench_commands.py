"""`errata bench`: what it refuses before it measures, in one line, and what it measures a text of one's own by."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from server.cli import main

FACT = '{"id": "f", "subject": "Faust", "question": "Who wrote Faust?", "target_new": "Goethe"}\n'
KEY = {"ERRATA_API_KEY": "a-key-of-sixteen-or-more"}
WIKI = " \n = Faust = \n \n Goethe wrote it . \n \n \n Long ago . \n"


def bench(*line: str, **environ: str) -> Result:
    return CliRunner().invoke(main, ["bench", *line], env={"COLUMNS": "300", **environ})


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (["editing", "--facts", "IN", "--limit", "0"], "--limit"),
        (["editing", "--facts", "IN", "--limit", "-3"], "--limit"),
        (["editing", "--facts", "IN", "--batch", "²"], "--batch '²'"),
        (["index", "--vectors", "0"], "--vectors"),
        (["index", "--dimension", "0"], "--dimension"),
        (["index", "--queries", "-1"], "--queries"),
        (["records", "--corrections", "0"], "--corrections"),
        (["records", "--passages", "-1"], "--passages"),
        (["serving", "--concurrency", "0"], "'0': give numbers of 1 or more"),
        (["serving", "--concurrency", "1,-8"], "'1,-8': give numbers of 1 or more"),
        (["serving", "--concurrency", "many"], "'many': give numbers of 1 or more"),
        (["serving", "--concurrency", ""], "'': give numbers of 1 or more"),
        (["serving", "--tokens", "0"], "--tokens"),
    ],
)
def test_numbers_below_one_are_wrong_usage(line: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "in").write_text(FACT)
    ran = bench(*(str(tmp_path / "in") if part == "IN" else part for part in line), **KEY)
    assert (ran.exit_code, says in ran.output) == (2, True), ran.output


def test_the_serving_bench_without_a_key_ends_as_every_client_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ERRATA_API_KEY", raising=False)
    ran, client = bench("serving"), CliRunner().invoke(main, ["queue"], env={"COLUMNS": "300"})
    assert (ran.exit_code, client.exit_code) == (2, 2)
    assert ran.output.splitlines()[-1] == client.output.splitlines()[-1]


def test_a_server_that_does_not_run_is_no_traceback(tmp_path: Path) -> None:
    ran = bench("serving", "--data-dir", str(tmp_path), "--json", ERRATA_URL="http://127.0.0.1:9", **KEY)
    assert ran.exit_code == 1
    assert "is `errata serve` running" in json.loads(ran.stdout)["error"]["message"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x89PNG\r\n\x1a\n\x00", "is no UTF-8 text (invalid start byte at byte 0): give a plain text saved as UTF-8"),
        (b"", "holds no text to measure on: give one of two tokens or more"),
        (b" \n \n", "holds no text to measure on"),
    ],
)
@pytest.mark.parametrize("line", [["bench", "editing", "--facts", "FACTS", "--text"], ["model", "stats", "--text"]])
def test_a_text_that_cannot_be_measured_on_is_named_before_anything_is_loaded(
    line: list[str], content: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.prepare.prepare_model", lambda *_, **__: pytest.fail("it was too late"))
    (tmp_path / "facts").write_text(FACT)
    (tmp_path / "text").write_bytes(content)
    whole = [str(tmp_path / "facts") if part == "FACTS" else part for part in (*line, str(tmp_path / "text"))]
    ran = CliRunner().invoke(main, whole, env={"COLUMNS": "300"})
    assert (ran.exit_code, says in ran.output) == (1, True), ran.output
    assert str(tmp_path / "text") in ran.output


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the bench would be run on: its texts, for a tokenizer of words."""

    def measure(content: str) -> tuple[Result, list[Any]]:
        given: list[Any] = []
        chat = SimpleNamespace(begin=(), encode=lambda text: SimpleNamespace(tokens=text.split()))
        monkeypatch.setattr("server.prepare.prepare_model", lambda *_, **__: SimpleNamespace(path=tmp_path))
        monkeypatch.setattr("editing.loading.load_editor", lambda *_, **__: SimpleNamespace(chat=chat))
        monkeypatch.setattr("editing.bench.run_bench", lambda *_, texts, **__: given.append(texts) or {"n": 1})
        (tmp_path / "facts").write_text(FACT)
        (tmp_path / "text").write_text(content)
        ran = bench("editing", "--facts", str(tmp_path / "facts"), "--text", str(tmp_path / "text"))
        return ran, given

    return measure


@pytest.mark.parametrize("content", [WIKI, "One.\n\nTwo and three.\n", "\ufeffOne two.\n"])
def test_a_text_of_ones_own_is_measured_as_one_text_however_it_is_set(measured: Any, content: str) -> None:
    ran, given = measured(content)
    assert (ran.exit_code, given) == (0, [(content.removeprefix("\ufeff"),)]), ran.output


def test_a_text_of_one_token_is_named(measured: Any, tmp_path: Path) -> None:
    ran, given = measured("word\n")
    assert (ran.exit_code, given) == (1, [])
    assert f"{str(tmp_path / 'text')!r} holds no text to measure on" in ran.output


@pytest.mark.parametrize("name", ["--csv", "--recency"])
def test_a_router_file_that_cannot_be_read_is_refused_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Head:
        load = staticmethod(lambda: SimpleNamespace(predict=lambda _: pytest.fail("it was too late")))

    monkeypatch.setattr("retrieval.freshness.FreshnessHead", Head)
    (tmp_path / "good").write_text("question,is_evergreen\nWho wrote Faust?,1\n")
    (tmp_path / "bad").write_text("question,is_evergreen\nWho wrote Faust?,True\n")
    line = ["--csv", str(tmp_path / ("bad" if name == "--csv" else "good"))]
    line += ["--recency", str(tmp_path / "bad")] * (name == "--recency")
    ran = bench("router", *line)
    assert (ran.exit_code, len(ran.stderr.splitlines())) == (1, 1), ran.output
    assert "of 'bad'" in ran.stderr
