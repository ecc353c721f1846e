"""``sem-sr bench``: how fast this machine upscales and checks."""

from typing import Annotated, Any

import typer

from napari_sem_sr.cli.options import DeviceOption, JsonFlag
from napari_sem_sr.terminal import follow, print_json, say


def bench(
    model: Annotated[str, typer.Option(help="Name or path of a model.")] = "sem-x4",
    device: DeviceOption = "auto",
    as_json: JsonFlag = False,
) -> None:
    """Measure how fast this machine upscales and checks; a few minutes, best while nothing else runs."""
    from napari_sem_sr.checking.bench import CheckBenchSettings, iter_bench_checking
    from napari_sem_sr.inference.bench.bench import BenchSettings, iter_bench
    from napari_sem_sr.model.zoo import load_model

    loaded = load_model(model)
    document = follow(iter_bench(loaded, BenchSettings(device=device)))
    document["checking"] = follow(iter_bench_checking(loaded, CheckBenchSettings(device=device)))
    if as_json:
        print_json(document)
        return
    for line in _spoken(document):
        say(line)


def _spoken(document: dict[str, Any]) -> list[str]:
    machine, stack = document["machine"], document["stack"]
    lines = [
        f"{machine['gpu'] or machine['cpu']}, {machine['threads']} threads, {document['precision']} "
        f"(at most {document['deviation_from_fp32']:.2g} of the range from fp32), tiles of {document['tile']} px",
        f"matrix product: {document['matrix_gflops']:.0f} GFLOP/s",
    ]
    for side, slice_ in document["slices"].items():
        others = ", ".join(f"{n} ×{r:.1f}" for n, r in slice_["times_faster_than"].items())
        lines.append(
            f"{side} × {side} px: {slice_['seconds']['engine']:.3f} s a slice, {slice_['gflops']:.0f} GFLOP/s, "
            f"{slice_['share_of_matrix_rate']:.0%} of the matrix product; faster than {others}"
        )
    peaks = ", ".join(f"{n} slices {peak} MiB" for n, peak in stack["peak_mib"].items())
    failure = document["out_of_memory"]
    lines += [
        f"peak memory of {stack['slice_px']} px slices: {peaks}",
        f"time per slice: {stack['seconds_early']} s early, {stack['seconds_late']} s late in the stack",
        f"memory running out once: {failure['seconds']:.2f} s become {failure['seconds_with_one_failure']:.2f} s",
    ]
    for side, slice_ in document["checking"]["slices"].items():
        lines.append(
            f"{side} × {side} px: upscaling {slice_['upscale']:.3f} s a slice, checking {slice_['check']:.3f} s ({slice_['ratio']:.2f} ×: "
            f"the twin {slice_['twin']:.3f} s, evidence {slice_['evidence']:.3f} s); before the first slice {slice_['fixed']:.1f} s"
        )
    if machine["gpu"] is None:
        lines.append("GPU: not measured, there is none here")
    return lines
