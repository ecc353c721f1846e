"""``sem-sr measure``: numbers of volumes, side by side."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sem_sr.cli.options import ElsewhereFlag, JsonFlag, VoxelOption, read
from napari_sem_sr.terminal import follow, print_json, say


def measure(
    volumes: Annotated[
        list[Path], typer.Argument(help="Volumes of one field: bicubic, twin, SR, HR, say.")
    ],
    out: Annotated[
        Path, typer.Option(help="Folder for measure.json, measure.csv, report.html, labels.zarr.")
    ],
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Phases as labels: once for all volumes, or once for each."),
    ] = None,
    threshold: Annotated[
        str,
        typer.Option(
            help="otsu, otsu:3 (three phases), a grey value, several with commas, or LOW:HIGH (hysteresis)."
        ),
    ] = "otsu",
    smooth: Annotated[
        float, typer.Option(help="Blur before the threshold, standard deviation in pixels.")
    ] = 1.0,
    bicubic: Annotated[
        Path | None,
        typer.Option(metavar="LR", help="Also measure this LR, interpolated to the first volume."),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(metavar="CHECK", help="Folder of a check of one of the volumes."),
    ] = None,
    voxel: VoxelOption = None,
    elsewhere: ElsewhereFlag = False,
    transport: Annotated[
        bool, typer.Option("--transport", help="Also transport tortuosity, with TauFactor.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Without objects and tortuosity, which take longest.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier measurement.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Measure what volumes are made of: fractions, surfaces, sizes, connectivity, tortuosity."""
    from napari_sem_sr.measure.bicubic import interpolated
    from napari_sem_sr.measure.phases.segmentation import Threshold
    from napari_sem_sr.measure.run import iter_measure

    stacks = [read(path, voxel, elsewhere=elsewhere) for path in volumes]
    if bicubic is not None:
        stacks.insert(0, interpolated(read(bicubic, elsewhere=elsewhere), stacks[0]))
    found = follow(
        iter_measure(
            stacks,
            out,
            labels=[read(path, elsewhere=elsewhere) for path in labels] if labels else None,
            threshold=Threshold.parse(threshold, smooth),
            trust=trust,
            sizes=not quick,
            tortuosity=not quick,
            transport=transport,
            overwrite=overwrite,
        ),
        go_on="nothing of it; the same command begins again",
    )
    if as_json:
        print_json(found.document())
    else:
        say(found.verdict)
        say(f"Report: {out / 'report.html'}")
