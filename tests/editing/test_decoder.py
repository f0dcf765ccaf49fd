import pytest
import torch

from editing.chat import chat_of
from editing.decoder import Decoder, cast
from editing.generation import continue_rows, reply_to, write_text
from editing.memit.firing import firing
from editing.testing import TINY_CONFIGS, tiny_model, tiny_tokenizer


def test_weights_come_back_in_the_same_storage():
    decoder = Decoder(tiny_model())
    before, where = decoder.weight(1).clone(), decoder.weight(1).data_ptr()
    with pytest.raises(RuntimeError, match="stop"), decoder.with_weights({1: torch.zeros_like(before)}):  # noqa: PT012
        assert not decoder.weight(1).any()
        raise RuntimeError("stop")
    assert torch.equal(decoder.weight(1), before)
    assert decoder.weight(1).data_ptr() == where


def test_rotary_frequencies_keep_their_bits_in_another_dtype():
    decoder, other = Decoder(tiny_model()), Decoder(cast(tiny_model(), torch.bfloat16))
    assert other.dtype == torch.bfloat16
    for (name, buffer), kept in zip(decoder.model.named_buffers(), other.model.buffers(), strict=True):
        assert torch.equal(buffer, kept), name


def test_a_pass_stops_at_the_last_wanted_layer():
    decoder = Decoder(tiny_model())
    called = []
    handle = decoder.layers[2].register_forward_hook(lambda *_: called.append(2))
    decoder.run(decoder.rows([[5, 6]]), until=2)
    handle.remove()
    assert called == []
    assert len(decoder.base.layers) == 4


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gpt_neox", "gemma2"])
def test_batched_replies_are_those_of_transformers_one_by_one(kind):
    model = tiny_model(kind)
    decoder = Decoder(model)
    rows = [[5, 6, 7], [9, 10, 11, 12, 13, 14], [20]]
    mine = continue_rows(decoder, rows, max_tokens=12, stops=frozenset({2}))
    head = [8, 3, 11]
    headed = continue_rows(decoder, rows, max_tokens=12, stops=frozenset({2}), head=head)
    for row, got in [
        *zip(rows, mine, strict=True),
        *((head + row, got) for row, got in zip(rows, headed, strict=True)),
    ]:
        tokens = torch.tensor([row])
        want = model.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=12,
            do_sample=False,
            eos_token_id=2,
            pad_token_id=0,
        )
        assert got == want[0, len(row) :].tolist()


def test_a_question_asked_twice_is_answered_once_and_in_place():
    model = tiny_model()
    replies = reply_to(Decoder(model), chat_of(model, tiny_tokenizer()), ["Who?", "What is it?", "Who?"], max_tokens=4)
    assert replies[0] == replies[2]
    assert len(replies) == 3


def test_own_text_is_the_same_for_the_same_seed():
    model = tiny_model()
    chat = chat_of(model, tiny_tokenizer())
    first, second = (write_text(Decoder(model), chat, n_tokens=200, seed=3, row_tokens=16) for _ in range(2))
    assert first == second
    assert write_text(Decoder(model), chat, n_tokens=200, seed=4, row_tokens=16) != first


@pytest.mark.parametrize("kind", sorted(TINY_CONFIGS))
def test_products_in_bf16_leave_the_rest_in_the_models_dtype(kind):
    model = tiny_model(kind)
    exact, quick = Decoder(model), Decoder(model, products=torch.bfloat16)
    with torch.no_grad():
        seen = exact.run(exact.rows([[5, 6, 7, 8]]), record=range(4))
    begun = seen.inputs[0].clone().requires_grad_(True)
    plain, replayed = (decoder.replay(seen, begun, range(4)) for decoder in (exact, quick))
    assert replayed.dtype == torch.float32
    assert 0 < (replayed - plain).norm() < 0.02 * plain.norm()
    first, second = (torch.autograd.grad(states.square().sum(), begun)[0] for states in (plain, replayed))
    assert (second - first).norm() < 0.05 * first.norm()
    values = {3: torch.ones(1, 1, 32)}
    with torch.no_grad(), firing(quick, {3: torch.ones(1, 1, quick.matrix(3).shape[1])}, values):
        assert quick.replay(seen, begun, range(4)).dtype == torch.float32
