"""What ordinary text feels: measured as it is written down, and values that keep out of its way."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from editing.decoder import Decoder
from editing.editor import Editor
from editing.memit.sensitivity import preconditioner, sensitivities
from editing.testing import TINY, TINY_CONFIGS, tiny_editor, tiny_model

ROWS = [[5, 6, 7, 8, 9, 10], [20, 21, 22], [30], [40, 41, 42, 43]]


@pytest.mark.parametrize("kind", sorted(TINY_CONFIGS))
def test_sensitivities_are_the_mean_outer_product_of_each_tokens_gradient(kind):
    decoder, sums, counted = Decoder(tiny_model(kind)), torch.zeros(32, 32), 0
    for row in (row for row in ROWS if len(row) > 1):
        tokens, seen = torch.tensor([row]), []

        def watch(_module, _args, output, seen=seen):
            seen.append(output.requires_grad_())
            return output

        handle = decoder.mlp_out(1).register_forward_hook(watch)
        logits = decoder.model(tokens).logits[0]
        handle.remove()
        (gradient,) = torch.autograd.grad(cross_entropy(logits[:-1], tokens[0, 1:], reduction="sum"), seen)
        sums, counted = sums + gradient[0].T @ gradient[0], counted + len(row)
    got = sensitivities(decoder, ROWS, [1, 2], rows_at_once=3)
    torch.testing.assert_close(got[1], sums / counted, atol=1e-5, rtol=1e-3)
    assert sorted(got) == [1, 2]


def test_the_model_is_left_as_it_was():
    decoder = Decoder(tiny_model())
    before = decoder.weight(1).clone()
    sensitivities(decoder, ROWS, [1])
    assert torch.equal(decoder.weight(1), before)
    assert not any(parameter.requires_grad for parameter in decoder.model.parameters())
    assert not decoder.mlp_out(1)._forward_hooks


def test_a_vector_is_turned_away_from_what_is_felt_and_stays_as_long_on_average():
    felt = torch.diag(torch.tensor([100.0, 1.0, 1.0, 0.0]))
    turn = preconditioner(felt, 0.3)
    lengths = turn.norm(dim=0)
    assert lengths[0] < 0.3 * lengths[1] < 0.3 * lengths[3]
    assert float(lengths.square().mean()) == pytest.approx(1.0, abs=1e-5)
    torch.testing.assert_close(turn, turn.T)


@pytest.mark.parametrize("felt", [torch.eye(5), torch.zeros(5, 5)])
def test_where_all_is_felt_alike_nothing_is_turned(felt):
    torch.testing.assert_close(preconditioner(felt, 0.3), torch.eye(5))


def test_an_edit_keeps_out_of_the_directions_that_text_feels(facts):
    plain = tiny_editor(config=replace(TINY, steps=8))
    loud = torch.diag(torch.cat([torch.full((4,), 1e4), torch.ones(28)]))
    heard = replace(plain.statistics, sensitivities=dict.fromkeys(plain.config.layers, loud))
    careful = Editor(plain.decoder.model, plain.chat.tokenizer, config=plain.config, statistics=heard)

    def share(editor):
        values = editor.artefact(facts[:1]).values
        return float(values[:, :4].square().sum() / values.square().sum())

    assert share(careful) < 0.1 * share(plain)
