"""A model on a material it was not taught on: are the particles that it invents inside suspect regions?

The models are those of ``sem-sr study mismatch --quick``, taught on simulated tin spheres and on simulated cathodes; they
are trained once and kept in the folder given with --study. Simulated cathode, in which nothing is round, bright and small,
is upscaled by both; the given model's own held-out images show what is usual. An invented particle is a bright spot in
SR that HR does not hold, counted as in that study. Every image goes through `check` as a person's stack does, and the regions
are those of its report.

How far an invented spot can be told from one that HR holds, by what is known without HR, is given as area under the ROC curve.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from common import auroc, held_out, keep, picture, row
from scipy.ndimage import gaussian_filter, gaussian_laplace

from napari_sem_sr.checking import check
from napari_sem_sr.checking.evidence.consistency import residual
from napari_sem_sr.checking.evidence.invention import doubt
from napari_sem_sr.checking.suspects.regions import WHOLE_FIELD
from napari_sem_sr.checking.view.invention_maps import invention
from napari_sem_sr.events import drain
from napari_sem_sr.measure.particles import match
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Model, load_bundle
from napari_sem_sr.samples.specimens import simulate
from napari_sem_sr.stack import SemStack
from napari_sem_sr.study.contrast import RADIUS_PER_SIGMA, spots
from napari_sem_sr.study.invented import HR_SMOOTHING_PX, LEAST_CONTRAST, LENIENCE, SOUGHT_PX
from napari_sem_sr.study.mismatch import QUICK, iter_mismatch

# Of specimens that no model of the study has seen.
FIRST = 500
SIZE_PX = 384


def taught(study: Path) -> dict[str, Model]:
    """The study's models, trained unless they are there."""
    drain(iter_mismatch(study, QUICK))
    return {
        kind: load_bundle(study / "models" / f"simulated-{kind}") for kind in ("tin", "cathode")
    }


def unseen(kind: Any, count: int) -> Iterator[tuple[str, str, np.ndarray]]:
    for number in range(FIRST, FIRST + count):
        found = simulate(kind, number, 0, (SIZE_PX, SIZE_PX))
        yield found.specimen, found.name, found.image


def contrast_at(image: np.ndarray, centres: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Answer of the spots' own filter in another picture, within a pixel of their centres."""
    found = np.empty(len(centres))
    for scale in np.unique(sigma):
        answer = -(scale**2) * gaussian_laplace(image.astype(float), scale)
        for i in np.flatnonzero(sigma == scale):
            y, x = centres[i].round().astype(int)
            found[i] = answer[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2].max()
    return found


def look(model: Model, specimen: str, name: str, hr: np.ndarray) -> dict[str, Any]:
    """Spots of one SR image, which of them are invented, and where its report's regions lie."""
    p = picture(model, specimen, name, hr)
    least = LEAST_CONTRAST * 255 * p.unit
    smooth = gaussian_filter(p.hr.astype(np.float32), HR_SMOOTHING_PX)
    held = spots(smooth, SOUGHT_PX, LENIENCE * least)
    found = spots(p.gan, SOUGHT_PX, least)
    invented = np.zeros(len(found), bool)
    invented[match(held, found).invented] = True
    lr = SemStack.from_array(p.lr, name)
    sr = lr.upscaled(SemStack.from_array(p.gan, name).data, 4)
    with tempfile.TemporaryDirectory() as folder:
        report = check(lr, sr, model=model, out=folder)
    centres = found.centres.round().astype(int).reshape(-1, 2)
    y, x = centres.T
    inside = {True: np.zeros(p.gan.shape, bool), False: np.zeros(p.gan.shape, bool)}
    for r in report.regions:
        here = inside[WHOLE_FIELD in r["reasons"]]
        here[r["y"] : r["y"] + r["height"], r["x"] : r["x"] + r["width"]] = True
    sigma = (found.diameters / 2 / RADIUS_PER_SIGMA).round(3)
    sr_contrast, twin, bicubic = (
        contrast_at(image, found.centres, sigma)
        for image in (p.gan, p.twin, upscale_bicubic(p.lr, 4))
    )
    parts = invention(p.gan, p.twin, 4)
    at = (y // 4, x // 4)
    return {
        "invented": invented,
        "in a field": inside[True][y, x],
        "in a place": inside[False][y, x],
        "alarm": bool(report.domain["alarm"]),
        "places": sum(WHOLE_FIELD not in r["reasons"] for r in report.regions),
        "evidence": {
            "share of its contrast that bicubic lacks": 1 - bicubic / sr_contrast,
            "share of its contrast that the twin lacks": 1 - twin / sr_contrast,
            "doubt": doubt(parts.agreement, parts.energy, p.sigma).numpy()[at],
            "amount of invention": parts.amount.numpy()[at],
            "residual": np.abs(residual(p.gan, p.lr, 4))[at],
            "smallness": -sigma,
        },
    }


def run(model: Model, data: Path, out: Path, quick: bool, study: Path) -> None:
    rows, details = [], {}
    count = 6 if quick else 30
    models = taught(study)
    cases = {
        "taught on tin, simulated cathode": (models["tin"], unseen("cathode", count)),
        "taught on cathodes, simulated cathode": (models["cathode"], unseen("cathode", count)),
        "taught on tin, simulated tin": (models["tin"], unseen("tin", count)),
        f"{model.card.name}, simulated cathode": (model, unseen("cathode", count)),
        f"{model.card.name}, own held-out images": (model, held_out(model, data)),
    }
    for case, (network, fields) in cases.items():
        found = [look(network, *field) for field in fields]
        print("mismatch:", case, flush=True)
        invented, in_field, in_place = (
            np.concatenate([f[k] for f in found]) for k in ("invented", "in a field", "in a place")
        )
        some = max(1, int(invented.sum()))
        covered, local = (in_field | in_place)[invented].sum(), in_place[invented].sum()
        alarms = sum(f["alarm"] for f in found)
        evidence = {
            k: auroc(np.concatenate([f["evidence"][k] for f in found]), invented)
            for k in found[0]["evidence"]
        }
        details[case] = {
            "images": len(found),
            "spots": len(invented),
            "invented": int(invented.sum()),
            "inside regions": int(covered),
            "inside single places": int(local),
            "alarms": alarms,
            "places": sum(f["places"] for f in found),
            "AUROC of being invented": evidence,
        }
        rows.append(
            row(
                f"{case}: invented particles inside the report's regions",
                ">= 90 %" if case == "taught on tin, simulated cathode" else "",
                f"{100 * covered / some:.0f} % of {some} ({100 * local / some:.0f} % inside single places); "
                f"alarm on {alarms} of {len(found)}",
                f"{len(found)} images",
            )
        )
        rows.append(
            row(
                "… AUROC of an invented spot among all spots, by its smallness / by the contrast that bicubic lacks / that the twin lacks",
                "",
                " / ".join(
                    f"{evidence[k]:.2f}"
                    for k in (
                        "smallness",
                        "share of its contrast that bicubic lacks",
                        "share of its contrast that the twin lacks",
                    )
                ),
                f"{len(invented)} spots",
            )
        )
    keep(out, "mismatch", rows, details)
