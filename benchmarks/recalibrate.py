"""Score and calibrate a bundled model again from its weights, without training.

    python benchmarks/recalibrate.py src/napari_sem_sr/model/bundled/sem-x4 --data ../shared/data

Card scores, default sharpness, domain, trust masks and the scores of suspect places are made anew with the
specimens held out as on the card; weights and training record stay as they are. Writes over the bundle unless --out is given.
--half keeps the weights in half precision, so that many models fit into a wheel: what is measured is measured with those.
"""

import argparse
import json
from pathlib import Path

import torch
from held_out import recorded
from train_zoo import MATERIALS, split_of

from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.checking.evidence.trust import Trust
from napari_sem_sr.checking.suspects.extreme_values import tails_of
from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.events import Progress, drain
from napari_sem_sr.model.bundle import Model, load_bundle, save_model
from napari_sem_sr.teachers.teacher import Split
from napari_sem_sr.training.finish.assessment import iter_assess

# Standard deviations as parts of the range, about 5 and 12 grey levels of our images, correlations along the line, and blur
# in LR pixels.
NOISES = ((0.03, 0.0, 0.0), (0.08, 0.3, 0.0), (0.02, 0.0, 0.5))


def noisy_ways() -> list[Degradation]:
    """Ways to degrade, beside plain averaging, that a model which knows noise is assessed under."""
    return [recorded(*way) for way in NOISES]


def split_on_card(model: Model, data: Path) -> Split:
    """Teachers by purpose, as they were when the model was trained."""
    today = split_of(model.card.name, data)
    teachers = (*today.train, *today.calibration, *today.test)
    groups = model.card.teachers.groups
    missing = {*groups.train, *groups.calibration, *groups.test} - {t.group for t in teachers}
    if missing:
        raise SystemExit(f"The data folder lacks {sorted(missing)}, which the model was made with.")
    return Split(
        train=tuple(t for t in teachers if t.group in groups.train),
        calibration=tuple(t for t in teachers if t.group in groups.calibration),
        test=tuple(t for t in teachers if t.group in groups.test),
        unit=model.card.teachers.unit,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--half", action="store_true")
    arguments = parser.parse_args()
    model = load_bundle(arguments.bundle)
    if model.card.name not in MATERIALS:
        raise SystemExit(f"'{model.card.name}' is no model of train_zoo.py.")
    split = split_on_card(model, arguments.data)
    card = model.card
    weights = {
        which: {k: v.half() if arguments.half else v for k, v in state.items()}
        for which, state in model.weights.items()
    }

    work = iter_assess(
        split,
        weights,
        card.architecture,
        card.factor,
        card.degradation,
        torch.device(arguments.device),
        conditioned=noisy_ways() if model.is_conditioned else (),
    )
    found = drain(telling(work))
    new = found.on_card(card)
    out = arguments.out or arguments.bundle
    save_model(
        out,
        new,
        weights["gan"],
        weights["twin"],
        found.calibration,
        found.preview,
        overwrite=True,
    )
    print(new.summary())
    print(json.dumps(summary(load_bundle(out)), indent=1))


def telling(work):
    """The same work, saying how far it is."""
    try:
        event = next(work)
        while True:
            if isinstance(event, Progress) and event.done % 10 == 0:
                print(f"{event.what}: {event.done} of {event.total}", flush=True)
            event = work.send((yield event))
    except StopIteration as end:
        return end.value


def summary(model: Model) -> dict:
    """What the calibration says."""
    domain = Domain.of(model.calibration)
    masks = {}
    for mask in ("detail", "error"):
        trust = Trust.of(model.calibration, mask)
        threshold = trust.threshold()
        masks[mask] = {
            "n": trust.n,
            "refused": trust.refusal(),
            "threshold": threshold,
            "trusted": None if threshold is None else trust.at(threshold)[0],
        }
    return {
        "domain": None if domain is None else {"specimens": domain.n_specimens},
        "trust": masks,
        "tails": {kind: vars(tail) for kind, tail in tails_of(model.calibration).items()},
    }


if __name__ == "__main__":
    main()
