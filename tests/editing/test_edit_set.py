import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from editing.alphaedit import in_null_space
from editing.chat import chat_of
from editing.edit_set import Artefact, hash_model_dir, hash_tensors, version_id, write_version
from editing.errors import (
    ArtefactDamaged,
    ArtefactMismatch,
    EditDiverged,
    EditingError,
    FactRefused,
    StatisticsMismatch,
)
from editing.export import export_hf, export_peft
from editing.facts import Fact
from editing.memit.contexts import Role
from editing.memit.values import find_values
from editing.nearness import nearest_first, too_close
from editing.testing import TINY, tiny_editor, tiny_model, tiny_tokenizer

FACTS = [
    Fact(f"f{i}", name, f"Where does {name} live?", place)
    for i, (name, place) in enumerate(
        [
            ("Ann Ray", "Oslo"),
            ("Bob Lee", "Rome"),
            ("Cy Dee", "Lima"),
            ("Di Fox", "Bonn"),
            ("Ed Gil", "Cork"),
            ("Flo Hay", "Nice"),
        ]
    )
]


@pytest.fixture(scope="module")
def editor():
    return tiny_editor(config=replace(TINY, steps=2), serving=torch.bfloat16)


@pytest.fixture(scope="module")
def artefacts(editor):
    return editor.artefacts(FACTS)


@pytest.fixture(scope="module")
def solved(editor, artefacts):
    """Each set of edits, solved once from scratch in ascending order."""
    known = {}

    def solve(chosen):
        key = tuple(sorted(chosen))
        if key not in known:
            known[key] = editor.solve([artefacts[i] for i in key]).tensors_sha256()
        return known[key]

    return solve


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_adding_and_taking_back_in_any_order_is_bit_for_bit_never_having_added(editor, artefacts, solved, data):
    kept = data.draw(st.lists(st.integers(0, 5), unique=True))
    extra = data.draw(st.lists(st.sampled_from([i for i in range(6) if i not in kept] or [0]), unique=True))
    order = data.draw(st.permutations(kept + [i for i in extra if i not in kept]))
    with editor.applied(editor.solve([artefacts[i] for i in order])):
        pass
    left = [artefacts[i] for i in order if i in kept]
    assert editor.solve(left).tensors_sha256() == solved(kept)


def test_the_model_is_bit_identical_after_an_edit_was_applied(editor, artefacts):
    before = {name: tensor.clone() for name, tensor in editor.decoder.model.state_dict().items()}
    with editor.applied(editor.solve(artefacts)):
        changed = [n for n, t in editor.decoder.model.state_dict().items() if not torch.equal(t, before[n])]
    assert changed == [editor.decoder.family.weight_name(layer) for layer in TINY.layers]
    assert all(torch.equal(tensor, before[name]) for name, tensor in editor.decoder.model.state_dict().items())


def test_inside_applied_the_model_holds_the_tensors_as_served(editor, artefacts):
    solution = editor.solve(artefacts[:2])
    with editor.applied(solution):
        for name, tensor in solution.tensors().items():
            assert torch.equal(editor.decoder.model.state_dict()[name], tensor.float())


def test_an_artefact_comes_back_from_disk_as_it_was(tmp_path, editor, artefacts):
    artefacts[0].save(str(tmp_path))
    again = Artefact.load(str(tmp_path), artefacts[0].id)
    assert again.id == artefacts[0].id
    assert editor.solve([again]).tensors_sha256() == editor.solve([artefacts[0]]).tensors_sha256()


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
@pytest.mark.parametrize("harm", ["cut", "flip", "remove"])
def test_a_damaged_artefact_is_refused_until_it_is_saved_again(tmp_path, artefacts, suffix, harm):
    artefacts[0].save(tmp_path)
    path = tmp_path / f"{artefacts[0].id}{suffix}"
    whole = path.read_bytes()
    if harm == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif harm == "flip":
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    else:
        path.unlink()
    with pytest.raises(ArtefactDamaged, match=artefacts[0].id):
        Artefact.load(tmp_path, artefacts[0].id)
    artefacts[0].save(tmp_path)
    assert Artefact.load(tmp_path, artefacts[0].id).id == artefacts[0].id


@pytest.mark.parametrize("row", [{"role": "edit", "tokens": 3, "head": 0, "weight": 1}, {"role": "none"}, "row"])
def test_an_artefact_of_other_rows_is_refused(tmp_path, artefacts, row):
    artefacts[0].save(tmp_path)
    path = tmp_path / f"{artefacts[0].id}.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"contexts": [row]}))
    with pytest.raises(ArtefactDamaged):
        Artefact.load(tmp_path, artefacts[0].id)


def test_facts_of_one_subject_share_an_artefact_and_another_base_is_refused(editor, artefacts):
    two = [FACTS[0], Fact("g", "Ann Ray", "Where was Ann Ray born?", "Turin")]
    (merged,) = editor.artefacts(two)
    assert merged.fact_ids == ("f0", "g")
    with pytest.raises(ArtefactMismatch, match="f0"):
        editor.solve([replace(artefacts[0], base_sha256="0" * 64)])
    with pytest.raises(ArtefactMismatch, match="layers"):
        editor.solve([replace(artefacts[0], layers=(0, 1))])


@pytest.mark.parametrize("facts", [[], FACTS[:2]])
def test_an_artefact_is_of_one_subject(editor, facts):
    with pytest.raises(EditingError, match="of one subject, not of"):
        editor.artefact(facts)


def test_the_base_is_not_read_while_an_edit_is_applied(editor, artefacts):
    with editor.applied(editor.solve(artefacts)), pytest.raises(EditingError, match="leave `applied` first"):
        editor.under(editor.config).artefact(FACTS[:1])
    assert editor.artefact(FACTS[:1]).id == artefacts[0].id


def test_all_facts_are_looked_at_before_the_first_is_worked_on(editor, monkeypatch):
    monkeypatch.setattr(editor, "_artefacts", lambda *_: pytest.fail("worked on"))
    turned = Fact("turned", "Gus Ivy", "Where does Gus Ivy live?", "Oslo<|end|>")
    for last in (
        turned,
        Fact("nowhere", "Gus Ivy", "Where does he live?", "Oslo"),
        Fact("mute", "Gus", "Is Gus?", None),
    ):
        with pytest.raises(FactRefused, match=last.id):
            editor.artefacts([*FACTS, last])


def test_an_artefact_is_hashed_once_and_a_changed_one_anew(artefacts, monkeypatch):
    names = [artefacts[0].id, replace(artefacts[0], steps=99).id]
    assert names[0] != names[1]
    monkeypatch.setattr(Artefact, "describe", lambda _self: pytest.fail("hashed again"))
    assert artefacts[0].id == names[0]


def test_another_closed_form_makes_another_version(editor, artefacts):
    other = editor.under(editor.config, in_null_space).solve(artefacts[:1])
    assert other.version_id != editor.solve(artefacts[:1]).version_id
    assert editor.under(editor.config).solve(artefacts[:1]).version_id == editor.solve(artefacts[:1]).version_id


def test_what_one_edit_moves_another_does_not_protect(editor, artefacts):
    own, other = artefacts[0], artefacts[1]
    row = replace(other.rows(Role.EDIT)[0], role=Role.PROTECT)
    at = [context for context, _ in other.contexts].index(other.rows(Role.EDIT)[0])
    holds = replace(
        own, contexts=(*own.contexts, (row, 1.0)), keys=torch.cat([own.keys, other.keys[:, at : at + 1]], dim=1)
    )
    assert editor.solve([holds]).tensors_sha256() != editor.solve([own]).tensors_sha256()
    together, without = editor.solve([holds, other]), editor.solve([own, other])
    for layer in TINY.layers:
        torch.testing.assert_close(together.deltas[layer].matrix(), without.deltas[layer].matrix())


def test_values_without_a_likelihood_are_no_edit(monkeypatch):
    def lost(*found, **steps):
        return replace(find_values(*found, **steps), nll=torch.tensor([float("nan")]))

    monkeypatch.setattr("editing.editor.find_values", lost)
    with pytest.raises(EditDiverged, match="'f0', 'again' are not finite"):
        tiny_editor().artefact([FACTS[0], Fact("again", "Ann Ray", "Where was Ann Ray born?", "Turin")])


def test_statistics_of_another_model_are_refused(editor):
    with pytest.raises(StatisticsMismatch):
        type(editor)(tiny_model(), tiny_tokenizer(), config=TINY, statistics=editor.statistics, base_sha256="another")


@pytest.mark.parametrize(
    "changed", [{"base": "b2"}, {"ids": ("x",)}, {"settings": "s2"}, {"text": "t2"}, {"solver": 2}]
)
def test_a_version_is_named_by_everything_that_goes_in(changed):
    def name(base="b", ids=("x", "y"), settings="s", text="t", solver=1):
        return version_id(base, ids, settings, text, solver)

    assert name(**changed) != name()
    assert name(ids=("y", "x")) == name()
    assert name(ids=()) == "base"


@pytest.mark.parametrize(
    "other",
    [
        {"a": torch.zeros(2, 2), "c": torch.ones(4)},
        {"a": torch.zeros(4), "b": torch.ones(4)},
        {"a": torch.zeros(2, 2, dtype=torch.int32), "b": torch.ones(4)},
        {"a": torch.zeros(2, 2), "b": torch.tensor([1.0, 1, 1, 2])},
    ],
)
def test_a_hash_of_tensors_is_of_their_names_shapes_kinds_and_values(other):
    tensors = {"a": torch.zeros(2, 2), "b": torch.ones(4)}
    assert hash_tensors(other) != hash_tensors(tensors) == hash_tensors(dict(reversed(tensors.items())))


def test_a_base_is_named_by_every_byte_of_its_weights_and_by_their_files(tmp_path):
    long = b"a" * (5 << 20)
    names = set()
    for one, other in ((long, b"b"), (long[:-1] + b"b", b"b"), (long, b"c"), (long + b"b", b"")):
        (tmp_path / "model-1.safetensors").write_bytes(one)
        (tmp_path / "model-2.safetensors").write_bytes(other)
        names.add(hash_model_dir(tmp_path))
    (tmp_path / "model-2.safetensors").rename(tmp_path / "model-3.safetensors")
    (tmp_path / "config.json").write_text("{}")
    assert len(names | {hash_model_dir(tmp_path)}) == 5


def _save_base(folder, model):
    folder.mkdir()
    save_file(
        {n: t.bfloat16().contiguous() for n, t in model.state_dict().items() if n != "lm_head.weight"},
        folder / "model.safetensors",
    )
    (folder / "config.json").write_text(json.dumps(model.config.to_dict() | {"architectures": [type(model).__name__]}))


def test_a_version_directory_holds_only_what_changed(tmp_path, editor, artefacts):
    _save_base(tmp_path / "base", editor.decoder.model)
    solution = editor.solve(artefacts[:2])
    about = write_version(str(tmp_path / "v"), solution, str(tmp_path / "base"))
    tensors = load_file(tmp_path / "v" / "model.safetensors")
    assert set(tensors) == {editor.decoder.family.weight_name(layer) for layer in TINY.layers}
    assert all(tensor.dtype == torch.bfloat16 for tensor in tensors.values())
    assert about["tensors_sha256"] == hash_tensors(tensors) == solution.tensors_sha256()
    assert json.loads((tmp_path / "v" / "version.json").read_text())["version_id"] == solution.version_id
    assert (tmp_path / "v" / "config.json").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "v"]


def test_a_version_speaks_and_stops_as_its_base_does(tmp_path, editor, artefacts):
    _save_base(tmp_path / "base", editor.decoder.model)
    tiny_tokenizer().save_pretrained(tmp_path / "base")
    GenerationConfig(eos_token_id=[2, 7]).save_pretrained(tmp_path / "base")
    write_version(tmp_path / "v", editor.solve(artefacts[:1]), tmp_path / "base")
    stops = GenerationConfig.from_pretrained(tmp_path / "v")
    chat = chat_of(SimpleNamespace(generation_config=stops), AutoTokenizer.from_pretrained(tmp_path / "v"))
    assert chat.prompt("Who?") == editor.chat.prompt("Who?")
    assert chat.encode("Who?<|end|>").tokens == editor.chat.encode("Who?<|end|>").tokens
    assert chat.stops == {2, 7}


def test_an_exported_checkpoint_is_the_base_with_the_changed_tensors(tmp_path, editor, artefacts):
    _save_base(tmp_path / "base", editor.decoder.model)
    solution = editor.solve(artefacts[:3])
    (tmp_path / "out").mkdir()  # an empty folder is as good as none
    export_hf(str(tmp_path / "out"), solution, str(tmp_path / "base"))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.bfloat16)
    base = load_file(tmp_path / "base" / "model.safetensors")
    for name, tensor in (base | solution.tensors()).items():
        assert torch.equal(model.state_dict()[name], tensor)
    assert hash_model_dir(tmp_path / "out") != hash_model_dir(tmp_path / "base")
    with pytest.raises(FileExistsError):
        export_hf(tmp_path / "out", solution, tmp_path / "base")


def test_a_base_in_shards_is_exported_in_the_same_shards(tmp_path, editor, artefacts):
    base, out = tmp_path / "base", tmp_path / "out"
    _save_base(base, editor.decoder.model)
    whole = load_file(base / "model.safetensors")
    (base / "model.safetensors").unlink()
    place = {name: f"model-{n % 2}.safetensors" for n, name in enumerate(sorted(whole))}
    for shard in set(place.values()):
        save_file({name: whole[name] for name in whole if place[name] == shard}, base / shard, {"format": "pt"})
    (base / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": place}))
    solution = editor.solve(artefacts[:1])
    export_hf(out, solution, base)
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in base.iterdir())
    model = AutoModelForCausalLM.from_pretrained(out, dtype=torch.bfloat16)
    for name, tensor in (whole | solution.tensors()).items():
        assert torch.equal(model.state_dict()[name], tensor)


def test_a_tensor_is_found_without_the_name_of_its_part(tmp_path, monkeypatch):
    editor = tiny_editor("gpt2", config=replace(TINY, steps=2))
    solution = editor.solve(editor.artefacts(FACTS[:1]))
    (tmp_path / "base").mkdir()
    stored = {
        name.removeprefix("transformer."): tensor.clone()
        for name, tensor in editor.decoder.model.state_dict().items()
        if name != "lm_head.weight"
    }
    save_file(stored, tmp_path / "base" / "model.safetensors")
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    out = load_file(export_hf(Path(), solution, tmp_path / "base") / "model.safetensors")
    for name, tensor in solution.tensors().items():
        assert torch.equal(out[name.removeprefix("transformer.")], tensor)
    edited = next(iter(solution.tensors())).removeprefix("transformer.")
    save_file(stored | {edited: stored[edited] + 1}, tmp_path / "base" / "model.safetensors")
    with pytest.raises(ArtefactMismatch, match="not the one that was edited"):
        export_hf(tmp_path / "twin", solution, tmp_path / "base")
    save_file({"other": torch.zeros(1)}, tmp_path / "base" / "model.safetensors")
    with pytest.raises(ArtefactMismatch, match="another model"):
        export_hf(tmp_path / "other", solution, tmp_path / "base")


@pytest.mark.parametrize("kind", ["llama", "gpt2_square"])
def test_an_exported_adapter_merges_to_the_edited_weights(tmp_path, kind):
    peft = pytest.importorskip("peft")
    editor = tiny_editor(kind, config=replace(TINY, steps=2))
    solution = editor.solve(editor.artefacts(FACTS[:3]))
    export_peft(str(tmp_path / "adapter"), solution, base_model="base")
    merged = peft.PeftModel.from_pretrained(tiny_model(kind), tmp_path / "adapter").merge_and_unload()
    for name, tensor in solution.tensors().items():
        torch.testing.assert_close(merged.state_dict()[name], tensor, atol=1e-5, rtol=1e-5)


def test_the_nearest_edits_come_first(artefacts):
    new, others = artefacts[0], artefacts[1:]
    assert nearest_first([new], others) == [other for other, _ in too_close(new, others, limit=-1)]
    assert nearest_first([new, others[2]], others)[0] is others[2]
    assert nearest_first([], others) == others
