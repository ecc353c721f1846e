"""What checking a slice costs beside upscaling it, kept in docs/measurements/checking-speed.json.

    python benchmarks/speed/checking.py [--sides 256 512] [--cpu-time] [--rounds 5]

``--cpu-time`` counts seconds of the processor on one thread, for a machine that is busy with other things.
"""

import argparse
import json
import sys
from pathlib import Path

import torch

from napari_sem_sr.checking.bench import CheckBenchSettings, iter_bench_checking
from napari_sem_sr.events import drain
from napari_sem_sr.inference.engine.machine import describe_machine
from napari_sem_sr.model.zoo import load_model

KEPT = Path(__file__).resolve().parents[2] / "docs" / "measurements" / "checking-speed.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="sem-x4")
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=KEPT)
    given = parser.parse_args()
    if given.cpu_time:
        torch.set_num_threads(1)
    settings = CheckBenchSettings(given.device, tuple(given.sides), given.rounds, given.cpu_time)
    document = drain(iter_bench_checking(load_model(given.model), settings))
    kept = json.loads(given.out.read_text()) if given.out.exists() else {}
    kept["bench"] = {"machine": describe_machine(torch.device("cpu")), **document}
    given.out.write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps(document, indent=1), file=sys.stdout)


if __name__ == "__main__":
    main()
