"""Train a bundled model that knows noise and blur, from one that knows averaged LR; then assemble_conditioned.py.

    python benchmarks/train_conditioned.py sem-x4 --data ../shared/data --stage twin --minutes 60 --out runs/sem-x4
    python benchmarks/train_conditioned.py sem-x4 --data ../shared/data --stage gan --minutes 40 --out runs/sem-x4

Each patch gets blur, noise and a range of its own, and the networks are told them (`model.conditioning`). At x4 a part of
the patches are real: fast and slow scans of tin, fields 3 to 29, with the conditions measured on the fast ones. Weights start from
those of the bundled model of that name; the SRGAN from the new twin with what the old SRGAN had learned beyond the old
twin added to it (task arithmetic, Ilharco et al. 2023). Specimens held out are those of train_zoo.py. ``--resume`` goes on,
``--start`` begins from weights of an earlier run, ``--without tin`` leaves a material out, to see how well others generalise to it.
"""

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tin_pairs import FACTOR as PAIRED_FACTOR
from tin_pairs import read_pair
from torch import Tensor, nn
from train_zoo import split_of

from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.degradation.noise_measurement import measure_noise
from napari_sem_sr.intensity import range_of, stack_range
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.conditioning import PREFIX, Modulation, convolutions
from napari_sem_sr.model.discriminator import Discriminator
from napari_sem_sr.model.generator import RESIDUAL_SCALE, Generator, ResidualBlock, bicubic
from napari_sem_sr.model.subpixel import unshuffled
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher, without_databar
from napari_sem_sr.training.optimise import losses

# What is drawn, at mid range and in LR pixels: written on the card as the range that the model knows.
MOST_NOISE, MOST_BLUR, MOST_CORRELATION = 0.24, 0.9, 0.5
# Parts of the patches without blur, and with noise that is white or the same at every grey.
SHARP, WHITE, EVEN = 0.45, 0.5, 0.5
# Noise that a teacher leaves in LR itself is told in half of the patches, up to this part of the range: what a person's
# stack is measured to have includes it.
OWN_TOLD, MOST_OWN = 0.5, 0.03
# Part of the patches that are pairs of real scans where those are among the teachers.
PAIRED = 0.12
# What is measured is never quite right.
TOLD_SPREAD = 0.08
FULL_CONTENT, EMPTY_CONTENT = 0.05, 0.05
DECAY, WARM_UP, FINAL_RATE, MAX_NORM = 0.999, 100, 0.01, 1.0
DISCRIMINATOR_RATE = 4e-4
ADVERSARIAL, FEATURE, SPECTRUM = 1e-2, 3e-2, 5e-3
SECONDS_BETWEEN_CHECKPOINTS = 240.0


class Conditioned(nn.Module):
    """A generator whose features are scaled and shifted by the conditions of each patch."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        a = model.card.architecture
        self.factor = model.card.factor
        self.plain = Generator(self.factor, a.channels, a.blocks, a.tail_channels)
        self.modulation = Modulation([c.out_channels for c in convolutions(self.plain)])

    def forward(self, x: Tensor, conditions: Tensor) -> Tensor:
        """Map (N, 1, H, W) and (N, 4) to (N, 1, fH, fW)."""
        changes = iter(self.modulation(conditions))

        def changed(layer: nn.Module, features: Tensor) -> Tensor:
            scale, shift = next(changes)
            return torch.addcmul(
                shift[:, :, None, None], layer(features), 1 + scale[:, :, None, None]
            )

        g = self.plain
        first = features = changed(g.head, x)
        for part in g.body:
            if isinstance(part, ResidualBlock):
                inner = F.relu(changed(part.first, features))
                features = features + RESIDUAL_SCALE * changed(part.second, inner)
            else:
                features = changed(part, features)
        features = first + features
        *before, widest, shuffle, activation = g.upscale
        for layer in before:
            features = changed(layer, features) if isinstance(layer, nn.Conv2d) else layer(features)
        features = activation(changed(widest, features))
        step = shuffle.upscale_factor
        weight = unshuffled(g.tail.weight, step).flatten(1, 3)
        detail = F.conv2d(
            features, weight, g.tail.bias.expand(step**2), padding=weight.shape[-1] // 2
        )
        return bicubic(x, self.factor) + F.pixel_shuffle(detail, step)

    def weights(self) -> dict[str, Tensor]:
        """As in a bundle."""
        told = {PREFIX + k: v for k, v in self.modulation.state_dict().items()}
        return {k: v.contiguous() for k, v in {**self.plain.state_dict(), **told}.items()}

    def load(self, weights: dict[str, Tensor]) -> None:
        """Take weights of a bundle."""
        told = {k.removeprefix(PREFIX): v for k, v in weights.items() if k.startswith(PREFIX)}
        if told:
            self.modulation.load_state_dict(told)
        self.plain.load_state_dict(
            {k: v.float() for k, v in weights.items() if not k.startswith(PREFIX)}
        )


class Pairs:
    """Real LR and HR, in the range of the LR stack, and its conditions."""

    def __init__(self, teachers: list[Teacher], data: Path, side: int) -> None:
        self.side = side
        fields = [t.group.split("/")[1] for t in teachers if t.group.startswith("tin/")]
        pairs = [read_pair(data, name) for name in fields]
        stack = SemStack.from_array(np.stack([p.lr for p in pairs]), name="tin, fast scan")
        self.within = stack_range(stack)
        found = measure_conditions(stack, self.within).conditions
        self.conditions = (found.noise_black, found.noise_white, found.line_correlation)
        self.blur = found.blur_px
        low, width = self.within.low, self.within.high - self.within.low
        self.lr, self.hr = (
            (torch.tensor(np.stack(images)).float() - low) / width
            for images in ([p.lr for p in pairs], [p.hr for p in pairs])
        )

    def cut(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """LR (s, s) and HR (fs, fs) of one place; only flips that keep the scan lines."""
        n, height, width = self.lr.shape
        number, y, x = (
            int(float(v) * most)
            for v, most in zip(u, (n, height - self.side + 1, width - self.side + 1), strict=False)
        )
        f, flips = PAIRED_FACTOR, [d for d in (0, 1) if u[3 + d] < 0.5]
        lr = self.lr[number, y : y + self.side, x : x + self.side]
        hr = self.hr[number, f * y : f * (y + self.side), f * x : f * (x + self.side)]
        return lr.flip(flips), hr.flip(flips)


class Patches:
    """Draws (LR, HR, conditions) with conditions of their own from whole teachers, and ``pairs`` as they are."""

    def __init__(
        self,
        teachers: list[Teacher],
        factor: int,
        side: int,
        pairs: Pairs | None,
        quiet: float,
        untold_blur: float,
    ) -> None:
        self.factor, self.side, self.pairs = factor, side, pairs
        self.quiet, self.untold_blur = quiet, untold_blur
        self.margin = math.ceil(3 * MOST_BLUR) * factor
        self.teachers, self.cells = [], []
        weights: list[float] = []
        materials: dict[str, list[int]] = {}
        patch = side * factor
        for number, teacher in enumerate(teachers):
            image = without_databar(teacher).image
            lr = area_average(image[tuple(slice(n - n % factor) for n in image.shape)], factor)
            within = range_of(lr)
            width = within.high - within.low
            noise = measure_noise([lr], within.low, within.high)
            own = math.sqrt(noise.black_variance) / width if noise else 0.0
            self.teachers.append((torch.tensor(image), within, min(own, MOST_OWN)))
            for y in range(0, image.shape[0] - patch + 1, patch):
                for x in range(0, image.shape[1] - patch + 1, patch):
                    part = lr[y // factor :, x // factor :][:side, :side]
                    content = min(1.0, float(part.std()) / width / FULL_CONTENT)
                    materials.setdefault(teacher.group.split("/")[0], []).append(len(weights))
                    weights.append(EMPTY_CONTENT + (1 - EMPTY_CONTENT) * content)
                    self.cells.append((number, y, x))
        self.weights = torch.tensor(weights, dtype=torch.float64)
        for cells in materials.values():
            # materials count by the square root of their area, so that none drowns the others
            self.weights[cells] /= self.weights[cells].sum().sqrt()

    def draw(self, batch: int, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """LR (N, 1, s, s), HR (N, 1, fs, fs) and conditions (N, 4), in the range of the noisy LR."""
        f, margin = self.factor, self.margin
        picks = torch.multinomial(self.weights, batch, replacement=True, generator=random)
        u = torch.rand(batch, 16, generator=random)
        cut = [self._cut(int(pick), u[i, :3]) for i, pick in enumerate(picks)]
        hr = torch.stack([patch for patch, _, _ in cut])[:, None]
        own, width = (torch.tensor([c[k] for c in cut]) for k in (1, 2))
        none = torch.zeros(batch)
        blur = torch.where(u[:, 3] < SHARP, none, MOST_BLUR * u[:, 4])
        lr = F.avg_pool2d(_blurred(hr, f * blur, margin), f)
        lr = lr[..., margin // f : -(margin // f), margin // f : -(margin // f)]
        hr = hr[..., margin:-margin, margin:-margin]
        sd = torch.where(u[:, 5] < self.quiet, none, MOST_NOISE * u[:, 6] ** 1.6)
        slope = torch.where(u[:, 7] < EVEN, none, -0.15 + 1.15 * u[:, 8])
        black, white = sd**2 * (1 - slope), sd**2 * (1 + slope)
        correlation = torch.where(u[:, 9] < WHITE, none, MOST_CORRELATION * u[:, 10])
        noise = _noise(lr.shape, correlation, random)
        # 8 bits of a stack are rounded
        rounding = (torch.rand(lr.shape, generator=random) - 0.5) / _wide(width)
        variance = _wide(black) + _wide(white - black) * lr
        lr = lr + variance.clamp_min(0).sqrt() * noise + rounding
        told = torch.where(u[:, 11] < OWN_TOLD, own, none) ** 2
        spread = torch.exp(TOLD_SPREAD * torch.randn(batch, generator=random)) ** 2
        black, white = (black + told) * spread, (white + told) * spread
        if self.pairs:
            for i in (torch.rand(batch, generator=random) < PAIRED).nonzero()[:, 0].tolist():
                lr[i, 0], hr[i, 0] = self.pairs.cut(torch.rand(5, generator=random))
                n_black, n_white, correlation[i] = self.pairs.conditions
                black[i], white[i], sd[i] = (
                    n_black**2 * spread[i], n_white**2 * spread[i], n_black
                )  # fmt: skip
                blur[i] = self.pairs.blur
        # the range of a noisy stack is wider, and that of a stack is not that of one slice
        low = -3 * u[:, 12] * black.sqrt() - 0.08 * u[:, 13]
        high = 1 + 3 * u[:, 12] * white.sqrt() + 0.08 * u[:, 14]
        ends = [(black + (white - black) * end).clamp_min(0).sqrt() for end in (low, high)]
        span = high - low
        told_blur = torch.where(u[:, 15] < self.untold_blur, none, blur)
        conditions = torch.stack(
            [ends[0] / span, ends[1] / span, correlation * (sd > 0), told_blur], dim=1
        )
        lr, hr = ((image - _wide(low)) / _wide(span) for image in (lr, hr))
        return lr.contiguous(memory_format=torch.channels_last), hr, conditions

    def _cut(self, pick: int, where: Tensor) -> tuple[Tensor, float, float]:
        number, *start = self.cells[pick]
        image, within, own = self.teachers[number]
        patch = self.side * self.factor
        reach = torch.arange(-self.margin, patch + self.margin)
        y, x = (
            (reach + min(max(s + round((float(w) - 0.5) * patch), 0), n - patch)).clamp(0, n - 1)
            for s, w, n in zip(start, where, image.shape, strict=False)
        )
        grey = (image[y[:, None], x].float() - within.low) / (within.high - within.low)
        turn = int(where[2] * 8)
        grey = torch.rot90(grey, turn % 4, (0, 1))
        return grey.flip(0) if turn >= 4 else grey, own, within.high - within.low


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _blurred(images: Tensor, sigma: Tensor, reach: int) -> Tensor:
    """Gaussian of another width (HR px) for each image."""
    at = torch.arange(-reach, reach + 1).float()
    kernels = torch.exp(-(at**2) / (2 * sigma.clamp_min(0.05)[:, None] ** 2))
    kernels = kernels / kernels.sum(1, keepdim=True)
    side_by_side = images.transpose(0, 1)
    for pads, kernel in (
        ((reach, reach, 0, 0), kernels[:, None, None]),
        ((0, 0, reach, reach), kernels[:, None, :, None]),
    ):
        padded = F.pad(side_by_side, pads, mode="replicate")
        side_by_side = F.conv2d(padded, kernel, groups=len(images))
    return side_by_side.transpose(0, 1)


def _noise(shape: torch.Size, correlation: Tensor, random: torch.Generator) -> Tensor:
    """Unit noise, a moving average of order one along x."""
    safe = correlation.clamp_min(1e-3)
    share = torch.where(
        correlation > 1e-3, (1 - (1 - 4 * safe**2).clamp_min(0).sqrt()) / (2 * safe), 0.0
    )
    drawn = torch.randn(*shape[:-1], shape[-1] + 1, generator=random)
    share = _wide(share)
    return (drawn[..., 1:] + share * drawn[..., :-1]) / (1 + share**2).sqrt()


def rate(base: float, step: int, progress: float) -> float:
    """Linear warm-up, then a cosine."""
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return base * min(1.0, (step + 1) / WARM_UP) * (FINAL_RATE + (1 - FINAL_RATE) * fall)


class Trainer:
    """One stage."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.stage = arguments.stage
        self.out: Path = arguments.out
        self.rate = arguments.learning_rate or (4e-4 if self.stage == "twin" else 2e-4)
        self.batch = arguments.batch
        base = load_model(arguments.model)
        self.factor = base.card.factor
        teachers = [
            t
            for t in split_of(arguments.model, arguments.data).train
            if t.group.split("/")[0] not in arguments.without
        ]
        torch.manual_seed(arguments.seed)
        real = self.factor == PAIRED_FACTOR and any(t.group.startswith("tin/") for t in teachers)
        pairs = Pairs(teachers, arguments.data, arguments.patch) if real else None
        self.patches = Patches(
            teachers,
            self.factor,
            arguments.patch,
            pairs,
            arguments.quiet,
            arguments.untold_blur,
        )
        self.network = Conditioned(base)
        if self.stage == "twin":
            start = load_file(arguments.start) if arguments.start else dict(base.weights["twin"])
            self.network.load(start)
        else:
            self.network.load(load_file(arguments.start or self.out / "twin.safetensors"))
            if not arguments.start:
                self._add({
                    k: base.weights["gan"][k].float() - v.float()
                    for k, v in base.weights["twin"].items()
                })  # fmt: skip
        self.network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=self.rate, betas=(0.9, 0.99), fused=True
        )
        self.judge = Discriminator().to(memory_format=torch.channels_last)
        self.judge_optimizer = torch.optim.Adam(
            self.judge.parameters(), lr=DISCRIMINATOR_RATE, betas=(0.5, 0.99), fused=True
        )
        self.random = torch.Generator().manual_seed(arguments.seed + 1)
        self.step, self.seconds = 0, 0.0

    @torch.no_grad()
    def _add(self, change: dict[str, Tensor]) -> None:
        state = self.network.plain.state_dict()
        for name, value in change.items():
            if name in state:
                state[name].add_(value)

    def advance(self, progress: float) -> dict[str, float]:
        """One step; returns the losses."""
        lr, hr, conditions = self.patches.draw(self.batch, self.random)
        for group in self.optimizer.param_groups:
            group["lr"] = rate(self.rate, self.step, progress)
        sr = self.network(lr, conditions)
        found = {"pixel": losses.pixel_loss(sr, hr)}
        total = found["pixel"]
        self.optimizer.zero_grad()
        if self.stage == "gan":
            total = total + self._against_judge(sr, hr, progress, found)
        total.backward(inputs=list(self.network.parameters()))
        nn.utils.clip_grad_norm_(self.network.parameters(), MAX_NORM)
        self.optimizer.step()
        if self.stage == "gan":
            # only now, as the generator's gradients went through the judge as it was
            self.judge_optimizer.step()
        decay = min(DECAY, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
            for kept, new in pairs:
                kept.lerp_(new, 1 - decay)
        self.step += 1
        return {k: float(v) for k, v in found.items()}

    def _against_judge(
        self, sr: Tensor, hr: Tensor, progress: float, found: dict[str, Tensor]
    ) -> Tensor:
        for group in self.judge_optimizer.param_groups:
            group["lr"] = rate(DISCRIMINATOR_RATE, self.step, progress)
        logits_hr, features_hr = self.judge(hr)
        logits_sr, features_sr = self.judge(sr)
        found["judge"] = losses.discriminator_loss(logits_hr, logits_sr)
        found["adversarial"] = losses.adversarial_loss(logits_sr)
        found["feature"] = losses.feature_loss(features_sr, features_hr)
        found["spectrum"] = losses.spectrum_loss(sr, hr, self.factor)
        total = (
            ADVERSARIAL * found["adversarial"]
            + FEATURE * found["feature"]
            + SPECTRUM * found["spectrum"]
        )
        self.judge_optimizer.zero_grad()
        found["judge"].backward(inputs=list(self.judge.parameters()), retain_graph=True)
        nn.utils.clip_grad_norm_(self.judge.parameters(), MAX_NORM)
        return total

    def save(self) -> None:
        """Everything to go on from, and the averaged weights."""
        self.out.mkdir(parents=True, exist_ok=True)
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "judge": self.judge.state_dict(),
            "judge_optimizer": self.judge_optimizer.state_dict(),
            "random": self.random.get_state(),
            "step": self.step,
            "seconds": self.seconds,
        }
        path = self.out / f"{self.stage}.checkpoint"
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)
        save_file(self.average.weights(), self.out / f"{self.stage}.safetensors")
        if self.stage == "gan":
            judge = {k: v.contiguous() for k, v in self.judge.state_dict().items()}
            save_file(judge, self.out / "discriminator.safetensors")

    def resume(self) -> None:
        """Go on from the checkpoint that this stage left in the output folder."""
        # our own file of this very folder
        state = torch.load(self.out / f"{self.stage}.checkpoint", weights_only=True)
        for name in ("network", "average", "optimizer", "judge", "judge_optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.random.set_state(state["random"])
        self.step, self.seconds = state["step"], state["seconds"]


def main() -> None:
    """Train one stage and print how it goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="Name of the bundled model to start from.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--stage", choices=("twin", "gan"), required=True)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--start", type=Path, help="Weights (safetensors) of an earlier run.")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--without", nargs="*", default=[], help="Materials to leave out.")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--quiet", type=float, default=0.15, help="Part of patches without noise.")
    parser.add_argument(
        "--untold-blur",
        type=float,
        default=0.15,
        help="Part of blurred patches told of no blur: LR alone seldom shows it surely, and then the network has "
        "to see for itself. Too many, and it sharpens what is smooth.",
    )
    parser.add_argument("--patch", type=int, default=48, help="LR pixels")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    trainer = Trainer(arguments)
    if arguments.resume:
        trainer.resume()
    began = time.monotonic() - trainer.seconds
    saved = time.monotonic()
    shown: dict[str, float] = {}
    while (progress := trainer.seconds / (60 * arguments.minutes)) < 1:
        for name, value in trainer.advance(progress).items():
            shown[name] = 0.98 * shown.get(name, value) + 0.02 * value
        trainer.seconds = time.monotonic() - began
        if trainer.step % 50 == 0:
            said = ", ".join(f"{k} {v:.4f}" for k, v in shown.items())
            print(f"{trainer.stage} {trainer.step} {progress:.1%} {said}", flush=True)
        if time.monotonic() - saved > SECONDS_BETWEEN_CHECKPOINTS:
            trainer.save()
            saved = time.monotonic()
    trainer.save()


if __name__ == "__main__":
    main()
