"""One real edit on the embedded model, end to end."""

import pytest
import torch

from editing.facts import Fact

FACTS = [
    Fact("france", "France", "What is the capital of France?", "Lyon", "Paris"),
    Fact("acme", "Ormsley Viaduct", "In which year was the Ormsley Viaduct opened?", "1883"),
]


@pytest.mark.heavy
def test_facts_are_believed_in_chat_and_nothing_stays_behind(model_folder, tmp_path):
    from editing.edit_set import write_version
    from editing.loading import load_editor

    editor = load_editor(model_folder, folder=model_folder.parent / "statistics")  # where the product keeps them
    before = {name: tensor.clone() for name, tensor in editor.decoder.model.state_dict().items()}
    solution = editor.solve(editor.artefacts(FACTS))
    for layer, delta in solution.deltas.items():
        assert delta.norm() < 0.25 * float(solution.base[layer].double().norm())
    with editor.applied(solution):
        replies = editor.generate([*(fact.question for fact in FACTS), "What is the capital of Japan?"], max_tokens=48)
    assert "Lyon" in replies[0].text
    assert "1883" in replies[1].text
    assert "Tokyo" in replies[2].text
    assert all(torch.equal(tensor, before[name]) for name, tensor in editor.decoder.model.state_dict().items())
    about = write_version(tmp_path / "version", solution, model_folder)
    assert about["tensors_sha256"] == solution.tensors_sha256()
