import pytest
import torch
from safetensors.torch import save_file

from editing.chat import Chat, chat_of
from editing.decoder import Decoder
from editing.errors import StatisticsMismatch
from editing.memit.statistics import cache_key, corpus_sha256, load, load_or_measure, measure, save
from editing.testing import tiny_model, tiny_tokenizer

BASE = {"base_sha256": "m", "corpus_sha256": "c", "layers": (1, 2), "max_tokens": 10, "max_felt": 5, "dtype": "float32"}
TEXTS = ["one two three", "a longer text than that one", "x" * 300]


@pytest.fixture
def decoder():
    return Decoder(tiny_model())


@pytest.fixture
def chat(decoder):
    return chat_of(decoder.model, tiny_tokenizer())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_sha256", "m2"),
        ("corpus_sha256", "c2"),
        ("layers", (1, 3)),
        ("answer_layers", (3,)),
        ("max_tokens", 11),
        ("max_felt", 6),
        ("dtype", "bfloat16"),
    ],
)
def test_the_cache_key_names_all_it_depends_on(field, value):
    assert cache_key(**BASE) != cache_key(**{**BASE, field: value})


def test_statistics_are_the_mean_outer_product_of_every_real_token(decoder, chat):
    got = measure(decoder, chat, TEXTS, base_sha256="m", layers=(1, 2), max_tokens=10_000, max_felt=0, rows_at_once=2)
    keys = []
    for text in TEXTS:
        tokens = list(chat.encode(text).tokens)
        for i in range(0, len(tokens), 256):
            rows = decoder.rows([tokens[i : i + 256]])
            keys.append(decoder.run(rows, until=3, record=[2], keys=True).mlp_inputs[2][0])
    every = torch.cat(keys).double()
    assert got.n_tokens == len(every)
    torch.testing.assert_close(got.covariances[2].double(), every.T @ every / len(every), atol=1e-6, rtol=1e-4)


class Begins(Chat):
    """A chat whose tokenizer begins each text with a token of its own."""

    begin = (1,)


def test_every_row_begins_as_the_tokenizer_begins_a_text(decoder, chat):
    begins = Begins(chat.tokenizer)
    got = measure(decoder, begins, TEXTS, base_sha256="m", layers=(1,), max_tokens=10_000, max_felt=0)
    told = measure(
        decoder,
        chat,
        ["<|start|>" + text for text in TEXTS[:2]],
        base_sha256="m",
        layers=(1,),
        max_tokens=10_000,
        max_felt=0,
    )
    short = measure(decoder, begins, TEXTS[:2], base_sha256="m", layers=(1,), max_tokens=10_000, max_felt=0)
    plain = measure(decoder, chat, TEXTS, base_sha256="m", layers=(1,), max_tokens=10_000, max_felt=0)
    assert got.n_tokens == plain.n_tokens + 4  # one of the texts makes two rows
    assert got.corpus_sha256 != plain.corpus_sha256
    assert torch.equal(short.covariances[1], told.covariances[1])


def test_answer_layers_are_counted_over_five_tokens_for_each_direction(decoder, chat):
    got = measure(decoder, chat, TEXTS, base_sha256="m", layers=(1,), answer_layers=(3,), max_tokens=90, max_felt=40)
    wide = 5 * decoder.matrix(3).shape[1]
    deep = measure(decoder, chat, TEXTS, base_sha256="m", layers=(3,), max_tokens=wide, max_felt=40)
    assert (got.n_tokens, got.n_felt) == (90, 40)
    assert torch.equal(got.covariances[3], deep.covariances[3])
    assert sorted(got.covariances) == [1, 3]
    assert sorted(got.sensitivities) == [1]


def test_progress_ends_where_all_is_counted(decoder, chat):
    told = []
    measure(
        decoder,
        chat,
        TEXTS,
        base_sha256="m",
        layers=(1,),
        answer_layers=(2,),
        max_tokens=10_000,
        max_felt=50,
        progress=lambda done, of: told.append((done, of)),
    )
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_statistics_are_symmetric_to_the_bit_as_they_are_read_back(tmp_path, decoder, chat):
    got = measure(decoder, chat, TEXTS, base_sha256="m", layers=(1,), max_tokens=10_000, max_felt=100)
    save(got, tmp_path / "s.safetensors")
    read = load(tmp_path / "s.safetensors")
    assert torch.equal(read.covariances[1], got.covariances[1])
    assert torch.equal(got.covariances[1], got.covariances[1].T)
    assert torch.equal(read.sensitivities[1], got.sensitivities[1])


def test_a_file_without_names_is_refused(tmp_path):
    save_file({"covariance.1": torch.zeros(3)}, tmp_path / "s.safetensors")
    with pytest.raises(StatisticsMismatch, match="cannot be read"):
        load(tmp_path / "s.safetensors")


def test_no_more_tokens_are_counted_than_asked_for(decoder, chat):
    assert measure(decoder, chat, TEXTS, base_sha256="m", layers=(1,), max_tokens=17, max_felt=9).n_tokens == 17


def test_statistics_come_back_from_the_cache(tmp_path, decoder, chat):
    what = {"base_sha256": "m", "layers": (1, 2), "max_tokens": 50, "max_felt": 20, "folder": tmp_path}
    first = load_or_measure(decoder, chat, TEXTS, **what)
    asked = []
    second = load_or_measure(decoder, chat, TEXTS, **what, progress=lambda *a: asked.append(a))
    assert asked == []
    assert second.sha256 == first.sha256
    for layer in (1, 2):
        torch.testing.assert_close(second.covariances[layer], first.covariances[layer])
        torch.testing.assert_close(second.sensitivities[layer], first.sensitivities[layer])


def test_a_cut_file_is_measured_again(tmp_path, decoder, chat):
    what = {"base_sha256": "m", "layers": (1,), "max_tokens": 50, "max_felt": 20, "folder": tmp_path}
    first = load_or_measure(decoder, chat, TEXTS, **what)
    (path,) = tmp_path.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StatisticsMismatch, match="cannot be read"):
        load(path)
    assert load_or_measure(decoder, chat, TEXTS, **what).n_tokens == first.n_tokens
    save(first, path)
    assert load(path).corpus_sha256 == corpus_sha256(TEXTS)


def test_no_text_is_an_error(decoder, chat):
    with pytest.raises(StatisticsMismatch, match="no text"):
        measure(decoder, chat, [], base_sha256="m", layers=(1,), max_tokens=10, max_felt=5)
