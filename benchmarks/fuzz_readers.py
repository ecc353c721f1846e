"""Damage files of every format and read them: no crash, no hang, no memory blow-up, always a sentence.

    PYTHONPATH=. python benchmarks/fuzz_readers.py [--cases 10000] [--seed 0]

Uses the damage of tests/io/read/damage.py. Prints one JSON document: how many cases of each kind were read and refused, the slowest in
seconds of processor time, the peak of resident memory, and every case that failed.
"""

import argparse
import json
import resource
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from tests.io.read.damage import bombs, damaged, write_all

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
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
            start = time.process_time()
            try:
                stack = read_stack(path)
                stack.slice(stack.shape[0] - 1)
                became = "read"
            except InputError as error:
                became = "refused"
                if "\n" in str(error):
                    failures.append({"name": name, "error": "more than one line"})
            except Exception as error:
                became = "failed"
                failures.append({"name": name, "error": repr(error)})
            kind = path.suffix
            by_kind.setdefault(kind, {"read": 0, "refused": 0, "failed": 0})[became] += 1
            seconds = time.process_time() - start
            if seconds > slowest["seconds"]:
                slowest.update(seconds=round(seconds, 3), name=name)

        for case in range(options.cases):
            kind = kinds[case % len(kinds)]
            attempt(f"case {kind}", damaged(files[kind], random))
        for name, content in bombs():
            attempt(name, content)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"kinds": by_kind, "slowest": slowest, "peak_mib": round(peak), "failures": failures},
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
