"""Make a bundle of what train_conditioned.py has trained: score it, find its default sharpness, calibrate its checks.

    python benchmarks/assemble_conditioned.py sem-x4 --data ../shared/data --run runs/sem-x4 \
        --steps 6270 830 --seconds 8300 --out runs/bundle [--toward runs/other 0.6]

Everything is measured on specimens held out, without noise and under the noises below, with conditions estimated from LR
alone. Of large images the middle is taken. Weights are kept in half precision, and measured so. ``--toward`` moves the twin
towards that of another run which grew from the same start (Wortsman et al. 2022, "Model soups", ICML), and the SRGAN by the
same step (Ilharco et al. 2023, task arithmetic).
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from held_out import few
from recalibrate import noisy_ways, telling
from safetensors.torch import load_file
from train_conditioned import MOST_BLUR, MOST_CORRELATION, MOST_NOISE
from train_zoo import CREDITS, MATERIALS, split_of

from napari_sem_sr.degradation.degrade import AREA_AVERAGE
from napari_sem_sr.events import drain
from napari_sem_sr.model.bundle import save_model
from napari_sem_sr.model.card_parts import Groups, KnownConditions, Teachers
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.teachers.teacher import Split, Teacher
from napari_sem_sr.training.finish.assessment import iter_assess

SIDE_PX = 768
# Of the fields of one specimen so many are enough; benchmarks/tin_pairs.py measures all.
MOST_OF_A_KIND = 6


def teachers_on_card(split: Split) -> Teachers:
    """What the card says of the teachers."""
    everyone = (*split.train, *split.calibration, *split.test)

    def groups(teachers: tuple[Teacher, ...]) -> list[str]:
        return sorted({t.group for t in teachers})

    return Teachers(
        count=len(split.train),
        hashes=[t.content_hash for t in split.train],
        pixel_nm=sorted({t.pixel_nm for t in everyone if t.pixel_nm is not None}),
        instruments=sorted({t.instrument for t in everyone if t.instrument}),
        groups=Groups(
            train=groups(split.train),
            calibration=groups(split.calibration),
            test=groups(split.test),
        ),
        unit="specimen",
    )


def trained(arguments: argparse.Namespace) -> dict[str, dict[str, torch.Tensor]]:
    """Weights of both networks, in half precision."""
    twin, gan = (load_file(arguments.run / f"{stage}.safetensors") for stage in ("twin", "gan"))
    if arguments.toward is not None:
        other = load_file(Path(arguments.toward[0]) / "twin.safetensors")
        step = {k: float(arguments.toward[1]) * (other[k] - v) for k, v in twin.items()}
        twin, gan = ({k: v + step[k] for k, v in weights.items()} for weights in (twin, gan))
    return {
        which: {k: v.half() for k, v in weights.items()}
        for which, weights in (("twin", twin), ("gan", gan))
    }


def main() -> None:
    """Assemble one model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, nargs=2, required=True, help="of twin and SRGAN")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--toward", nargs=2, metavar=("RUN", "SHARE"))
    arguments = parser.parse_args()
    base = load_model(arguments.model)
    split = split_of(arguments.model, arguments.data)
    weights = trained(arguments)
    held = replace(
        split,
        calibration=few(split.calibration, MOST_OF_A_KIND, SIDE_PX),
        test=few(split.test, MOST_OF_A_KIND, SIDE_PX),
    )
    found = drain(
        telling(
            iter_assess(
                held,
                weights,
                base.card.architecture,
                base.card.factor,
                AREA_AVERAGE,
                torch.device("cpu"),
                conditioned=noisy_ways(),
            )
        )
    )
    training = base.card.training.model_copy(
        update={
            "steps": dict(zip(("twin", "gan"), arguments.steps, strict=True)),
            "epochs": {},
            "seconds": arguments.seconds,
            "batch": 4,
            "gan_batch": 3,
            "patch_lr_px": 48,
            "started_from": f"{base.card.name} ({base.content_hash})",
            "curve": [],
            "verdict": "",
        }
    )
    card = found.on_card(base.card).model_copy(
        update={
            "description": "Knows noise and blur of a stack: blur, noise and its correlation along the scan line "
            "were drawn anew for each patch, and told to the networks.",
            "teachers": teachers_on_card(split),
            "training": training,
            "conditions": KnownConditions(
                noise=MOST_NOISE, line_correlation=MOST_CORRELATION, blur_px=MOST_BLUR
            ),
            "credits": [CREDITS[m] for m in MATERIALS[arguments.model]],
        }
    )
    save_model(
        arguments.out,
        card,
        weights["gan"],
        weights["twin"],
        found.calibration,
        found.preview,
        overwrite=True,
    )
    print(card.summary())
    print(card.sharpness_by_conditions)


if __name__ == "__main__":
    main()
