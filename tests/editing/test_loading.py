import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from editing.errors import EditingError, StatisticsMismatch
from editing.loading import Loaded, compute_dtype, load_editor, load_model, shipped_text, statistics_for, use_statistics
from editing.memit.config import MemitConfig
from editing.testing import TINY, tiny_model, tiny_tokenizer


@pytest.mark.parametrize(
    ("device", "computed"),
    [("cuda", torch.bfloat16), ("cpu", torch.float32)],  # as the engine serves it
)
def test_a_device_computes_in_what_it_is_good_at(device, computed):
    assert compute_dtype(torch.device(device)) == computed


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    model = tiny_model()
    tensors = {n: t.bfloat16().contiguous() for n, t in model.state_dict().items() if n != "lm_head.weight"}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    about = model.config.to_dict() | {"architectures": ["LlamaForCausalLM"], "dtype": "bfloat16"}
    (folder / "config.json").write_text(json.dumps(about))
    tiny_tokenizer().save_pretrained(folder)
    return folder


def test_a_model_with_wide_keys_is_measured_on_more_text(checkpoint, tmp_path):
    editor = load_editor(
        checkpoint, config=replace(TINY, covariance_tokens=30), device="cpu", texts=["words to count, " * 100]
    )
    assert editor.statistics.n_tokens == 10 * editor.decoder.matrix(1).shape[1]


def test_a_folder_becomes_an_editor_and_its_statistics_are_kept(checkpoint, tmp_path):
    texts = ["words to count, " * 20]
    editor = load_editor(checkpoint, config=TINY, device="cpu", texts=texts, folder=tmp_path / "kept")
    assert editor.decoder.dtype == torch.float32
    assert editor.serving_dtype == torch.bfloat16
    assert len(list((tmp_path / "kept").iterdir())) == 1
    again = load_editor(checkpoint, config=TINY, device="cpu", texts=texts, folder=tmp_path / "kept")
    assert again.statistics.sha256 == editor.statistics.sha256
    for name, tensor in editor.solve([]).tensors().items():
        assert torch.equal(tensor.float(), editor.decoder.model.state_dict()[name])


def test_a_model_too_shallow_for_the_recipe_writes_no_text_first(checkpoint, monkeypatch):
    monkeypatch.setattr("editing.loading.compose", lambda *_args, **_more: pytest.fail("it writes"))
    with pytest.raises(EditingError, match=r"MemitConfig\.for_depth\(4\)"):
        load_editor(checkpoint, config=MemitConfig(steps=3), device="cpu")


def test_text_that_the_model_wrote_is_read_back_as_it_was_counted(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr("editing.loading.compose", lambda *_args, **_more: ["one\r\ntwo\rthree " * 40])
    first = load_editor(checkpoint, config=TINY, device="cpu", folder=tmp_path / "kept")
    again = load_editor(checkpoint, config=TINY, device="cpu", folder=tmp_path / "kept")
    assert again.statistics.sha256 == first.statistics.sha256


def test_text_is_written_anew_for_another_model_and_where_more_is_wanted(tmp_path, monkeypatch):
    written = []

    def compose(*_given, n_tokens, **_more):
        written.append(n_tokens)
        return ["words to count, " * 50]

    monkeypatch.setattr("editing.loading.compose", compose)
    loaded = Loaded(tiny_model(), tiny_tokenizer(), "one", torch.float32)
    for base, n_tokens in (("one", 700), ("one", 700), ("two", 700), ("one", 800)):
        config = replace(TINY, covariance_tokens=n_tokens, sensitivity_tokens=50, leads_per_relation=0)
        statistics_for(replace(loaded, base_sha256=base), config, folder=tmp_path)
    assert written == [700, 700, 800]


def test_layers_whose_sensitivity_nobody_measured_are_refused(checkpoint, tmp_path):
    config = replace(TINY, layers=(1,), answer_layers=(2,))
    editor = load_editor(checkpoint, config=config, device="cpu", texts=["words to count, " * 20])
    with pytest.raises(StatisticsMismatch, match=r"lack layers \[2\]"):
        editor.under(replace(TINY, layers=(2,)))


def test_a_folder_without_weights_is_named_before_anything_is_loaded(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no safetensors"):
        load_editor(tmp_path)


def test_no_text_is_shipped_for_a_model_that_nobody_knows():
    assert shipped_text("0" * 64) == []


@pytest.mark.parametrize(
    ("able", "dtype", "products"),
    [
        ({"avx2": True, "amx_bf16": True}, None, torch.bfloat16),
        ({"avx2": True, "avx512_bf16": False}, None, None),
        ({"amx_bf16": True}, torch.bfloat16, None),  # the whole model is in it
    ],
)
def test_values_are_sought_with_quick_products_where_the_processor_has_them(
    checkpoint, monkeypatch, able, dtype, products
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    editor = load_editor(checkpoint, config=TINY, device="cpu", dtype=dtype, texts=["words to count, " * 100])
    assert editor.decoder.products == products


def test_statistics_of_a_given_text_are_used_until_those_of_its_own_are_wanted_again(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr("editing.loading.compose", lambda *_args, **_more: ["the model's own words " * 40])
    loaded, kept = load_model(checkpoint, device="cpu"), tmp_path / "kept"
    own = statistics_for(loaded, TINY, folder=kept)
    given = statistics_for(loaded, TINY, texts=["somebody's words " * 40])
    use_statistics(given, kept, base_sha256=loaded.base_sha256)
    assert load_editor(checkpoint, config=TINY, device="cpu", folder=kept).statistics.sha256 == given.sha256
    assert b"somebody" not in b"".join(path.read_bytes() for path in kept.iterdir())
    use_statistics(None, kept, base_sha256=loaded.base_sha256)
    assert statistics_for(loaded, TINY, folder=kept).sha256 == own.sha256


@pytest.mark.parametrize(
    ("of", "why"), [({"layers": (0,)}, "lack layers"), ({"leads_per_relation": 1}, "other well-known subjects")]
)
def test_statistics_of_a_given_text_for_another_recipe_are_left_aside(
    checkpoint, tmp_path, monkeypatch, caplog, of, why
):
    monkeypatch.setattr("editing.loading.compose", lambda *_args, **_more: ["the model's own words " * 40])
    loaded, kept = load_model(checkpoint, device="cpu"), tmp_path / "kept"
    given = statistics_for(loaded, TINY, texts=["somebody's words " * 40])
    use_statistics(given, kept, base_sha256=loaded.base_sha256)
    assert statistics_for(loaded, replace(TINY, **of), folder=kept).corpus_sha256 != given.corpus_sha256
    assert why in caplog.text
