import pytest
import torch

from editing.decoder import Decoder
from editing.errors import UnsupportedModel
from editing.families import family_of
from editing.memit.contexts import Role
from editing.testing import TINY_CONFIGS, tiny_editor, tiny_model

KINDS = sorted(TINY_CONFIGS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_edited_matrix_is_where_the_family_says(kind):
    model = tiny_model(kind)
    decoder = Decoder(model)
    for layer in range(4):
        name = decoder.family.weight_name(layer)
        assert model.state_dict()[name].data_ptr() == decoder.weight(layer).data_ptr()


@pytest.mark.parametrize("kind", KINDS)
def test_the_matrix_maps_keys_to_outputs_whichever_way_round_it_is_stored(kind):
    decoder = Decoder(tiny_model(kind))
    rows = decoder.rows([[5, 6, 7, 8]])
    with decoder.watched([1]) as seen:
        decoder.run(rows)
    keys, output = seen[1]
    out = keys @ decoder.matrix(1).T
    bias = getattr(decoder.mlp_out(1), "bias", None)
    torch.testing.assert_close(out if bias is None else out + bias, output, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_head_of_the_decoder_is_the_models_own(kind):
    model = tiny_model(kind)
    decoder = Decoder(model)
    tokens = torch.tensor([[5, 6, 7, 8]])
    seen = decoder.run(decoder.rows(tokens.tolist()))
    torch.testing.assert_close(decoder.logits(seen.last), model(tokens).logits, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_no_edits_are_the_base_bit_for_bit(kind):
    editor = tiny_editor(kind, serving=torch.bfloat16)
    model = editor.decoder.model
    for name, tensor in editor.solve([]).tensors().items():
        assert torch.equal(tensor, model.state_dict()[name].to(torch.bfloat16))


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_moves_the_output_at_the_subject_towards_its_target(kind, facts):
    editor = tiny_editor(kind)
    artefact = editor.artefact([facts[0]])
    solution = editor.solve([artefact])
    row = artefact.contexts[0][0]
    assert row.role is Role.EDIT
    rows = editor.decoder.rows([row.tokens])
    first = editor.config.layers[0]
    with editor.decoder.watched([first]) as before:
        editor.decoder.run(rows)
    with editor.applied(solution), editor.decoder.watched([first]) as after:
        editor.decoder.run(rows)
    moved = (after[first][1] - before[first][1])[0, -1]
    fired = float(solution.deltas[first].right[0] @ artefact.keys[0, 0].double())
    assert fired > 0.2
    torch.testing.assert_close(moved, fired * artefact.values[0], atol=1e-4, rtol=1e-3)


def test_an_unknown_family_is_refused_with_the_known_ones():
    class Config:
        model_type = "mamba"

    with pytest.raises(UnsupportedModel, match=r"'mamba'.*llama"):
        family_of(Config())
