"""Damage files of every format and read them: no crash, no hang, no memory blow-up, always a sentence.

    PYTHONPATH=. python benchmarks/fuzz_readers.py [--cases 10000] [--zarr-cases 1000] [--seed 0]

Uses the damage of tests/io/read/damage.py, also on the files of an OME-Zarr and on headers of raw files that a person types. Prints one JSON document: how many cases of each kind were read and refused, the slowest in
seconds of processor time, the peak of resident memory, and every case that failed.
"""

import argparse
import json
import resource
import shutil
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from tests.io.read.damage import bombs, damaged, write_all

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import ZarrStackWriter, read_stack
from napari_sem_sr.stack import SemStack

RAW_HEADER = b"1,40,50,uint8,0"


def write_zarr(path: Path, *, ours: bool) -> None:
    """Write a small OME-Zarr: a finished output of ours, or one of another program."""
    pixels = np.random.default_rng(0).integers(0, 255, (2, 40, 50), np.uint8)
    like = SemStack.from_array(pixels, "a", voxel_nm=(10.0, 5.0, 5.0))
    writer = ZarrStackWriter.create(path, like=like, provenance={"model": "none"})
    for z, image in enumerate(pixels):
        writer.write_slice(z, image)
    writer.finish()
    if not ours:
        said = json.loads((path / "zarr.json").read_text())
        del said["attributes"]["napari_sem_sr"]
        (path / "zarr.json").write_text(json.dumps(said))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--zarr-cases", type=int, default=1000, help="and as many raw headers")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    random = np.random.default_rng(options.seed)
    failures: list[dict[str, str]] = []
    slowest = {"seconds": 0.0, "name": ""}
    by_kind: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = write_all(folder / "whole")
        # what others take pixels from stays as it is
        for name in ("a.h5", "a.raw"):
            (folder / name).write_bytes(files[name])
        kinds = sorted(set(files) - {"a.raw"})

        def attempt(name: str, content: bytes) -> None:
            path = folder / name
            path.write_bytes(content)
            look(name, path.suffix, path)

        def look(name: str, kind: str, source: Path | str) -> None:
            start = time.process_time()
            try:
                stack = read_stack(source)
                stack.slice(stack.shape[0] - 1)
                became = "read"
            except InputError as error:
                became = "refused"
                if "\n" in str(error):
                    failures.append({"name": name, "error": "more than one line"})
            except Exception as error:
                became = "failed"
                failures.append({"name": name, "error": repr(error)})
            by_kind.setdefault(kind, {"read": 0, "refused": 0, "failed": 0})[became] += 1
            seconds = time.process_time() - start
            if seconds > slowest["seconds"]:
                slowest.update(seconds=round(seconds, 3), name=name)

        for case in range(options.cases):
            kind = kinds[case % len(kinds)]
            attempt(f"case {kind}", damaged(files[kind], random))
        for name, content in bombs():
            attempt(name, content)
        for case in range(options.zarr_cases):
            # what a folder says of itself, in one of its files, or a shard of its pixels
            zarr = folder / "case.zarr"
            shutil.rmtree(zarr, ignore_errors=True)
            write_zarr(zarr, ours=case % 2 == 0)
            inside = [p for p in sorted(zarr.rglob("*")) if p.is_file()]
            chosen = inside[int(random.integers(len(inside)))]
            chosen.write_bytes(damaged(chosen.read_bytes(), random))
            look(f"{chosen.relative_to(folder)}, case {case}", ".zarr", zarr)
        for case in range(options.zarr_cases):
            header = damaged(RAW_HEADER, random).decode("latin-1").replace("/", ":")
            look(f"a.raw::{header!r}, case {case}", "raw header", f"{folder / 'a.raw'}::{header}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"kinds": by_kind, "slowest": slowest, "peak_mib": round(peak), "failures": failures},
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
