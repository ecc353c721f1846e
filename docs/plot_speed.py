"""Draw docs/images/speed.png from docs/measurements/speed.json."""

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

DOCS = Path(__file__).resolve().parent


def main() -> None:
    known = json.loads((DOCS / "measurements" / "speed.json").read_text())
    slices = known["slices"]
    figure, axes = plt.subplots(1, len(slices) + 1, figsize=(12, 3.6), layout="constrained")
    for axis, (side, measured) in zip(axes, slices.items(), strict=False):
        others = (known["other_runtimes"] or {}).get(side, {"seconds": {}})["seconds"]
        seconds = others | measured["seconds"]
        if theirs := known.get("pssr_predict", {}).get("slices", {}).get(side):
            seconds["PSSR2, its own network"] = theirs["seconds"]
        names = sorted(seconds, key=lambda name: -seconds[name])
        colours = ["#c98a00" if name == "engine" else "#8a8d93" for name in names]
        bars = axis.barh(names, [seconds[name] for name in names], color=colours)
        axis.bar_label(bars, fmt="%.2f s", padding=3, fontsize=8)
        axis.margins(x=0.2)
        axis.set_xlabel(f"seconds per slice of {side} × {side} LR px")
        axis.tick_params(labelsize=8)
    axes[-1].plot(known["stack"]["seconds_per_slice"], color="#4a9eda")
    axes[-1].set_ylim(bottom=0)
    axes[-1].set_xlabel("slice of the stack")
    axes[-1].set_ylabel(f"seconds ({known['stack']['slice_px']} px)")
    machine = known["machine"]
    figure.suptitle(
        f"{machine['cpu']}, {machine['threads']} threads, {known['precision']}", fontsize=10
    )
    figure.savefig(DOCS / "images" / "speed.png", dpi=120)


if __name__ == "__main__":
    main()
