"""Does SR of a coarse scan bring the fraction of myelin and the g-ratio of axons closer to the drawn masks than bicubic does?

Fields of rat spinal cord with masks drawn by hand (`nerve`), cut to their middle, averaged 4 x 4 to LR, upscaled by a bundled model that never saw such material.
Myelin is what Otsu's threshold says in each picture by itself, dark or bright as in the mask. The g-ratio of an axon of the mask that lies wholly in
the field is the root of lumen over lumen and myelin, counted within its own territory (the axon and its myelin, grown by 3 pixels). HR by the same
threshold is listed as well: what it misses is the threshold's fault and not the resolution's.

    python benchmarks/measure_nerve.py --data DATA --out docs/measurements/measure_nerve.json [--model sem-x4]
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter, label
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

from napari_sem_sr import load_model
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bicubic import upscale_bicubic

SIDE, FACTOR = 384, 4
SMALLEST_PX = 150
LABELS = ("bicubic", "twin", "SR", "HR")


def field(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """HR, axons and myelin of the middle of a field."""
    hr = np.asarray(Image.open(path).convert("L"))
    mask = np.asarray(
        Image.open(path.with_name(f"{path.stem}_seg-axonmyelin-manual.png")).convert("L")
    )
    sides = [min(SIDE, n // FACTOR * FACTOR) for n in hr.shape]
    window = tuple(np.s_[(n - m) // 2 : (n + m) // 2] for n, m in zip(hr.shape, sides, strict=True))
    # grey levels of the masks: 0, myelin, axon
    return hr[window], mask[window] > 190, (mask[window] > 60) & (mask[window] <= 190)


def myelin_of(picture: np.ndarray, bright: bool) -> np.ndarray:
    """Myelin by Otsu's threshold after the blur that volumes get."""
    smooth = gaussian_filter(picture.astype(np.float32), 1.0)
    level = threshold_otsu(smooth)
    return smooth > level if bright else smooth <= level


def g_ratios(axons: np.ndarray, territory: np.ndarray, myelin: np.ndarray) -> dict[int, float]:
    """g-ratio of each axon by its number, of this myelin."""
    found = {}
    for number in range(1, axons.max() + 1):
        own = binary_dilation(territory == number, iterations=3)
        lumen = own & ~myelin & binary_dilation(axons == number, iterations=3)
        ring = own & myelin
        if ring.any() and lumen.any():
            found[number] = float(np.sqrt(lumen.sum() / (lumen.sum() + ring.sum())))
    return found


def main() -> None:
    """Measure every field."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="sem-x4")
    asked = parser.parse_args()
    model = load_model(asked.model)
    results = []
    for path in sorted((asked.data / "nerve").glob("*_SEM.png")):
        hr, axon, myelin = field(path)
        bright = hr[myelin].mean() > hr[~myelin].mean()
        lr = np.rint(area_average(hr, FACTOR)).astype(np.uint8)
        pictures = {
            "bicubic": upscale_bicubic(lr, FACTOR),
            "twin": model.upscale(lr, sharpness=0.0),
            "SR": model.upscale(lr),
            "HR": hr,
        }
        axons, count = label(axon)
        territory = watershed(distance_transform_edt(axons == 0), axons, mask=axon | myelin)
        inside = np.array(
            [n for n in range(1, count + 1) if _whole(territory == n, axons == n)], int
        )
        kept = np.where(np.isin(axons, inside), axons, 0)
        true = g_ratios(kept, np.where(np.isin(territory, inside), territory, 0), myelin)
        row = {
            "field": path.stem,
            "fraction": {"mask": float(myelin.mean())},
            "axons": len(true),
            "g_error": {},
            "g": {"mask": float(np.mean(list(true.values())))},
        }
        for name in LABELS:
            own = myelin_of(np.asarray(pictures[name]), bool(bright))
            row["fraction"][name] = float(own.mean())
            g = g_ratios(kept, territory, own)
            both = sorted(set(g) & set(true))
            row["g"][name] = float(np.mean([g[n] for n in both]))
            row["g_error"][name] = float(np.mean([abs(g[n] - true[n]) for n in both]))
        results.append(row)
        print(json.dumps(row), flush=True)
        asked.out.write_text(
            json.dumps({"model": asked.model, "results": results}, indent=1) + "\n"
        )


def _whole(territory: np.ndarray, axon: np.ndarray) -> bool:
    border = np.concatenate([territory[0], territory[-1], territory[:, 0], territory[:, -1]])
    return bool(axon.sum() >= SMALLEST_PX and not border.any())


if __name__ == "__main__":
    main()
