import re

import numpy as np
import pytest

from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.checking.report.plots import (
    plot_of_resolving,
    plots_against_hr,
    plots_of_reference,
)
from napari_sem_sr.model.card import Card
from napari_sem_sr.model.recovery import Recovery, ResolvingPower
from tests.conftest import card as tiny_card

EDGES = [4.0 * 2**i for i in range(5)]


def curve(value: float) -> dict:
    return {
        "unit": "nm", "diameter_edges": EDGES, "recall": [None, value, 1.0, 1.0],
        "precision": [None, 0.5, 1.0, 1.0], "n_true": 40, "n_missed": 9, "n_invented": 3,
        "diameter_recall_90": 16.0,
    }  # fmt: skip


def report(**changes) -> Report:
    frc = list(np.linspace(1, 0, 20))
    scores = {
        "frc_cycles_per_px": list(np.linspace(0.01, 0.49, 20)), "frc_curve": frc,
        "bicubic_frc_curve": frc, "psnr_per_slice": [30.0, None], "bicubic_psnr_per_slice": [29.0, 28.0],
        "particles": {"sr": curve(0.7), "bicubic": curve(0.2)}, "pores": None,
    }  # fmt: skip
    values = {
        "lr": {}, "sr": {"voxel_nm": [20, 5, 5], "checked": {"slices": [3, 5]}}, "hr": {}, "model": None,
        "scores": scores, "consistency": None, "invention": None, "domain": None, "persistence": None,
        "trust": None, "regions": [], "verdict": "", "limits": [], **changes,
    }  # fmt: skip
    return Report(**values)


def test_plots_have_axes_in_nm_and_the_colours_of_the_page():
    plots = plots_against_hr(report(), 4)
    assert [p.title for p in plots] == [
        "Fourier ring correlation with HR", "Particles found again", "PSNR along the stack",
    ]  # fmt: skip
    assert "cycles per µm" in plots[0].svg and "period (nm)" in plots[0].svg
    assert "diameter (nm)" in plots[1].svg
    assert "SR lost 9" in plots[1].note and "90 % from 16 nm" in plots[1].note
    for plot in plots:
        assert "var(--ink)" in plot.svg and "#0102" not in plot.svg
        assert not re.search(r"url\((?!#)", plot.svg)


def test_unknown_pixel_sizes_are_said_on_the_axis():
    plot = plots_against_hr(
        report(sr={"voxel_nm": [None] * 3, "checked": {"slices": [0, 2]}}), 4
    )[0]  # fmt: skip
    assert "cycles per SR pixel" in plot.svg and "nm" not in plot.svg


def test_without_hr_or_teachers_or_a_card_that_knows_there_are_no_plots():
    assert plots_against_hr(report(scores=None), 4) == []
    assert plots_of_reference(report()) == []
    assert plot_of_resolving(tiny_card(), 20.0) is None


@pytest.mark.parametrize(("pixel", "unit"), [(20.0, "(nm)"), (None, "(LR pixels)")])
def test_what_a_model_resolves_is_drawn_in_the_unit_of_the_stack(pixel, unit):
    power = ResolvingPower(
        planted=[
            Recovery(
                kind=kind, size_lr_px=[1, 2, 4], n=[9, 9, 9],
                rate={"gan": [0, 0.5, 1], "twin": [0, 0.5, 1], "bicubic": [0, None, 1]},
            )
            for kind in ("disc", "pore", "line")
        ],
        n_erased=0, drawn_back=None, specimens=3,
    )  # fmt: skip
    card: Card = tiny_card().model_copy(update={"resolving_power": power})
    assert unit in plot_of_resolving(card, pixel).svg
    assert "from 4 LR pixels (80 nm)" in power.sentence(20.0)
