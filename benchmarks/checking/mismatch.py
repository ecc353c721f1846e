"""A model on a material it was not taught on: are the particles that it invents inside suspect regions?

Simulated cathode, in which nothing is round, bright and small. An invented particle is a bright spot in SR that HR does
not hold, counted as in the mismatch study. Give a model taught on tin spheres (sem-sr study mismatch trains one) to
repeat that study's case; any other model shows its own.
"""

from pathlib import Path

import numpy as np
from common import held_out, keep, picture, row, simulated
from planted import places
from scipy.ndimage import gaussian_filter

from napari_sem_sr.checking.domain import Domain, domain_features
from napari_sem_sr.checking.invention import doubt, invention
from napari_sem_sr.checking.particles import match
from napari_sem_sr.checking.trust import Trust
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.pairing.degradation import area_average
from napari_sem_sr.study.contrast import spots
from napari_sem_sr.study.mismatch import HR_SMOOTHING_PX, LEAST_CONTRAST, LENIENCE, SOUGHT_PX


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    domain = Domain.of(model.calibration)
    limit = Trust.of(model.calibration).threshold()
    rows, details = [], {}
    cases = {
        "simulated cathode": simulated("cathode", 6 if quick else 30, 384),
        "own held-out images": held_out(model, data),
    }
    for case, fields in cases.items():
        invented = local = covered = alarms = images = doubted = 0
        for specimen, name, hr in fields:
            p = picture(model, specimen, name, hr)
            contrast = LEAST_CONTRAST * 255 * p.unit
            smooth = gaussian_filter(p.hr.astype(np.float32), HR_SMOOTHING_PX)
            held = spots(smooth, SOUGHT_PX, LENIENCE * contrast)
            found = spots(p.gan, SOUGHT_PX, contrast)
            made = found.centres[match(held, found).invented].round().astype(int)
            suspect = np.zeros(p.gan.shape, bool)
            for r in places(model, p, p.gan):
                suspect[r.y : r.y + r.height, r.x : r.x + r.width] = True
            inside = int(suspect[made[:, 0], made[:, 1]].sum()) if len(made) else 0
            if limit is not None and len(made):
                found_there = invention(p.gan, p.twin, 4)
                energy = np.sqrt(area_average(found_there.energy**2, 4))
                score = doubt(area_average(found_there.agreement, 4), energy, p.sigma)
                doubted += int((score[made[:, 0] // 4, made[:, 1] // 4] > limit).sum())
            features = domain_features(p.intensity.normalise(p.lr))
            raised = domain is not None and (
                (domain.threshold is not None and domain.distance(features) > domain.threshold)
                or domain.is_noisier(features)
                or domain.is_softer(features)
            )
            images += 1
            alarms += raised
            invented += len(made)
            local += inside
            covered += len(made) if raised else inside
        details[case] = {
            "images": images,
            "invented": invented,
            "inside places": local,
            "inside places or an alarmed field": covered,
            "outside the mask of trusted detail": doubted if limit is not None else None,
            "alarms": alarms,
        }
        some = max(1, invented)
        rows.append(
            row(
                f"{model.card.name} on {case}: invented particles inside suspect regions, a field under alarm being one",
                ">= 90 %" if case == "simulated cathode" else "",
                f"{100 * covered / some:.0f} % of {invented} ({100 * local / some:.0f} % inside single places); "
                f"alarm on {alarms} of {images}",
                f"{images} images",
            )
        )
        if limit is not None:
            rows.append(
                row(
                    "… outside what the mask of detail trusts (the alarm apart)",
                    "",
                    f"{100 * doubted / some:.0f} %",
                    "",
                )
            )
    keep(out, "mismatch", rows, details)
