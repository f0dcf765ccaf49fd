"""The measure of what edits cost a shape: it counts what it says it counts."""

import importlib.util
from pathlib import Path

import pytest

from editing.testing import TINY_CONFIGS, tiny_tokenizer

SCRIPT = Path(__file__).parents[1] / "bench_scale.py"


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("bench_scale", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_set_is_made_or_repeats_what_was_made_and_is_solved(bench, monkeypatch):
    monkeypatch.setattr(bench, "MADE", 2)
    shape = {**TINY_CONFIGS["llama"], "num_hidden_layers": 8}
    report = bench.measure(bench.random_editor(shape, tiny_tokenizer()), [1, 2, 5])
    assert [(one["facts"], one["made"]) for one in report["sets"]] == [(1, 1), (2, 2), (5, 2)]
    made = [one["seconds_per_edit"] for one in report["sets"]]
    assert made[0] > 0
    assert made[1] > 0
    assert made[2] is None
    assert report["flops_per_edit"] > 24 * 1e6
    assert report["floor_seconds_per_edit"] < min(made[:2])


def test_made_up_facts_differ_in_subject(bench):
    some = bench.facts(1200)
    assert len({fact.subject for fact in some}) == 1200
    assert all(fact.subject in fact.question for fact in some)
