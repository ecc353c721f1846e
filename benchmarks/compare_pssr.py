"""PSSR2's network, trained for the same time from the same images and scored on the same held-out ones.

    python benchmarks/compare_pssr.py prepare coating-x4 --data ../shared/data --out runs/pssr
    PSSR_PYTHON benchmarks/compare_pssr.py learn --out runs/pssr --minutes 10
    python benchmarks/compare_pssr.py ours coating-x4 --data ../shared/data --out runs/pssr --minutes 10
    python benchmarks/compare_pssr.py score coating-x4 --out runs/pssr

The steps are apart because the package ``pssr`` (2.4.0) wants numpy < 2, in an environment of its own: beside
what it asks for, `pip install --no-deps timm torchvision==0.15.1` (timm imports torchvision, whose later wheels do not
import beside a CPU build of torch).

``learn`` is PSSR2's own: ``ResUNet`` with its defaults, ``PairedSlidingDataset``, ``train_paired``, AdamW at 1e-3,
MS-SSIM and L1 mixed 0.8 to 0.2, batches of 16 tiles of 512 pixels. One thing differs: LR is made by area averaging as
everywhere here, without its default Poisson noise, as the images under test have none. Time is that of the processor, of
one thread.
"""

import argparse
import contextlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

FACTOR = 4
# An image's sides must be multiples of this for the network's four poolings.
STEP = 16
LEARNING_RATE, MIX = 1e-3, 0.8


def prepare(name: str, data: Path, out: Path) -> None:
    """Write LR and HR of the teachers and of the held-out images of a bundled model."""
    from train_zoo import split_of

    from napari_sem_sr.training.validation.evaluation import pair_of

    split = split_of(name, data)
    for purpose, teachers in (("train", split.train), ("test", split.test)):
        for teacher in teachers:
            pair = pair_of(teacher, FACTOR)
            for kind, image in (("lr", pair.lr), ("hr", pair.hr)):
                folder = out / purpose / kind
                folder.mkdir(parents=True, exist_ok=True)
                tifffile.imwrite(folder / f"{teacher.name}.tif", image)


class OutOfTimeError(Exception):
    """Ends the training from within."""


def learn(out: Path, minutes: float, hr_px: int, batch: int) -> None:
    """Train PSSR2's network and let it upscale the held-out images; runs where ``pssr`` is installed."""
    import torch
    from pssr.data import PairedSlidingDataset
    from pssr.models import ResUNet
    from pssr.train import train_paired
    from pssr.util import SSIMLoss

    torch.set_num_threads(1)
    torch.manual_seed(0)
    dataset = PairedSlidingDataset(
        out / "train" / "hr", out / "train" / "lr", hr_res=hr_px, lr_scale=FACTOR, val_split=0.1,
        split_seed=0,
    )  # fmt: skip
    network = ResUNet(scale=FACTOR)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    steps = 0
    began = time.process_time()

    def watch() -> None:
        nonlocal steps
        steps += 1
        if time.process_time() - began > 60 * minutes:
            raise OutOfTimeError

    with contextlib.suppress(OutOfTimeError):
        train_paired(
            network, dataset, batch, SSIMLoss(mix=MIX), optimizer, epochs=10_000, callbacks=[watch]
        )
    found = {
        "tiles": len(dataset),
        "hr_px": hr_px,
        "batch": batch,
        "steps": steps,
        "cpu_s": round(time.process_time() - began),
        "parameters": sum(p.numel() for p in network.parameters()),
    }
    print(json.dumps(found))
    (out / "pssr.json").write_text(json.dumps(found, indent=1) + "\n")
    network.eval()
    (out / "sr").mkdir(exist_ok=True)
    for file in sorted((out / "test" / "lr").glob("*.tif")):
        lr = tifffile.imread(file)
        spare = [(0, -side % STEP) for side in lr.shape]
        padded = np.pad(lr, spare, mode="reflect").astype(np.float32)
        with torch.no_grad():
            sr = network(torch.from_numpy(padded)[None, None])[0, 0].numpy()
        y, x = (FACTOR * side for side in lr.shape)
        tifffile.imwrite(
            out / "sr" / file.name, np.clip(sr[:y, :x].round(), 0, 255).astype("uint8")
        )


def ours(name: str, data: Path, out: Path, minutes: float) -> None:
    """Train a model of ours from the same images, from chance, both stages together for the same time."""
    import torch
    from train_zoo import USUAL, split_of

    from napari_sem_sr.events import drain
    from napari_sem_sr.training.finish.finish import FINISHING_SHARE
    from napari_sem_sr.training.loop import training_run
    from napari_sem_sr.training.settings import TrainSettings
    from napari_sem_sr.training.trainer import iter_train

    torch.set_num_threads(1)
    # the time of the processor, as for the other
    training_run.time.perf_counter = time.process_time
    settings = TrainSettings(
        factor=FACTOR, minutes=minutes / (1 - FINISHING_SHARE), architecture=USUAL, device="cpu"
    )
    drain(iter_train((), settings, out / "ours", name=name, split=split_of(name, data)))


def score(name: str, out: Path) -> None:
    """Score what PSSR2's network made beside bicubic and a model of ours."""
    import torch

    from napari_sem_sr.intensity import range_of
    from napari_sem_sr.metrics.psnr_ssim import psnr, ssim
    from napari_sem_sr.model.bicubic import upscale_bicubic
    from napari_sem_sr.model.zoo import load_model
    from napari_sem_sr.training.validation.evaluation import Pair, upscale_pair

    model = load_model(out / "ours")
    networks = {which: model.network(which) for which in ("twin", "gan")}
    rows: list[dict[str, Any]] = []
    for file in sorted((out / "test" / "hr").glob("*.tif")):
        lr, hr = (tifffile.imread(out / "test" / kind / file.name) for kind in ("lr", "hr"))
        pair = Pair(lr, hr, range_of(lr), file.stem, name)
        pictures = {
            "bicubic": upscale_bicubic(lr, FACTOR),
            "pssr": tifffile.imread(out / "sr" / file.name),
            **{k: upscale_pair(pair, n, torch.device("cpu")) for k, n in networks.items()},
        }
        rows.append(
            {"name": file.stem}
            | {k: {"psnr": psnr(p, hr), "ssim": ssim(p, hr)} for k, p in pictures.items()}
        )
    training = model.card.training
    means = {
        kind: {
            "gain_db": round(float(np.mean([r[kind]["psnr"] - r["bicubic"]["psnr"] for r in rows])), 2),
            "ssim": round(float(np.mean([r[kind]["ssim"] for r in rows])), 3),
        }
        for kind in ("bicubic", "pssr", "twin", "gan")
    }  # fmt: skip
    found = {
        "material": name,
        "pssr": json.loads((out / "pssr.json").read_text()),
        "ours": {"steps": training.steps, "seconds": training.seconds},
        "means": means,
        "images": rows,
    }
    print(json.dumps({k: v for k, v in found.items() if k != "images"}, indent=1))
    (out / "compared.json").write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Do one of the three steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    step = steps.add_parser("prepare")
    step.add_argument("name")
    step.add_argument("--data", type=Path, required=True)
    step.add_argument("--out", type=Path, required=True)
    step = steps.add_parser("learn")
    step.add_argument("--out", type=Path, required=True)
    step.add_argument("--minutes", type=float, default=10)
    step.add_argument("--hr-px", type=int, default=512, help="side of a tile")
    step.add_argument("--batch", type=int, default=16)
    step = steps.add_parser("ours")
    step.add_argument("name")
    step.add_argument("--data", type=Path, required=True)
    step.add_argument("--out", type=Path, required=True)
    step.add_argument("--minutes", type=float, default=10)
    step = steps.add_parser("score")
    step.add_argument("name")
    step.add_argument("--out", type=Path, required=True)
    arguments = vars(parser.parse_args())
    {"prepare": prepare, "learn": learn, "ours": ours, "score": score}[arguments.pop("step")](
        **arguments
    )


if __name__ == "__main__":
    main()
