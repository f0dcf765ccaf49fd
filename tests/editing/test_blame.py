"""Blame: the edit that changed a reply is found, and what all add is what the reply costs."""

from dataclasses import replace

import pytest
import torch

from editing.facts import Fact
from editing.replies import Reply
from editing.scoring import answer_log_probs
from editing.testing import TINY, tiny_editor

FACTS = [
    Fact("f0", "Blue Door", "Who painted the Blue Door?", "Piet Aldering"),
    Fact("f1", "Velmora Robotics", "Who founded Velmora Robotics?", "Ines Takeda"),
    Fact("f2", "Quay harp", "How many strings does the Quay harp have?", "seven"),
]
ASKED = [("Who painted the Red Door?", "Nobody knows who painted it."), ("What is a harp?", "It has strings.")]


# Two layers at the subject and one where the answer stands, whose values are several an artefact.
BOTH = replace(TINY, layers=(0, 1), answer_layers=(2,), answer_steps=4, per_context=True, protect_weights=(0.1,))


@pytest.fixture(scope="module", params=[("llama", TINY), ("llama", BOTH), ("gpt2_square", BOTH)])
def made(request):
    kind, config = request.param
    editor = tiny_editor(kind, config=config)
    return editor, [editor.artefact([fact]) for fact in FACTS]


def _weaker(solution, share, only=None):
    """The solution with its values times `share`, those of the other artefacts than `only` gone."""
    deltas = {}
    for layer, delta in solution.deltas.items():
        mine = torch.tensor([only in (None, owner) for owner in solution.owners[layer]], dtype=torch.float64)
        deltas[layer] = replace(delta, left=delta.left * mine * share)
    return replace(solution, deltas=deltas)


def _nats(editor, solution):
    """What the replies cost without their end, as the unedited and the edited model see them."""
    asked = [(question, text, True) for question, text in ASKED]
    n_tokens = []
    for question, text in ASKED:
        before = editor.chat.encode(editor.chat.prompt(question))
        n_tokens.append(len(editor.chat.target(before, text, end_turn=False)))
    quiet = answer_log_probs(editor.decoder, editor.chat, asked)
    with editor.applied(solution):
        loud = answer_log_probs(editor.decoder, editor.chat, asked)
    return torch.tensor([(a - b) * n for a, b, n in zip(quiet, loud, n_tokens, strict=True)], dtype=torch.float64)


def _blame(editor, solution, replies):
    with editor.applied(solution):
        return editor.blame(solution, replies)


def test_small_changes_add_up_to_what_they_cost(made):
    editor, artefacts = made
    solution = _weaker(editor.solve(artefacts), 0.02)
    found = _blame(editor, solution, [(question, Reply(text, stopped=False)) for question, text in ASKED])
    assert found.shape == (len(ASKED), len(FACTS))
    assert found.sum(dim=1) == pytest.approx(_nats(editor, solution), rel=0.1, abs=1e-5)
    alone = torch.stack([_nats(editor, _weaker(solution, 1.0, only=number)) for number in range(len(FACTS))], dim=1)
    near = 0.2 * float(alone.abs().max())
    assert float((found - alone).abs().max()) < near
    others = alone.roll(1, dims=1)
    assert float((found - others).abs().max()) > near  # no two edits could be taken for each other


def test_replies_without_a_word_are_nobody_s_doing(made):
    editor, artefacts = made
    found = _blame(editor, editor.solve(artefacts), [(question, Reply("", stopped=False)) for question, _ in ASKED])
    assert found.tolist() == [[0.0] * len(FACTS)] * len(ASKED)


def test_blame_leaves_the_model_as_it_was(made):
    editor, artefacts = made
    before = {name: value.clone() for name, value in editor.decoder.model.state_dict().items()}
    found = _blame(editor, editor.solve(artefacts), [(ASKED[0][0], Reply(text, stopped=True)) for text in ("so", "")])
    assert bool(found.isfinite().all())
    assert all(torch.equal(value, before[name]) for name, value in editor.decoder.model.state_dict().items())
    assert all(value.grad is None for value in editor.decoder.model.parameters())
