"""What acts against leaks: protected keys, a column per wording, replies that must stay, a second pass."""

from dataclasses import replace

import torch

from editing.edit_set import Artefact
from editing.memit.contexts import Role
from editing.memit.keys import KeyRows
from editing.testing import TINY, tiny_editor

SHORT = replace(TINY, steps=3)


def _drift(editor, artefact, role):
    """How far hidden states move, relative to the target state, over the rows of one role."""
    rows = [row for row, _ in artefact.contexts if row.role is role]
    last = editor.config.layers[-1]
    before = KeyRows(editor.decoder, rows, editor.config.layers).look(last, {}).hidden
    solution = editor.solve([artefact])
    after = (
        KeyRows(editor.decoder, rows, editor.config.layers)
        .look(last, {layer: solution.tensor(layer) for layer in solution.deltas})
        .hidden
    )
    return float((after - before).norm(dim=1).mean() / artefact.delta.norm())


def test_protected_keys_move_less_than_unprotected_ones(facts):
    free = tiny_editor(config=replace(SHORT, protect_weights=(1e-6,), per_context=True))
    held = tiny_editor(config=replace(SHORT, protect_weights=(10.0,), per_context=True))
    assert _drift(held, held.artefact(facts[:1]), Role.PROTECT) < 0.5 * _drift(
        free, free.artefact(facts[:1]), Role.PROTECT
    )


def test_a_column_per_wording_and_per_protected_key(facts):
    editor = tiny_editor(config=replace(SHORT, protect_weights=(1.0,), per_context=True))
    artefact = editor.artefact(facts[:1])
    assert editor.solve([artefact]).deltas[1].rank == len(artefact.contexts)
    mean = tiny_editor(config=SHORT)
    assert mean.solve([mean.artefact(facts[:1])]).deltas[1].rank == 1


def test_no_row_is_both_moved_and_kept(facts):
    editor = tiny_editor(config=replace(SHORT, protect_weights=(1.0,)))
    rows = [row for row, _ in editor.artefact(facts[:1]).contexts]
    moved = {row.tokens for row in rows if row.role is Role.EDIT}
    assert moved.isdisjoint(row.tokens for row in rows if row.role is Role.PROTECT)


def test_a_second_pass_is_a_new_artefact_with_a_longer_reach(tmp_path, facts):
    editor = tiny_editor(config=SHORT)
    first = editor.artefact(facts[:1])
    second = first.scaled(1.5)
    assert second.id != first.id
    second.save(tmp_path)
    assert torch.equal(Artefact.load(tmp_path, second.id).delta, first.delta * 1.5)
