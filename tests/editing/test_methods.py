"""The methods that the product's is compared with: each does what its paper says."""

from dataclasses import replace

import pytest
import torch

from editing.finetune import CONSTRAINED, finetune
from editing.memit.contexts import contexts_for
from editing.methods import method
from editing.statements import write_statements
from editing.testing import TINY, tiny_editor


@pytest.mark.parametrize("name", ["rome", "emmet"])
def test_a_constraint_without_a_price_is_met_at_the_edits_own_key(name, facts):
    editor = tiny_editor(config=replace(TINY, protect_weights=(0.25,)))
    fact = facts[0]
    written = write_statements(fact.question, fact.subject, fact.target_new)
    (artefact,) = (edited := method(name)(editor, [[fact]], [[written]], lambda *_: None)).artefacts
    for number, layer in enumerate(artefact.layers):
        own = artefact.columns.keys[number][artefact.columns.moved].double().mean(dim=0)
        moved = edited.solution.deltas[layer].matrix() @ own
        torch.testing.assert_close(moved, artefact.values[number].double(), rtol=0.05, atol=1e-3)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_fine_tuning_is_named_by_what_came_out(kind, facts):
    editor = tiny_editor(kind)
    groups = [[fact] for fact in facts[:2]]
    written = [[write_statements(f.question, f.subject, f.target_new)] for (f,) in groups]
    few = replace(CONSTRAINED, epochs=1)
    one, both = (finetune(editor, groups[:n], written[:n], lambda *_: None, few).solution for n in (1, 2))
    assert one.version_id != both.version_id
    assert finetune(editor, groups, written, lambda *_: None, few).solution.version_id == both.version_id
    layer = TINY.layers[-1]
    assert both.deltas[layer].rank == min(editor.decoder.matrix(layer).shape)
    assert not torch.equal(both.tensor(layer), both.base[layer])


def test_a_batch_that_the_device_has_no_room_for_is_halved(facts, monkeypatch):
    editor, whole, sizes = tiny_editor(), tiny_editor()._artefacts.__func__, []

    def short_of_room(groups, contexts):
        sizes.append(len(groups))
        if len(groups) > 2:
            raise torch.OutOfMemoryError("no room")
        return whole(editor, groups, contexts)

    monkeypatch.setattr(editor, "_artefacts", short_of_room, raising=True)
    groups = [[fact] for fact in facts[:3]]
    written = [[write_statements(f.question, f.subject, f.target_new)] for f in facts[:3]]
    rows = [contexts_for(*group, editor.chat, editor.config) for group in zip(groups, written, strict=True)]
    made = editor._as_fits(groups, rows)
    assert [artefact.fact_ids for artefact in made] == [(fact.id,) for fact in facts[:3]]
    assert sizes == [3, 1, 2]
