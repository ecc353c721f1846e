"""Draw noise and blur as measured in LR alone against the true ones, from the figures of benchmarks/noise_table.py.

python docs/plot_conditions.py docs/measurements/noise-sem-x4.json docs/images/conditions.png
"""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np


def main() -> None:
    source, out = map(Path, sys.argv[1:3])
    rows = json.loads(source.read_text())["images"]
    materials = list(dict.fromkeys(r["group"].split("/")[0] for r in rows))
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
    random = np.random.default_rng(0)
    for number, material in enumerate(materials):
        own = [r for r in rows if r["group"].startswith(material)]
        colour = f"C{number}"
        for axis, pick, key in (
            (axes[0], lambda r: r["cell"][2] == 0, "noise_grey"),
            (axes[1], lambda r: r["cell"][0] >= 5, "line_correlation"),
            (axes[2], lambda r: r["cell"][0] <= 5, "blur_px"),
        ):
            place = {"noise_grey": 0, "line_correlation": 1, "blur_px": 2}[key]
            shown = [r for r in own if pick(r)]
            x = np.array([r["cell"][place] for r in shown], float)
            spread = {"noise_grey": 0.25, "line_correlation": 0.008, "blur_px": 0.01}[key]
            axis.scatter(
                x + spread * random.standard_normal(len(x)),
                [r["measured"][key] for r in shown],
                s=14,
                color=colour,
                alpha=0.8,
                label=material,
            )
    for axis, label, most in (
        (axes[0], "noise, grey levels of 255", 22),
        (axes[1], "correlation along the line", 0.52),
        (axes[2], "blur, LR pixels", 0.75),
    ):
        axis.plot([0, most], [0, most], color="0.6", lw=1, zorder=0)
        axis.set_xlabel(f"true {label}")
        axis.set_ylabel("measured in LR alone")
    axes[0].legend(fontsize=7)
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    main()
