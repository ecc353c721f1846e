"""Let every call that puts something on disk fail, or be the last, while an output is written; and let two write one.

    PYTHONPATH=. python benchmarks/robustness/writers.py [--short] [--scenes ...] [--kinds ...] [--races 200] [--seed 0]

For OME-Zarr and TIFF, begun, resumed and overwritten: each call of fsync, rename, mkdir and unlink fails once and is once the
process's last, and no file may grow beyond some sizes. After each the run is repeated without the fault. It has to hold that
what was there before an overwriting run is there or the new one is, whole; that nothing that says it is complete lacks a
slice; that a failure is one sentence; and that the repeated run ends with the same bytes as one that nothing disturbed and
leaves nothing else behind. Each case is one line on stderr.

A race: two processes upscale into one output at the same time, and in every other one of both is killed somewhere. It has to hold
that the second is told who the first is, and the same as above. Prints one JSON document; its ``failures`` have to be empty.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import dask
import torch
from benchmarks.robustness.processes import CALLS, Child, Fault, Outcome, count_calls
from tests.inference.specimens import files, model, stack

from napari_sem_sr.events import SliceDone
from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale, upscale
from napari_sem_sr.io.zarr_layout import shortcoming

NEW = UpscaleSettings(device="cpu", precision="fp32", tile=64)
OLD = replace(NEW, sharpness=0.0)
# Two levels of SR, in little time.
LR = stack(3, (12, 136))
MODEL = model()
NAMES = ("sr.zarr", "sr.tif")
# Of the largest file: where writing ends.
SHARES = (0.0, 0.1, 0.5, 0.9, 0.999)


def begin(folder: Path, name: str) -> None:
    """Nothing is there."""


def unfinished(folder: Path, name: str) -> None:
    """Leave one slice done."""
    work = iter_upscale(LR, folder / name, MODEL, NEW)
    while not isinstance(next(work), SliceDone):
        pass
    work.close()


def finished(folder: Path, name: str) -> None:
    """Leave another output, finished."""
    upscale(LR, folder / name, MODEL, OLD)


def resume(folder: Path, name: str) -> None:
    upscale(LR, folder / name, MODEL, NEW, resume=True)


def overwrite(folder: Path, name: str) -> None:
    upscale(LR, folder / name, MODEL, NEW, overwrite=True)


SHORT = ("zarr resumed", "tif overwritten")
SCENES: dict[str, tuple[Callable[[Path, str], None], Callable[[Path, str], None]]] = {
    "begun": (begin, resume),
    "resumed": (unfinished, resume),
    "overwritten": (finished, overwrite),
}


def in_child(work: Callable[[Path, str], None], folder: Path, name: str) -> Outcome:
    return Child(lambda: work(folder, name)).outcome()


def trouble_of(outcome: Outcome, folder: Path, name: str, whole: list[dict[str, bytes]]) -> str:
    """What is wrong after a run; ``whole``: what may lie under the name, all of it empty for "anything unfinished"."""
    if outcome.end == "wrong":
        return outcome.said
    output = folder / name
    if whole and files(output) not in whole:
        return "neither the old nor the new output is there, whole"
    if output.suffix == ".zarr" and output.exists():
        said = json.loads((output / "zarr.json").read_text())["attributes"]["napari_sem_sr"]
        if said["complete"] and shortcoming(output):
            return shortcoming(output)
    return ""


def ended(
    folder: Path, name: str, work: Callable[[Path, str], None], expected: dict[str, bytes]
) -> str:
    """What is wrong after the run is repeated without a fault."""
    outcome = in_child(work, folder, name)
    if outcome.end != "done":
        return f"the repeated run ended: {outcome.said}"
    there = sorted(path.name for path in folder.iterdir())
    if there != [name]:
        return f"left behind: {there}"
    return "" if files(folder / name) == expected else "other bytes than undisturbed"


def faults_for(
    work: Callable[[], object], largest: int, kinds: Sequence[str], *, short: bool
) -> list[Fault]:
    """Every fault of some kinds that can happen to ``work``; with ``short`` one of each kind."""
    found = []
    for kind in (kind for kind in CALLS if kind in kinds):
        calls = range(count_calls(work, kind))
        picked = calls[len(calls) // 2 :][:1] if short else calls
        found += [Fault(kind, at, kill) for at in picked for kill in (False, True)]
    if "write" not in kinds:
        return found
    sizes = sorted({int(share * largest) for share in (SHARES[2:3] if short else SHARES)})
    return found + [Fault("write", at, kill) for at in sizes for kill in (False, True)]


def inject(
    root: Path, scenes: Sequence[str], kinds: Sequence[str], *, short: bool
) -> tuple[dict[str, Counter[str]], list[str]]:
    """Counts of ends by scene and kind of fault, and failures."""
    counts: dict[str, Counter[str]] = {}
    failures = []
    for name in NAMES:
        (root / "new" / name).mkdir(parents=True)
        (root / "old" / name).mkdir(parents=True)
        for settings, kind in ((NEW, "new"), (OLD, "old")):
            upscale(LR, root / kind / name / name, MODEL, settings)
        new, old = files(root / "new" / name / name), files(root / "old" / name / name)
        for scene, (prepare, work) in SCENES.items():
            if f"{name[3:]} {scene}" not in scenes:
                continue
            start = root / f"{scene} {name}"
            start.mkdir()
            prepare(start, name)
            place = root / "case"

            def fresh(start: Path = start, place: Path = place) -> Path:
                shutil.rmtree(place, ignore_errors=True)
                shutil.copytree(start, place)
                return place

            largest = max(map(len, new.values()))
            trial = lambda work=work, name=name: work(fresh(), name)  # noqa: E731
            for fault in faults_for(trial, largest, kinds, short=short):
                folder = fresh()
                outcome = Child(lambda w=work, f=folder, n=name: w(f, n), fault).outcome()
                key = f"{name.rpartition('.')[2]} {scene}, {fault.kind}"
                counts.setdefault(key, Counter())[outcome.end] += 1
                whole = [old, new] if scene == "overwritten" else []
                trouble = trouble_of(outcome, folder, name, whole) or ended(folder, name, work, new)
                print(f"{key}: {fault}: {outcome.end} {trouble}", file=sys.stderr, flush=True)
                if trouble:
                    failures.append(f"{key}, {fault}: {trouble}")
    return counts, failures


def race(root: Path, races: int, seed: int) -> tuple[dict[str, int], list[str]]:
    """Two writers of one output at a time."""
    dice = random.Random(seed)
    counts: Counter[str] = Counter()
    failures = []
    new = {name: files(root / "new" / name / name) for name in NAMES}
    for case in range(races):
        name = NAMES[case % 2]
        folder = root / "race"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        begun = time.perf_counter()
        writers = [Child(lambda f=folder, n=name: resume(f, n)) for _ in range(2)]
        if case % 4 < 2:
            time.sleep(dice.random() * 0.4)
            dice.choice(writers).kill()
        outcomes = [writer.outcome() for writer in writers]
        ends = " and ".join(sorted(o.end for o in outcomes))
        print(f"race {case}: {ends}", file=sys.stderr, flush=True)
        counts[ends] += 1
        for outcome, other in zip(outcomes, reversed(writers), strict=True):
            trouble = trouble_of(outcome, folder, name, [])
            if outcome.end == "told" and f"process {other.pid} " not in outcome.said:
                trouble = f"not told who has it: {outcome.said}"
            if outcome.end == "done" and files(folder / name) != new[name]:
                trouble = "said to be done, and is not"
            if trouble:
                failures.append(f"race {case} ({time.perf_counter() - begun:.1f} s): {trouble}")
        if trouble := ended(folder, name, resume, new[name]):
            failures.append(f"race {case}, resumed: {trouble}")
    return dict(counts), failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="a fault of each kind, in two scenes")
    every = [f"{name[3:]} {scene}" for name in NAMES for scene in SCENES]
    parser.add_argument("--scenes", nargs="*", choices=every, help="only these")
    all_kinds = [*CALLS, "write"]
    parser.add_argument("--kinds", nargs="*", choices=all_kinds, default=all_kinds)
    parser.add_argument("--races", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary, dask.config.set(scheduler="synchronous"):
        root = Path(temporary)
        begun = time.perf_counter()
        scenes = SHORT if options.short else every
        counts, failures = inject(
            root,
            scenes if options.scenes is None else options.scenes,
            options.kinds,
            short=options.short,
        )
        races, lost = race(root, options.races, options.seed)
        print(
            json.dumps(
                {
                    "faults": counts,
                    "cases": sum(c.total() for c in counts.values()),
                    "races": races,
                    "seconds": round(time.perf_counter() - begun),
                    "failures": failures + lost,
                },
                indent=1,
            )
        )


if __name__ == "__main__":
    main()
