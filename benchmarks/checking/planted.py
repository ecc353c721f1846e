"""Plant discs into SR images and count how often they are among the ten worst places of the slice.

    python benchmarks/checking/planted.py MODEL IMAGE... [--per-image N] [--noise SD]

Each image is degraded by area averaging, with and without noise, and upscaled by the model's GAN. The signal of a
disc is its contrast times the square root of its area in LR pixels, over the standard deviation of the
residual it is planted in. Prints one JSON document: hit rate by signal, and what a clean image gets.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from napari_sem_sr.checking import consistency
from napari_sem_sr.checking.regions import suspect_regions
from napari_sem_sr.checking.yardsticks import measure, residual_suspicion
from napari_sem_sr.inference.engine import Engine
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.io import read_stack
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.pairing.degradation import degrade_stack, trim_to_multiple
from napari_sem_sr.stack import SemStack

FIELD_PX = 512
RADII_PX = (2, 3, 5, 8, 12)
SIGNAL = ((0, 6), (6, 9), (9, 12), (12, 16), (16, 20), (20, np.inf))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("images", nargs="+", type=Path)
    parser.add_argument("--per-image", type=int, default=70)
    parser.add_argument("--noise", type=float, default=4.0)
    options = parser.parse_args()
    model = load_model(options.model)
    f = model.card.factor
    engine = Engine(model.network("gan"))
    rng = np.random.default_rng(0)
    found: list[tuple[float, bool]] = []
    clean: list[list[float]] = []
    for path in options.images:
        hr = read_stack(path)
        size = tuple((0, min(FIELD_PX, n)) for n in hr.shape[1:])
        hr = trim_to_multiple(hr.cropped((0, 1), (size[0], size[1])), f)
        plain = degrade_stack(hr, f).slice(0)
        for noise in (0.0, options.noise):
            top = np.iinfo(plain.dtype).max
            lr = np.rint(plain + rng.normal(0, noise, plain.shape)).clip(0, top).astype(plain.dtype)
            intensity = stack_range(SemStack.from_array(lr, "LR"))
            sr = engine.upscale_slice(lr, intensity, lr.dtype).image
            residual = consistency.residual(sr, lr, f)
            usual = measure([residual], [lr], [], consistency.ROUNDING**0.5 / f).residual

            def places(image, lr=lr, usual=usual):
                bright, dark = residual_suspicion(consistency.residual(image, lr, f), lr, usual)
                return suspect_regions({"bright": bright, "dark": dark}, f)[:10]

            clean.append([r.score for r in places(sr)])
            yy, xx = np.indices(sr.shape)
            for _ in range(options.per_image):
                radius = rng.choice(RADII_PX)
                cy, cx = (rng.integers(20, n - 20) for n in sr.shape)
                disc = np.hypot(yy - cy, xx - cx) < radius
                area = np.sqrt(disc.sum() / f**2)
                contrast = max(2, round(rng.uniform(4, 20) * residual.std() / area))
                fake = np.clip(sr + float(contrast * rng.choice([-1, 1])) * disc, 0, top).astype(
                    sr.dtype
                )
                signal = np.abs(fake[disc] - sr[disc].astype(float)).mean() * area / residual.std()
                hit = any(
                    disc[r.y : r.y + r.height, r.x : r.x + r.width].any() for r in places(fake)
                )
                found.append((float(signal), hit))
    signals, hits = (np.array(v) for v in zip(*found, strict=True))
    table = []
    for low, high in SIGNAL:
        inside = (signals >= low) & (signals < high)
        rate = float(hits[inside].mean()) if inside.any() else None
        table.append(
            {"signal": [low, None if np.isinf(high) else high], "n": int(inside.sum()), "hit": rate}
        )
    counts = [len(scores) for scores in clean]
    print(
        json.dumps(
            {
                "planted": table,
                "clean": {"places": counts, "worst": [max(s, default=0) for s in clean]},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
