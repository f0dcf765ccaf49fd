import numpy as np
import pytest
import torch

from editing.alphaedit import in_null_space
from editing.emmet import equality
from editing.errors import EditDiverged
from editing.memit.solve import LowRankDelta, solve
from editing.rome import one_by_one


def _problem(d=16, n=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    sample = torch.randn(200, d, generator=generator)
    return torch.randn(d, n, generator=generator), torch.randn(d, n, generator=generator), sample.T @ sample / 200


@pytest.mark.parametrize("n", [1, 5, 16, 40])  # fewer, as many and more keys than the matrix is wide
def test_solve_matches_numpy_on_a_square_weight(n):
    keys, residuals, covariance = _problem(n=n)
    k, r, c = (t.double().numpy() for t in (keys, residuals, covariance))
    want = r @ k.T @ np.linalg.inv(3.0 * c + k @ k.T)
    np.testing.assert_allclose(solve(keys, residuals, covariance, weight=3.0).matrix().numpy(), want, atol=1e-9)


def test_more_covariance_weight_means_a_smaller_change():
    norms = [solve(*_problem(), weight=w).norm() for w in (0.1, 1.0, 10.0, 100.0)]
    assert norms == sorted(norms, reverse=True)


def test_the_norm_is_that_of_the_product():
    delta = solve(*_problem(), weight=1.0)
    assert delta.norm() == pytest.approx(float(delta.matrix().norm()))


def test_equality_reaches_its_residuals():
    keys, residuals, covariance = _problem()
    reached = equality(keys, residuals, covariance, weight=1.0).matrix() @ keys.double()
    torch.testing.assert_close(reached, residuals.double(), atol=2e-2, rtol=2e-2)


def test_one_by_one_reaches_the_last_residual_exactly():
    keys, residuals, covariance = _problem()
    reached = one_by_one(keys, residuals, covariance, weight=1.0).matrix() @ keys.double()
    torch.testing.assert_close(reached[:, -1], residuals.double()[:, -1])


def test_the_null_space_holds_still_what_ordinary_text_uses():
    keys, residuals, covariance = _problem()
    delta = in_null_space(keys, residuals, covariance, weight=1e-6).matrix()
    _energy, directions = torch.linalg.eigh(covariance.double())
    assert float((delta @ directions[:, -1]).norm()) < 1e-9


def test_keys_that_are_not_numbers_are_refused():
    keys, residuals, covariance = _problem()
    with pytest.raises(EditDiverged):
        solve(keys * float("nan"), residuals, covariance, weight=1.0)


def test_no_edits_are_no_change():
    assert LowRankDelta(torch.zeros(4, 0).double(), torch.zeros(0, 6).double()).norm() == 0
