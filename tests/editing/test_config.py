"""The recipe: what is no recipe is refused by name, what is one has one hash however it is written."""

from math import inf, nan

import pytest

from editing.errors import EditingError
from editing.memit.config import MemitConfig


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"layers": ()}, "layers must be ascending and not empty"),
        ({"layers": (3, 2)}, "layers must be ascending"),
        ({"layers": (-3, -2)}, "layers must be finite and 0 or more, not"),
        ({"answer_layers": (4,)}, "answer_layers must be ascending and above layers"),
        ({"learning_rate": nan}, "learning_rate must be finite and above 0, not nan"),
        ({"clamp": inf}, "clamp must be finite and above 0, not inf"),
        ({"steps": 0}, "steps must be finite and above 0"),
        ({"answer_steps": 0}, "answer_steps must be finite and above 0"),
        ({"answer_lead_weight": -1.0}, "answer_lead_weight must be finite and 0 or more"),
        ({"reply_tokens": 0}, "reply_tokens must be finite and above 0"),
        ({"clozes": -1}, "clozes must be finite and 0 or more"),
        ({"kl_weight": -0.1}, "kl_weight must be finite and 0 or more"),
        ({"protect_weights": (0.25, nan)}, "protect_weights must be finite and 0 or more"),
        ({"protect_weights": ()}, "protect_weights must name one"),
        ({"systems": ()}, "systems must name one"),
    ],
)
def test_what_is_no_recipe_is_refused_by_name(fields, says):
    with pytest.raises(ValueError, match=says):
        MemitConfig(**fields)


def test_lists_become_tuples_and_name_the_same_recipe():
    listed = MemitConfig(layers=[3, 4], answer_layers=[24], protect_weights=[0.5], systems=[None])
    plain = MemitConfig(layers=(3, 4), answer_layers=(24,), protect_weights=(0.5,), systems=(None,))
    assert listed == plain
    assert listed.sha256() == plain.sha256()


def test_another_closed_form_is_another_recipe():
    assert MemitConfig().sha256("equality") != MemitConfig().sha256()


def test_the_answer_s_place_goes_with_the_depth_of_the_model():
    assert MemitConfig.for_depth(30) == MemitConfig()
    assert MemitConfig.for_depth(24).answer_layers == (19, 20, 21, 22)
    assert MemitConfig.for_depth(8).answer_layers == (6,)
    assert MemitConfig.for_depth(7).answer_layers == ()
    assert MemitConfig.for_depth(6).layers == (3, 4)


@pytest.mark.parametrize("n_layers", [5, 6, 12, 30, 80])
def test_a_recipe_for_a_depth_fits_it(n_layers):
    MemitConfig.for_depth(n_layers).check_depth(n_layers)


@pytest.mark.parametrize("n_layers", [1, 3, 4])
def test_a_model_too_shallow_for_the_recipe_is_told_so(n_layers):
    with pytest.raises(ValueError, match=f"a model of {n_layers} layers has none of"):
        MemitConfig.for_depth(n_layers)
    with pytest.raises(
        EditingError, match=rf"in a model of {n_layers}: begin with MemitConfig.for_depth\({n_layers}\)"
    ):
        MemitConfig().check_depth(n_layers)
