"""Everything that docs/speed.md says, measured on this machine and kept as JSON.

    python benchmarks/speed/measure.py

First `sem-sr bench` (engine, plain scripts, matrix product, memory, time along a stack). Then ONNX Runtime and
OpenVINO on the same weights, alternated with the engine; they are installed into an environment of their own
under a temporary folder (or ``--environment DIR``, which is kept), never into ours. ``--pssr PYTHON`` adds PSSR2's own
prediction where that Python has ``pssr``. Run it on a machine that
does nothing else. ``--quick`` is for trying the script.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Generator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.bench.bench import UINT8, BenchSettings, iter_bench, plain
from napari_sem_sr.inference.bench.stack import specimen
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.generator import SHUFFLES
from napari_sem_sr.model.zoo import load_model

HERE = Path(__file__).resolve().parent
KEPT = HERE.parents[1] / "docs" / "measurements" / "speed.json"
PACKAGES = ("numpy", "onnx", "onnxruntime", "openvino")


def followed(work: Generator[Event, None, dict[str, Any]]) -> dict[str, Any]:
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            return stop.value
        if isinstance(event, Progress):
            print(f"{event.what}  {event.done}/{event.total}", file=sys.stderr)


def environment(folder: Path) -> Path | None:
    """Python of an environment with the other runtimes, or None where they cannot be installed."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *PACKAGES], capture_output=True, check=False
    )
    return python if done.returncode == 0 else None


def others(
    model: Model, engine: Engine, threads: int, folder: Path, sides: tuple[int, ...], rounds: int
) -> dict[str, Any] | None:
    """Medians by side and runtime, the engine among them; None where there are no other runtimes."""
    python = environment(folder)
    if python is None:
        return None
    network = model.network("gan")
    with tempfile.TemporaryDirectory() as exchange:
        arrays = {k: v.numpy() for k, v in network.state_dict().items()}
        factor = network.factor
        np.savez(
            Path(exchange) / "network.npz",
            **arrays,
            factor=factor,
            steps=np.array(SHUFFLES[factor]),
        )
        for side in sides:
            np.save(Path(exchange) / f"lr{side}.npy", specimen(side))
            np.save(Path(exchange) / f"sr{side}.npy", plain(network, specimen(side)))
        with subprocess.Popen(
            [python, str(HERE / "other_runtimes.py"), exchange, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:

            def ask(line: str) -> str:
                assert process.stdin is not None and process.stdout is not None
                process.stdin.write(f"{line}\n")
                process.stdin.flush()
                return process.stdout.readline().strip()

            names = ask("- names").split("\t")
            result: dict[str, Any] = {}
            for side in sides:
                lr = specimen(side)
                times: dict[str, list[float]] = {name: [] for name in ("engine", *names)}
                differences = {}
                for turn in range(rounds + 1):
                    print(f"other runtimes, {side} px  {turn}/{rounds + 1}", file=sys.stderr)
                    engine.upscale_slice(lr, UINT8, lr.dtype)
                    begun = perf_counter()
                    engine.upscale_slice(lr, UINT8, lr.dtype)
                    times["engine"].append(perf_counter() - begun)
                    for name in names:
                        ask(f"{name} {side}")
                        seconds, difference = ask(f"{name} {side}").split()
                        times[name].append(float(seconds))
                        differences[name] = int(difference)
                result[str(side)] = {
                    "seconds": {name: round(median(t[1:]), 4) for name, t in times.items()},
                    "grey_levels_from_fp32": differences,
                }
            assert process.stdin is not None
            process.stdin.close()
    return result


def pssr(python: Path, threads: int, sides: tuple[int, ...]) -> dict[str, Any]:
    """What PSSR2's own prediction takes with its own network."""
    script = str(HERE / "pssr_predict.py")
    told = ["--threads", str(threads), "--sides", *map(str, sides)]
    done = subprocess.run([python, script, *told], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="sem-x4")
    parser.add_argument("--out", type=Path, default=KEPT)
    parser.add_argument("--environment", type=Path, help="where the other runtimes are installed")
    parser.add_argument("--pssr", type=Path, help="Python of an environment with pssr")
    parser.add_argument("--quick", action="store_true", help="small, to try the script")
    given = parser.parse_args()
    settings = (
        BenchSettings(
            sides=(64,), rounds=1, memory_slices=(4, 8), long=12, stack_side=64, device="cpu"
        )
        if given.quick
        else BenchSettings()
    )
    model = load_model(given.model)
    document = followed(iter_bench(model, settings))
    sides = tuple(int(side) for side in document["slices"])
    with tempfile.TemporaryDirectory() as temporary:
        document["other_runtimes"] = others(
            model,
            Engine(model.network("gan"), device="cpu", tile=document["tile"]),
            document["machine"]["threads"],
            given.environment or Path(temporary),
            sides,
            settings.rounds,
        )
    if given.pssr:
        document["pssr_predict"] = pssr(given.pssr, document["machine"]["threads"], sides)
    if document["machine"]["gpu"] is None:
        document["gpu"] = "not measured"
    given.out.write_text(json.dumps(document, indent=1) + "\n")
    print(given.out)


if __name__ == "__main__":
    main()
