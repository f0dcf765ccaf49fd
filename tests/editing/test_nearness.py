"""Nearness: edits whose keys are nearly parallel are told, the nearest first."""

from math import sqrt
from types import SimpleNamespace

import pytest
import torch

from editing.nearness import nearest_first, too_close


def _edit(name, cosine, length=1.0):
    """An edit whose key has this cosine with that of `NEW`."""
    return SimpleNamespace(id=name, direction=length * torch.tensor([cosine, sqrt(1 - cosine * cosine)]))


NEW = _edit("new", 1.0)
OTHERS = [_edit("far", 0.29, 0.1), _edit("opposite", -0.9), _edit("b", 0.8), _edit("near", 0.31, 9.0), _edit("a", 0.8)]


def test_edits_of_nearly_one_key_are_too_close_and_the_nearest_is_told_first():
    close = too_close(NEW, OTHERS)
    assert [other.id for other, _ in close] == ["a", "b", "near"]
    assert [cosine for _, cosine in close] == pytest.approx([0.8, 0.8, 0.31])
    assert too_close(NEW, []) == []


def test_of_several_new_edits_the_nearest_counts():
    order = [other.id for other in nearest_first([NEW, _edit("turned", -1.0)], OTHERS)]
    assert order == ["opposite", "a", "b", "near", "far"]
    assert nearest_first([NEW], []) == []
