import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, gaussian_laplace

from napari_sem_sr.checking.suspects.background_model import (
    Slice,
    by_kind,
    measure,
)
from napari_sem_sr.checking.suspects.reasons import INVENTED, TEXTURE, TOO_BRIGHT, TOO_DARK
from napari_sem_sr.checking.view.filter_bank import CORE
from tests.checking.numpy_reference import yardsticks as reference


def lr_image(seed: int = 0, size: int = 128) -> np.ndarray:
    """Smooth on the left, busy on the right."""
    rng = np.random.default_rng(seed)
    image = gaussian_filter(rng.standard_normal((size, size)), 1.5)
    image /= image.std()
    return 100 + image * np.where(np.arange(size) < size // 2, 3.0, 40.0)


def natural(lr: np.ndarray, seed: int = 1) -> np.ndarray:
    """A residual that is larger where LR is busy."""
    rng = np.random.default_rng(seed)
    scatter = np.where(np.arange(lr.shape[1]) < lr.shape[1] // 2, 0.3, 3.0)
    return rng.standard_normal(lr.shape) * scatter


def worst(residual: np.ndarray, lr: np.ndarray, yardsticks) -> np.ndarray:
    return by_kind(yardsticks.z_scores(Slice.of(lr, residual)))["residual"]


def test_a_natural_residual_stands_out_nowhere():
    lr = lr_image()
    usual = measure([Slice.of(lr, natural(lr))], 0.0)
    found = worst(natural(lr, 7), lr, usual)
    assert (found > 4).mean() < 0.01
    assert found.max() < 7


def test_a_weak_addition_in_a_quiet_place_is_as_suspect_as_a_strong_one_in_a_busy_place():
    lr, residual = lr_image(), natural(lr_image())
    usual = measure([Slice.of(lr, residual)], 0.0)
    residual[60:64, 20:24] += 2.0
    residual[60:64, 100:104] += 20.0
    found = worst(residual, lr, usual)
    quiet, busy = found[60:64, 20:24].max(), found[60:64, 100:104].max()
    assert min(quiet, busy) > 10
    assert max(quiet, busy) < 3 * min(quiet, busy)
    rest = found.copy()
    rest[46:78, 6:38] = rest[46:78, 86:118] = 0
    assert rest.max() < min(quiet, busy)


def test_what_follows_from_lr_alone_is_not_suspect():
    lr = lr_image()
    usual = measure([Slice.of(lr, 0.1 * gaussian_laplace(lr, 0.6))], 0.05)
    other = lr_image(5)
    assert worst(0.1 * gaussian_laplace(other, 0.6), other, usual).max() < 1


@pytest.mark.parametrize(
    ("rows", "columns", "strength"),
    [(8, 8, 1.6), (2, 2, 4.0), (1, 8, 3.0), (8, 1, 3.0)],
    ids=["faint and large", "small and bright", "line along x", "line along y"],
)
def test_additions_of_any_shape_are_found_at_their_place(rows, columns, strength):
    rng = np.random.default_rng(2)
    lr = np.full((128, 128), 100.0)
    residual = rng.normal(0, 1, lr.shape)
    usual = measure([Slice.of(lr, residual)], 0.0)
    residual[60 : 60 + rows, 60 : 60 + columns] += strength
    found = worst(residual, lr, usual)
    peak = np.unravel_index(found.argmax(), found.shape)
    assert found.max() > 5.5
    assert all(58 <= i <= 69 for i in peak)


def test_a_texture_whose_mean_is_zero_is_found_by_its_power():
    rng = np.random.default_rng(2)
    lr = np.full((128, 128), 100.0)
    residual = rng.normal(0, 1, lr.shape)
    usual = measure([Slice.of(lr, residual)], 0.0)
    residual[60:70, 60:70] += 3 * (-1.0) ** np.add.outer(np.arange(10), np.arange(10))
    found = usual.z_scores(Slice.of(lr, residual))[TEXTURE].numpy()
    peak = np.unravel_index(found.argmax(), found.shape)
    assert found.max() > 5
    assert all(58 <= i <= 71 for i in peak)


def test_a_coarse_addition_stands_out_more_where_the_residual_has_no_coarse_part():
    """A generator keeps LR's coarse grey values; what breaks them is all the more certain."""
    rng = np.random.default_rng(6)
    lr = np.full((128, 128), 100.0)
    fine = rng.standard_normal(lr.shape)
    fine -= gaussian_filter(fine, 1.0)
    white = rng.standard_normal(lr.shape) * fine.std()
    found = []
    for residual in (fine, white):
        usual = measure([Slice.of(lr, residual)], 0.0)
        added = residual.copy()
        added[60:66, 60:66] += 1.0
        found.append(worst(added, lr, usual)[60:66, 60:66].max())
    assert found[0] > 1.5 * found[1]


def test_the_sign_tells_bright_from_dark():
    lr = np.full((64, 64), 100.0)
    residual = np.random.default_rng(3).normal(0, 1, lr.shape)
    usual = measure([Slice.of(lr, residual)], 0.0)
    residual[30, 30], residual[10, 10] = 20.0, -20.0
    found = usual.z_scores(Slice.of(lr, residual))
    assert found[TOO_BRIGHT][30, 30] > 10 > found[TOO_BRIGHT][10, 10]
    assert found[TOO_DARK][10, 10] > 10 > found[TOO_DARK][30, 30]


def test_masked_places_say_nothing_and_do_not_spread():
    lr = lr_image()
    residual = natural(lr)
    lr[:10] = residual[:10] = np.nan
    usual = measure([Slice.of(lr, residual)], 0.0)
    found = worst(residual, lr, usual)
    assert np.isnan(found[:10]).all()
    assert np.isfinite(found[10:]).all()


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_perfect_residual_of_any_constant_is_not_suspect(value):
    lr = np.full((32, 32), 7.0)
    flat = Slice.of(lr, np.full(lr.shape, value))
    assert by_kind(measure([flat], 0.07).z_scores(flat))["residual"].max() < 1e-6


def test_an_amount_is_suspect_where_it_exceeds_what_is_usual_for_such_a_place():
    rng = np.random.default_rng(4)
    lr = lr_image()
    amount = np.where(np.arange(128) < 64, 1.0, 20.0) * np.exp(rng.normal(0, 0.2, lr.shape))
    usual = measure([Slice.of(lr, natural(lr), [amount])], 0.1)
    amount[50, 20] = 12.0
    found = usual.z_scores(Slice.of(lr, natural(lr), [amount]))[INVENTED].numpy()
    assert found[50, 20] > 5
    assert found.argmax() == 50 * 128 + 20


def test_texture_is_no_more_suspect_at_an_edge_than_inside():
    rng = np.random.default_rng(5)
    slices = [
        Slice.of(lr_image(seed), gaussian_filter(rng.standard_normal((128, 128)), 0.5))
        for seed in range(12)
    ]
    yardsticks = measure(slices, 0.05)
    power = np.stack([yardsticks.z_scores(s)[TEXTURE].numpy() for s in slices])
    edge = np.ones(power.shape[1:], bool)
    edge[2:-2, 2:-2] = False
    # where no lump hides it
    high = {
        kind: np.quantile(power[:, where], 0.999)
        for kind, where in (("edge", edge), ("inside", ~edge))
    }
    assert high["edge"] < 1.2 * high["inside"]


@pytest.mark.parametrize(("shape", "core"), [((90, 70), 256), ((90, 70), 40), ((40, 30), 256)])
def test_z_scores_are_those_of_the_reference_in_double_precision(shape, core, monkeypatch):
    monkeypatch.setitem(CORE, "cpu", core)
    rng = np.random.default_rng(8)
    lr = [lr_image(seed, 128)[: shape[0], : shape[1]] for seed in (0, 1)]
    rest = [natural(image, seed)[: shape[0], : shape[1]] for seed, image in enumerate(lr)]
    amounts = [[np.exp(rng.normal(0, 0.4, shape)) for _ in "ab"] for _ in lr]
    rest[0][:3, :4] = lr[0][:3, :4] = np.nan
    true = reference.measure(
        [reference.Slice(*s) for s in zip(lr, rest, amounts, strict=True)], 0.07
    ).z_scores(reference.Slice(lr[0], rest[0], amounts[0]))
    found = measure([Slice.of(*s) for s in zip(lr, rest, amounts, strict=True)], 0.07).z_scores(
        Slice.of(lr[0], rest[0], amounts[0])
    )
    assert set(found) == set(true)
    for reason, image in true.items():
        # features are standardised over masked pixels too, which shows in so small a picture
        np.testing.assert_allclose(found[reason], image, atol=0.03, rtol=0.02)
