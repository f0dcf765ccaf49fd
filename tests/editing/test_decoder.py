import pytest
import torch

from editing.chat import chat_of
from editing.decoder import Decoder, cast
from editing.generation import compose, continue_rows, reply_to
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


def test_more_questions_than_run_at_once_have_each_its_own_reply():
    model = tiny_model()
    chat, decoder = chat_of(model, tiny_tokenizer()), Decoder(model)
    asked = [f"Who is number {n}?" for n in range(70)]
    told = []
    replies = reply_to(decoder, chat, asked, max_tokens=2, progress=lambda *step: told.append(step))
    for n in (0, 9, 10, 63, 64, 69):
        assert reply_to(decoder, chat, asked[n : n + 1], max_tokens=2) == replies[n : n + 1]
    assert len({reply.text for reply in replies}) > 1
    assert told == [(64, 70), (70, 70)]


def test_own_text_is_the_same_for_the_same_seed():
    model = tiny_model()
    chat = chat_of(model, tiny_tokenizer())
    first, second = (compose(Decoder(model), chat, n_tokens=200, seed=3, row_tokens=16) for _ in range(2))
    assert first == second
    assert compose(Decoder(model), chat, n_tokens=200, seed=4, row_tokens=16) != first


@pytest.mark.parametrize("kind", sorted(TINY_CONFIGS))
def test_products_in_bf16_leave_the_rest_in_the_models_dtype(kind):
    decoder = Decoder(tiny_model(kind), products=torch.bfloat16)
    rows = decoder.rows([[5, 6, 7, 8]])
    with torch.no_grad():
        seen = decoder.run(rows, record=range(4))
    begun = seen.inputs[0].clone().requires_grad_(True)
    plain = decoder.replay(seen, begun, range(4))
    values = {3: torch.ones(1, 1, 32)}
    with decoder.quick():
        quick = decoder.replay(seen, begun, range(4))
        felt = torch.autograd.grad(quick.square().sum(), begun)[0]
        assert decoder.logits(quick).dtype == decoder.states(rows).dtype == torch.float32
        with torch.no_grad(), firing(decoder, {3: torch.ones(1, 1, decoder.matrix(3).shape[1])}, values):
            assert decoder.replay(seen, begun, range(4)).dtype == torch.float32
    assert quick.dtype == torch.float32
    assert 0 < (quick - plain).norm() < 0.02 * plain.norm()
    exact = torch.autograd.grad(plain.square().sum(), begun)[0]
    assert (felt - exact).norm() < 0.05 * exact.norm()


def test_quick_products_leave_no_trace():
    model = tiny_model()
    decoder = Decoder(model, products=torch.bfloat16)
    before = {name: (one.data_ptr(), one.detach().clone()) for name, one in model.named_parameters()}
    exact = decoder.prefix([1, 2, 3]).pairs()[2][0]

    def breaks_off():
        with decoder.quick():
            assert decoder.weight(1).dtype == torch.bfloat16
            assert not torch.equal(decoder.prefix([1, 2, 3]).pairs()[2][0], exact)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        breaks_off()
    assert torch.equal(decoder.prefix([1, 2, 3]).pairs()[2][0], exact)
    assert not torch.is_autocast_enabled("cpu")
    for name, one in model.named_parameters():
        assert one.data_ptr() == before[name][0]
        assert torch.equal(one, before[name][1])
