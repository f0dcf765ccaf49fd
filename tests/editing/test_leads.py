"""Well-known subjects that no edit shall move: which are asked about, how they are read, what they keep still."""

from dataclasses import replace

import pytest
import torch

from editing.editor import Editor
from editing.memit.contexts import Role, lead_rows
from editing.memit.keys import keys_of
from editing.memit.statistics import cache_key, load, measure, save
from editing.questions.leads import leads
from editing.questions.neighbours import in_other_words, neighbours_of
from editing.questions.relations import relations
from editing.testing import TINY, tiny_editor

TEXTS = ["the quick brown fox jumps over the lazy dog " * 4] * 6
RECIPE = replace(TINY, leads_per_relation=1)


@pytest.fixture(scope="module")
def editor():
    return tiny_editor(config=RECIPE)


@pytest.fixture(scope="module")
def rows(editor):
    return lead_rows(editor.chat, RECIPE)[:40]


def _measured(editor, rows):
    return measure(
        editor.decoder,
        editor.chat,
        TEXTS,
        base_sha256="tiny",
        layers=(1,),
        answer_layers=(2,),
        max_tokens=500,
        max_felt=50,
        leads=rows,
    )


def test_no_question_of_theirs_verifies_an_edit():
    asked = {lead.question for lead in leads(5)}
    assert len(asked) > 400
    for relation in relations().values():
        known = neighbours_of(relation, avoid=())
        assert asked.isdisjoint(probe.question for probe in (*known, *in_other_words(known, relation, be="is")))


def test_each_names_its_subject_and_breaks_off_before_the_answer():
    for lead in leads(5):
        assert lead.subject in lead.question
        assert lead.beginning
        assert "{" not in lead.question + lead.beginning
        assert lead.beginning[-1] not in ".?"


def test_rows_are_read_at_the_subject_and_along_the_beginning(editor, rows):
    found = _measured(editor, rows)
    keys = keys_of(editor.decoder, rows, (1,))[0]
    torch.testing.assert_close(found.leads[1], keys.T @ keys / len(keys), atol=1e-5, rtol=1e-4)
    sums, count = torch.zeros_like(found.leads[2]), 0
    for row in rows:
        seen = editor.decoder.run(editor.decoder.rows([row.tokens]), until=3, record=[2], keys=True)
        read = seen.mlp_inputs[2][0, row.target_at - 1 :].detach()
        sums, count = sums + read.T @ read, count + len(read)
    torch.testing.assert_close(found.leads[2], sums / count, atol=1e-5, rtol=1e-4)


def test_they_are_kept_with_the_statistics_and_name_them(editor, rows, tmp_path):
    found, without = _measured(editor, rows), _measured(editor, [])
    assert (without.leads, without.leads_sha256) == ({}, "")
    assert found.sha256 != without.sha256
    save(found, tmp_path / "statistics.safetensors")
    read = load(tmp_path / "statistics.safetensors")
    assert read.sha256 == found.sha256
    assert all(torch.equal(read.leads[layer], found.leads[layer]) for layer in (1, 2))
    what = {"base_sha256": "m", "corpus_sha256": "c", "layers": (1,), "max_tokens": 9, "max_felt": 9, "dtype": "fp32"}
    assert cache_key(**what, leads=rows) != cache_key(**what, leads=rows[:-1]) != cache_key(**what)


def test_an_edit_adds_less_at_their_subjects_the_more_they_weigh(editor, rows, facts):
    statistics = replace(editor.statistics, leads=_measured(editor, rows).leads)
    keys = keys_of(editor.decoder, rows, TINY.layers)[0].double()
    added = []
    for weight in (0.0, 10.0, 1000.0):
        recipe = replace(RECIPE, steps=1, lead_weight=weight)
        other = Editor(
            editor.decoder.model,
            editor.chat.tokenizer,
            config=recipe,
            statistics=statistics,
            base_sha256="tiny",
        )
        change = other.solve([editor.artefact(facts[:1])]).deltas[TINY.layers[0]]
        added.append(float((keys @ change.right[0]).norm()))
    assert added == sorted(added, reverse=True)
    assert added[2] < 0.5 * added[0]
    assert {row.role for row in rows} == {Role.KEEP}
