"""Training throughput beside a plain loop over the same networks: fp32, a DataLoader, everything on the CPU side by side.

    python benchmarks/training_throughput.py [--steps 30] [--rounds 3] [--json FILE]

Both learn from the same images with the same losses, batch and patch sizes; the plain loop is what one writes first: a
Dataset that cuts, turns and averages patches in numpy, a DataLoader, fp32, default memory layout, Adam, and the feature
loss by torch's own l1 loss. Each has a process of its own, as memory is managed by process. Rounds alternate, so that
other work on the machine slows both; ratios are of the medians. ``--cpu-time`` counts the processor's time instead, for
a machine that is not quiet.
"""

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset

from napari_sem_sr.inference.engine.devices import pick_device
from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.model.discriminator import Discriminator
from napari_sem_sr.model.generator import Generator
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.training.data.patch_sampler import PatchSampler
from napari_sem_sr.training.optimise import losses
from napari_sem_sr.training.optimise.learner import Learner
from napari_sem_sr.training.optimise.memory import freed_memory_kept
from napari_sem_sr.training.optimise.precision import fabric_for, pick_precision
from napari_sem_sr.training.settings import TrainSettings

WARM_UP = 3
SIDE, IMAGES = 768, 4


def images() -> list[np.ndarray]:
    """Textured 8-bit images; their content does not matter for speed."""
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (SIDE, SIDE), np.uint8) for _ in range(IMAGES)]


class Patches(Dataset):
    """Patches cut, turned and averaged in numpy."""

    def __init__(self, pictures: list[np.ndarray], factor: int, patch: int, length: int) -> None:
        self.pictures, self.factor, self.patch, self.length = pictures, factor, patch, length
        self.rng = np.random.default_rng(0)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        picture = self.pictures[self.rng.integers(len(self.pictures))]
        y, x = self.rng.integers(0, SIDE - self.patch, 2)
        hr = picture[y : y + self.patch, x : x + self.patch].astype(np.float32) / 255
        hr = np.rot90(hr, self.rng.integers(4))
        hr = np.ascontiguousarray(hr[::-1] if self.rng.integers(2) else hr)
        n, f = self.patch // self.factor, self.factor
        lr = hr.reshape(n, f, n, f).mean(axis=(1, 3))
        return torch.from_numpy(lr)[None], torch.from_numpy(hr)[None]


def plain_feature_loss(sr: list[torch.Tensor], hr: list[torch.Tensor]) -> torch.Tensor:
    """What `losses.feature_loss` computes, as one writes it first."""
    found = [
        F.l1_loss(a, b.detach()) / (b.detach().abs().mean() + 1e-6)
        for a, b in zip(sr, hr, strict=True)
    ]
    return torch.stack(found).mean()


def plain(settings: TrainSettings, stage: str, device: torch.device) -> Callable[[int], None]:
    """The plain loop of one stage."""
    a = settings.architecture
    network = Generator(settings.factor, a.channels, a.blocks, a.tail_channels).to(device)
    judge = Discriminator().to(device)
    adam = torch.optim.Adam(network.parameters(), lr=1e-4)
    judge_adam = torch.optim.Adam(judge.parameters(), lr=1e-4)
    batch = settings.gan_batch if stage == "gan" else settings.batch
    patch = settings.patch_lr_px * settings.factor

    def run(steps: int) -> None:
        loader = DataLoader(
            Patches(images(), settings.factor, patch, steps * batch), batch_size=batch
        )
        for cut in loader:
            lr, hr = (part.to(device) for part in cut)
            sr = network(lr)
            total = losses.pixel_loss(sr, hr)
            if stage == "gan":
                logits_hr, features_hr = judge(hr)
                judged = losses.discriminator_loss(logits_hr, judge(sr.detach())[0])
                judge_adam.zero_grad()
                judged.backward()
                judge_adam.step()
                logits_sr, features_sr = judge(sr)
                w = settings.weights
                total = (
                    total
                    + w.adversarial * losses.adversarial_loss(logits_sr)
                    + w.feature * plain_feature_loss(features_sr, features_hr)
                    + w.spectrum * losses.spectrum_loss(sr, hr, settings.factor)
                )
            adam.zero_grad()
            total.backward()
            adam.step()

    return run


def ours(settings: TrainSettings, stage: str, device: torch.device) -> Callable[[int], None]:
    """The learner of this package in the same stage."""
    fabric = fabric_for(device, 1, pick_precision(settings.precision, device))
    learner = Learner(settings, fabric)
    teachers = [Teacher(image, f"{n}", f"{n}") for n, image in enumerate(images())]
    sampler = PatchSampler(teachers, settings.factor, settings.patch_lr_px, device)
    if stage == "gan":
        learner.begin_gan(learner.averaged_weights())

    def run(steps: int) -> None:
        with freed_memory_kept():
            for _ in range(steps):
                learner.advance(sampler, 0.5)

    return run


LOOPS = {"plain": plain, "ours": ours}


def work(
    name: str, settings: TrainSettings, stage: str, cpu_time: bool, threads: int, orders: Any
) -> None:
    """Run one loop in a process of its own: so many steps at each order, answered by the seconds they took."""
    torch.set_num_threads(threads)
    device = pick_device(settings.device)
    clock = time.process_time if cpu_time else time.perf_counter
    run = LOOPS[name](settings, stage, device)
    run(WARM_UP)
    while steps := orders.recv():
        began = clock()
        run(steps)
        if device.type == "cuda":
            torch.cuda.synchronize()
        orders.send(clock() - began)


def compare(
    settings: TrainSettings, stage: str, steps: int, rounds: int, *, cpu_time: bool = False
) -> dict[str, Any]:
    """HR pixels per second of both, and their ratio."""
    times: dict[str, list[float]] = {name: [] for name in LOOPS}
    lines = {}
    context = multiprocessing.get_context("spawn")
    for name in LOOPS:
        lines[name], far = context.Pipe()
        wanted = (name, settings, stage, cpu_time, torch.get_num_threads(), far)
        context.Process(target=work, args=wanted, daemon=True).start()
    for _ in range(rounds):
        for name, line in lines.items():
            line.send(steps)
            times[name].append(line.recv() / steps)
    for line in lines.values():
        line.send(0)
    step = {name: statistics.median(found) for name, found in times.items()}
    batch = settings.gan_batch if stage == "gan" else settings.batch
    pixels = batch * (settings.patch_lr_px * settings.factor) ** 2
    return {
        "stage": stage,
        "seconds_per_step": {name: round(value, 4) for name, value in step.items()},
        "hr_megapixels_per_second": {n: round(pixels / v / 1e6, 3) for n, v in step.items()},
        "ratio": round(step["plain"] / step["ours"], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--cpu-time", action="store_true", help="count the processor's time")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    settings = TrainSettings(
        epochs=1,
        device=arguments.device,
        precision=arguments.precision,
        architecture=Architecture(channels=arguments.channels, blocks=8, tail_channels=24),
    )
    device = pick_device(arguments.device)
    found = {
        "device": device.type,
        "precision": pick_precision(arguments.precision, device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "stages": [
            compare(settings, stage, arguments.steps, arguments.rounds, cpu_time=arguments.cpu_time)
            for stage in ("twin", "gan")
        ],
    }
    print(json.dumps(found, indent=1))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
