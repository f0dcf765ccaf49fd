from dataclasses import replace

import numpy as np
import pytest
import torch

from editing.alphaedit import in_null_space
from editing.emmet import equality
from editing.errors import EditDiverged
from editing.memit.solve import Covariance, LowRankDelta, Part, solve
from editing.rome import one_by_one


def _problem(d=16, n=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    sample = torch.randn(200, d, generator=generator)
    part = Part(torch.randn(d, n, generator=generator), torch.randn(d, n, generator=generator), torch.ones(n))
    return [part], Covariance(sample.T @ sample / 200)


@pytest.mark.parametrize("n", [1, 5, 16, 40])  # fewer, as many and more keys than the matrix is wide
def test_solve_matches_numpy_on_a_square_weight(n):
    [part], covariance = _problem(n=n)
    k, r, c = (t.double().numpy() for t in (part.keys, part.residuals, covariance.matrix))
    want = r @ k.T @ np.linalg.inv(3.0 * c + k @ k.T)
    np.testing.assert_allclose(solve([part], covariance, weight=3.0).numpy(), want, atol=1e-9)


@pytest.mark.parametrize("n", [3, 12])  # together fewer and more keys than the matrix is wide
def test_parts_know_each_others_keys_and_ask_for_themselves_alone(n):
    [one], covariance = _problem(n=n)
    [other], _ = _problem(n=n, seed=1)
    twice = replace(other, weights=torch.full((n,), 2.0))
    together = solve([one, twice], covariance, weight=3.0)
    for rows, part, silent in ((slice(0, 16), one, [twice]), (slice(16, 32), twice, [one])):
        nothing = [replace(other, residuals=torch.zeros(1, n)) for other in silent]
        alone = solve([part, *nothing], covariance, weight=3.0)[:16]
        torch.testing.assert_close(together[rows], alone, atol=1e-9, rtol=1e-9)
    root = replace(other, keys=other.keys * 2**0.5, residuals=other.residuals * 2**0.5)
    torch.testing.assert_close(together, solve([one, root], covariance, weight=3.0), atol=1e-6, rtol=1e-6)


def test_more_covariance_weight_means_a_smaller_change():
    norms = [float(solve(*_problem(), weight=w).norm()) for w in (0.1, 1.0, 10.0, 100.0)]
    assert norms == sorted(norms, reverse=True)


def test_the_norm_is_that_of_the_product():
    delta = LowRankDelta(torch.rand(7, 2).double(), torch.rand(2, 5).double())
    assert delta.norm() == pytest.approx(float(delta.matrix().norm()))


def test_equality_reaches_its_residuals():
    [part], covariance = _problem()
    reached = equality([part], covariance, weight=1.0) @ part.keys.double()
    torch.testing.assert_close(reached, part.residuals.double(), atol=2e-2, rtol=2e-2)


def test_one_by_one_reaches_the_last_residual_exactly():
    [part], covariance = _problem()
    reached = one_by_one([part], covariance, weight=1.0) @ part.keys.double()
    torch.testing.assert_close(reached[:, -1], part.residuals.double()[:, -1])


def test_the_null_space_holds_still_what_ordinary_text_uses():
    parts, covariance = _problem()
    delta = in_null_space(parts, covariance, weight=1e-6)
    _energy, directions = torch.linalg.eigh(covariance.matrix.double())
    assert float((delta @ directions[:, -1]).norm()) < 1e-9


def test_keys_that_are_not_numbers_are_refused():
    [part], covariance = _problem()
    with pytest.raises(EditDiverged):
        solve([replace(part, keys=part.keys * float("nan"))], covariance, weight=1.0)


def test_a_covariance_of_too_little_text_is_refused():
    [part], _ = _problem()
    with pytest.raises(EditDiverged, match="from more text"):
        solve([part], Covariance(torch.zeros(16, 16)), weight=1.0)


def test_no_edits_are_no_change():
    assert LowRankDelta(torch.zeros(4, 0).double(), torch.zeros(0, 6).double()).norm() == 0
