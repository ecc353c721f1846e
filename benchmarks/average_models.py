"""Average the twins of two models that grew from the same training; then calibrate with recalibrate.py.

    python benchmarks/average_models.py sem-x4 coating-x4 --share 0.5 --out runs/sem-x4

The mean of weights that were trained on from one start is about as good on each one's images as the better of the
two (Wortsman et al. 2022, "Model soups", ICML). The SRGAN, its training record and the card stay those of the first model.
"""

import argparse
from pathlib import Path

from napari_sem_sr.model.bundle import save_model
from napari_sem_sr.model.zoo import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("other")
    parser.add_argument("--share", type=float, default=0.5, help="of the other model's twin")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    model, other = load_model(arguments.model), load_model(arguments.other)
    if model.card.architecture != other.card.architecture:
        raise SystemExit(
            f"{arguments.model} and {arguments.other} differ in architecture; give two of one."
        )
    held = {*model.card.teachers.groups.calibration, *model.card.teachers.groups.test}
    if taught := held & {*other.card.teachers.groups.train}:
        raise SystemExit(
            f"{arguments.other} learned from {sorted(taught)}, which {arguments.model} holds out."
        )
    share = arguments.share
    theirs = other.weights["twin"]
    twin = {
        name: weights.float().lerp(theirs[name].float(), share)
        for name, weights in model.weights["twin"].items()
    }
    description = (
        f"The twin's weights are the mean of this training's ({1 - share:.0%}) and those of "
        f"{other.card.name} ({share:.0%}), which grew from the same training ({other.content_hash})."
    )
    card = model.card.model_copy(update={"description": description})
    save_model(
        arguments.out,
        card,
        model.weights["gan"],
        twin,
        dict(model.calibration),
        overwrite=True,
    )
    print(arguments.out)


if __name__ == "__main__":
    main()
