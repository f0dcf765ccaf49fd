"""The methods that the product's is compared with: each does what its paper says."""

from dataclasses import replace

import pytest
import torch

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


def test_a_batch_that_the_device_has_no_room_for_is_halved(facts, monkeypatch):
    editor, whole, sizes = tiny_editor(), tiny_editor()._artefacts.__func__, []

    def short_of_room(groups, statements):
        sizes.append(len(groups))
        if len(groups) > 2:
            raise torch.OutOfMemoryError("no room")
        return whole(editor, groups, statements)

    monkeypatch.setattr(editor, "_artefacts", short_of_room, raising=True)
    groups = [[fact] for fact in facts[:3]]
    written = [[write_statements(f.question, f.subject, f.target_new)] for f in facts[:3]]
    made = editor._as_fits(groups, written)
    assert [artefact.fact_ids for artefact in made] == [(fact.id,) for fact in facts[:3]]
    assert sizes == [3, 1, 2]
