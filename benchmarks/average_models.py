"""Average the weights of two models that grew from the same training; then calibrate with recalibrate.py.

    python benchmarks/average_models.py sem-x4 coating-x4 --out runs/sem-x4
    python benchmarks/average_models.py coating-x4 sem-x4 --networks gan --out runs/coating-x4

The mean of weights that were trained on from one start is about as good on each one's images as the better of the
two (Wortsman et al. 2022, "Model soups", ICML). Of two SRGANs it keeps the detail on which they agree more than what either
drew on its own. Training record and card stay those of the first model.
"""

import argparse
from pathlib import Path

from napari_sem_sr.model.bundle import save_model
from napari_sem_sr.model.zoo import load_model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("other")
    parser.add_argument("--networks", nargs="+", choices=("twin", "gan"), default=("twin", "gan"))
    parser.add_argument("--share", type=float, default=0.5, help="of the other model")
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
    weights = dict(model.weights)
    for which in arguments.networks:
        theirs = other.weights[which]
        weights[which] = {
            k: v.float().lerp(theirs[k].float(), arguments.share) for k, v in weights[which].items()
        }
    names = " and ".join({"twin": "twin", "gan": "SRGAN"}[which] for which in arguments.networks)
    description = (
        f"The weights of its {names} are the mean of those of this training ({1 - arguments.share:.0%}) and of "
        f"{other.card.name} ({other.content_hash}), which grew from the same one."
    )
    card = model.card.model_copy(update={"description": description})
    save_model(
        arguments.out,
        card,
        weights["gan"],
        weights["twin"],
        dict(model.calibration),
        overwrite=True,
    )
    print(arguments.out)


if __name__ == "__main__":
    main()
