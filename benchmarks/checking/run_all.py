"""All measurements of the answer checks, and the one table in the docs.

    python benchmarks/checking/run_all.py sem-x4 --data ../shared/data

Every part keeps its figures in docs/measurements/checking/PART.json; the table is made of all that are there. Parts can
be run one at a time (``--only planted``), or small to see that they work (``--quick``, whose figures go to another folder).
What the figures mean is written by hand in docs/measurements/checking/meaning.md, which ends the page. The models of the
mismatch study are trained once and kept in the folder of ``--study``.
"""

import argparse
import json
import time
from importlib import import_module
from pathlib import Path

from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.zoo import load_model

PARTS = (
    "expected_gain",
    "planted",
    "trust_mask",
    "domain_alarm",
    "specialised_alarm",
    "localisation",
    "persistence",
    "mismatch",
    "resolving",
    "long_stack",
)
MEANING = "meaning.md"
HEAD = """# Measurements of the answer checks

Made with `python benchmarks/checking/run_all.py {model} --data DATA{quick} --study FOLDER` ({model} {hash}); the figures behind every
row are in docs/measurements/checking. Images are of specimens that the model was not trained on, or simulated; LR is made by averaging
4 × 4 pixels. Intervals are Clopper-Pearson, 95 %. Rows that miss their target are left as they are.{note}

| what | target | measured | n |
| --- | --- | --- | --- |
"""


def table(folder: Path, model: Model, quick: bool) -> str:
    """The page, from what the parts have kept."""
    note = " **This is a small run: intervals are wide, few images, few draws.**" if quick else ""
    lines = [
        HEAD.format(
            model=model.card.name,
            hash=model.content_hash.split(":")[-1][:12],
            quick=" --quick" if quick else "",
            note=note,
        )
    ]
    for part in PARTS:
        path = folder / f"{part}.json"
        if path.exists():
            for r in json.loads(path.read_text())["rows"]:
                lines.append(f"| {r['what']} | {r['target']} | {r['measured']} | {r['n']} |\n")
    meaning = folder / MEANING
    if meaning.exists():
        lines.append("\n" + meaning.read_text())
    return "".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    parser.add_argument("--only", choices=PARTS, nargs="*", default=PARTS)
    parser.add_argument("--study", type=Path, default=Path("mismatch-study"))
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    docs = arguments.docs / "quick" if arguments.quick else arguments.docs
    folder = docs / "measurements" / "checking"
    folder.mkdir(parents=True, exist_ok=True)
    for part in arguments.only:
        start = time.perf_counter()
        more = {"study": arguments.study} if part == "mismatch" else {}
        import_module(part).run(model, arguments.data, folder, arguments.quick, **more)
        print(f"{part}: {time.perf_counter() - start:.0f} s", flush=True)
    page = docs / "measurements-checking.md"
    page.write_text(table(folder, model, arguments.quick))
    print(page.read_text())


if __name__ == "__main__":
    main()
