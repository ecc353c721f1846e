"""Evidence as it comes out of a whole check."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr

from napari_sem_sr.checking import check
from napari_sem_sr.checking.evidence.consistency import lr_sigma
from napari_sem_sr.checking.evidence.domain import fit_domain
from napari_sem_sr.checking.evidence.image_features import domain_features
from napari_sem_sr.checking.evidence.trust import fit_trust, image_curves
from napari_sem_sr.checking.view.invention_maps import invention
from napari_sem_sr.degradation.degrade import Degradation, degrade_stack
from napari_sem_sr.degradation.steps import AreaAverage, BeamBlur
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Model, load_bundle, save_model
from napari_sem_sr.model.card import Card
from napari_sem_sr.model.generator import Generator
from napari_sem_sr.stack import SemStack
from tests.checking.conftest import Truth, specimen, truth_of

BIG = (2, 240, 320)


def bicubic_stack(lr: SemStack, factor: int = 4) -> SemStack:
    planes = np.stack([upscale_bicubic(lr.slice(z), factor) for z in range(lr.shape[0])])
    data = SemStack.from_array(planes, "SR").data
    return replace(lr.upscaled(data, factor), name="SR", provenance={"synthetic": True})


def with_pixels(stack: SemStack, data: np.ndarray) -> SemStack:
    return replace(stack, data=SemStack.from_array(data, "x").data)


@pytest.fixture
def domain_model(bundle: Path, tmp_path: Path) -> Model:
    """A model whose networks do nothing beyond bicubic, taught on five specimens like ours."""
    network = Generator(4, 4, 1, 4)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    card: Card = load_bundle(bundle).card
    features, names = [], []
    for seed in range(20, 30):
        lr = truth_of(specimen((1, 240, 320), seed)).lr
        features.append(domain_features(stack_range(lr).normalise(lr.slice(0))))
        names.append(f"specimen {seed // 2}")
    path = tmp_path / "plain"
    weights = network.state_dict()
    save_model(path, card, weights, weights, fit_domain(np.stack(features), names))
    return load_bundle(path)


def test_a_particle_drawn_into_sr_is_the_worst_place(tmp_path):
    truth = truth_of(specimen(BIG))
    sr = bicubic_stack(truth.lr)
    data = sr.data.compute()
    yy, xx = np.mgrid[: BIG[1], : BIG[2]]
    data[1] += np.uint8(25 * (np.hypot(yy - 100, xx - 200) < 8))
    report = check(truth.lr, with_pixels(sr, data), out=tmp_path)
    worst = report.regions[0]
    assert worst["slice"] == 1
    assert worst["reasons"] == ["brighter than LR measured"]
    assert worst["y"] <= 100 < worst["y"] + worst["height"]
    assert worst["x"] <= 200 < worst["x"] + worst["width"]
    for region in report.regions:
        assert region["height"] * region["width"] <= 0.02 * BIG[1] * BIG[2]


def test_a_texture_that_leaves_lr_unchanged_is_found_as_invention_and_not_as_contradiction(
    domain_model, tmp_path
):
    truth = truth_of(specimen(BIG))
    sr = bicubic_stack(truth.lr)
    data = sr.data.compute().astype(np.float32)
    checker = 20.0 * (-1.0) ** np.add.outer(np.arange(24) // 2, np.arange(24) // 2)
    data[0, 80:104, 120:144] += checker
    fake = with_pixels(sr, np.clip(data, 0, 255).astype(np.uint8))
    report = check(truth.lr, fake, model=domain_model, out=tmp_path)
    worst = report.regions[0]
    assert worst["reasons"][0] == "detail that the twin does not draw"
    assert 60 <= worst["y"] <= 104 and 100 <= worst["x"] <= 144
    assert report.invention["amount_rms"] > 0


def test_a_stack_like_the_teachers_raises_no_alarm_and_a_noisy_one_does(domain_model, tmp_path):
    truth = truth_of(specimen(BIG, seed=3))
    sr = bicubic_stack(truth.lr)
    own = check(truth.lr, sr, model=domain_model, out=tmp_path / "own").domain
    assert own["p_value"] is None and own["n_specimens"] == 5
    assert not [r for r in own["reasons"] if "noisier" in r or "blurred" in r]
    rng = np.random.default_rng(0)
    noisy = np.clip(truth.lr.data.compute() + rng.normal(0, 12, truth.lr.shape), 0, 255)
    lr = with_pixels(truth.lr, noisy.astype(np.uint8))
    report = check(lr, bicubic_stack(lr), model=domain_model, out=tmp_path / "noisy")
    assert report.domain["alarm"]
    assert "its LR is noisier than every teacher's" in report.domain["reasons"]
    assert "outside what the model was taught on" in report.verdict
    whole = [r for r in report.regions if r["reasons"][0] == "whole field"]
    assert {r["slice"] for r in whole} == {0, 1}
    assert all((r["height"], r["width"]) == BIG[1:] for r in whole)


def test_every_slice_of_a_stack_outside_the_domain_is_listed_whole_and_its_places_are_kept(
    domain_model, tmp_path
):
    truth = truth_of(specimen((3, 240, 320), seed=3))
    noisy = np.random.default_rng(0).normal(truth.lr.data.compute(), 12)
    lr = with_pixels(truth.lr, np.clip(noisy, 0, 255).astype(np.uint8))
    sr = bicubic_stack(lr)
    data = sr.data.compute()
    data[2, 100:120, 200:220] = np.minimum(data[2, 100:120, 200:220], 195) + 60
    report = check(lr, with_pixels(sr, data), model=domain_model, out=tmp_path, without=[1])
    whole = [r for r in report.regions if r["reasons"][0] == "whole field"]
    assert sorted(r["slice"] for r in whole) == [0, 2], "slices that were left out say nothing"
    assert all(len(r["reasons"]) > 1 for r in whole)
    places = [r for r in report.regions if r not in whole]
    assert any(r["slice"] == 2 and 190 <= r["x"] <= 220 for r in places)
    assert report.regions == sorted(report.regions, key=lambda r: -r["score"])


def test_consistency_is_judged_by_the_degradation_on_the_models_card(domain_model, tmp_path):
    """SR that is the truth, LR of a wider beam: a fault for plain averaging, none for the model that knows the beam."""
    blurred = Degradation(steps=(BeamBlur(sigma=0.6, unit="LR pixel"), AreaAverage()))
    hr = truth_of(specimen(BIG, seed=3)).hr
    lr = degrade_stack(hr, 4, blurred)
    sr = replace(lr.upscaled(hr.data, 4), name="SR", provenance={"synthetic": True})
    path = tmp_path / "matched"
    card = domain_model.card.model_copy(update={"degradation": blurred})
    weights = domain_model.weights
    save_model(path, card, weights["gan"], weights["twin"], domain_model.calibration)
    plain = check(lr, sr, model=domain_model, out=tmp_path / "a").consistency
    matched = check(lr, sr, model=load_bundle(path), out=tmp_path / "b", project=True).consistency
    assert "beam blur" in matched["degradation"]
    assert matched["residual_rms"] < 0.4 < plain["residual_rms"] / 3
    assert matched["projection"]["rms_change"] < 2


def test_another_pixel_size_raises_the_alarm_from_metadata(domain_model, tmp_path):
    truth = truth_of(specimen(BIG, seed=3), voxel_nm=(20.0, 10.0, 10.0))
    report = check(truth.lr, bicubic_stack(truth.lr), model=domain_model, out=tmp_path)
    # the teachers have 5 nm, these pixels are twice as large
    assert report.domain["pixel_ratio"] == pytest.approx(2)
    assert any("pixels" in reason for reason in report.domain["reasons"])


def test_a_twin_is_not_compared_with_itself(truth: Truth, model, tmp_path):
    twin = replace(truth.sr, provenance={"synthetic": True, "sharpness": 0.0})
    report = check(truth.lr, twin, model=model, out=tmp_path)
    assert report.invention["compared"] == "the model's GAN with its twin"
    assert any("sharpness 0" in line for line in report.limits)


def test_resolution_is_in_nm_and_undefined_where_the_curve_does_not_cross(truth: Truth, tmp_path):
    report = check(truth.lr, truth.sr, truth.hr, out=tmp_path / "a")
    assert report.scores["bicubic_frc_nm"] is None or report.scores["bicubic_frc_nm"] > 10
    same = replace(truth.sr, data=truth.hr.data)
    report = check(truth.lr, same, truth.hr, out=tmp_path / "b")
    assert report.scores["frc_nm"] is None
    assert any("undefined" in line for line in report.limits)


def test_maps_of_evidence_lie_on_the_lr_grid_and_are_named(truth: Truth, model, tmp_path):
    check(truth.lr, truth.sr, model=model, out=tmp_path)
    maps = zarr.open_group(tmp_path / "maps.zarr", mode="r")
    assert set(maps.group_keys()) == {
        "consistency", "invention", "agreement", "doubt", "stability",
    }  # fmt: skip
    for name in maps.group_keys():
        assert np.asarray(maps[f"{name}/0"]).shape == truth.lr.shape
        assert np.isfinite(np.asarray(maps[f"{name}/0"])).all()
    assert np.abs(np.asarray(maps["agreement/0"])).max() <= 1


def calibrated(model: Model, tmp_path: Path, n: int) -> Model:
    """The model with ``n`` calibration specimens of our kind."""
    images = []
    for seed in range(50, 50 + n):
        truth = truth_of(specimen((1, 96, 96), seed))
        sr = upscale_bicubic(truth.lr.slice(0), 4)
        images.append(
            image_curves(
                sr, truth.hr.slice(0), 4, lr_sigma(truth.lr, 4), 255.0, invention(sr, sr, 4)
            )
        )
    arrays = {**model.calibration, **fit_trust(images, [str(i) for i in range(n)])}
    path = tmp_path / f"calibrated with {n}"
    save_model(path, model.card, model.weights["gan"], model.weights["twin"], arrays)
    return load_bundle(path)


def test_a_trust_mask_needs_nine_specimens_and_a_stack_within_the_domain(domain_model, tmp_path):
    truth = truth_of(specimen(BIG, seed=3))
    sr = bicubic_stack(truth.lr)
    few = check(
        truth.lr, sr, model=calibrated(domain_model, tmp_path, 3), out=tmp_path / "few"
    ).trust
    assert few["trusted_fraction"] is None
    assert "6 more would do" in few["refused"]
    enough = calibrated(domain_model, tmp_path, 12)
    report = check(truth.lr, sr, model=enough, out=tmp_path / "enough")
    assert not report.domain["alarm"]
    assert report.trust["refused"] is None
    mask = np.asarray(zarr.open_group(tmp_path / "enough" / "maps.zarr", mode="r")["trust/0"])
    assert report.trust["trusted_fraction"] == pytest.approx(mask.mean())
    assert set(np.unique(mask)) <= {0.0, 1.0}
    foreign = replace(truth.lr, voxel_nm=(20.0, 50.0, 50.0))
    refused = check(foreign, bicubic_stack(foreign), model=enough, out=tmp_path / "foreign").trust
    assert refused["trusted_fraction"] is None
    assert "domain" in refused["refused"]


def test_a_slice_that_is_wholly_masked_is_set_apart_and_named(truth: Truth, model, tmp_path):
    data = truth.hr.data.compute().astype(np.float32)
    masked = truth_of(data)
    lr = masked.lr.data.compute()
    lr[1] = np.nan
    report = check(with_pixels(masked.lr, lr), masked.sr, model=model, out=tmp_path)
    assert report.looked_at == [0, 2]
    assert any("LR has no value that could be compared in slice 1" in s for s in report.limits)
