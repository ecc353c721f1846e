"""The domain alarm of bundled models on other real materials and on their own unseen specimens, by the size of the field.

Whole images, as the teachers were, and all fields of 128 × 128 LR pixels in them, in the intensity range of the whole.
Counts of images (a share of an image where some of its fields raise it); they are few, and those of one specimen are not
independent.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import fields, keep, row, to_dtype
from domain_alarm import SETS

from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.checking.evidence.image_features import domain_features
from napari_sem_sr.intensity import range_of
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.zoo import load_model

MODELS = ("powder-x4", "coating-x4")
LARGE_PX = 4096
FIELD = 128
WHOLE, PART = "whole images", f"fields of {FIELD} × {FIELD} LR pixels"


def parts(image: np.ndarray) -> Iterator[np.ndarray]:
    for y in range(0, max(1, image.shape[0] - FIELD + 1), FIELD):
        for x in range(0, max(1, image.shape[1] - FIELD + 1), FIELD):
            yield image[y : y + FIELD, x : x + FIELD]


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    described = []
    for kind in SETS:
        for specimen, _, hr in fields(data, kind, LARGE_PX):
            lr = range_of(area_average(hr, 4)).normalise(to_dtype(area_average(hr, 4), hr))
            some = {
                WHOLE: [domain_features(lr)],
                PART: [domain_features(part) for part in parts(lr)],
            }
            described.append((kind, specimen, some))
    rows, details = [], {}
    for one in (model, *map(load_model, MODELS)):
        domain = Domain.of(one.calibration)
        groups = one.card.teachers.groups
        taught = {*groups.train, *groups.calibration}
        own = {group.split("/")[0] for group in taught}
        for how in (WHOLE, PART):
            judged: dict[str, list[float]] = defaultdict(list)
            for kind, specimen, some in described:
                if f"{kind}/{specimen}" not in taught:
                    raised = np.mean([bool(domain.unlike(f)) for f in some[how]])
                    judged[f"{kind} (own, unseen)" if kind in own else kind].append(float(raised))
            details[f"{one.card.name}, {how}"] = judged
            said = ", ".join(f"{k} {sum(v):.3g} of {len(v)}" for k, v in sorted(judged.items()))
            rows.append(
                row(
                    f"{one.card.name}: domain alarm raised, {how}",
                    "",
                    said,
                    f"{domain.n_specimens} specimens",
                )
            )
    keep(out, "specialised_alarm", rows, details)
