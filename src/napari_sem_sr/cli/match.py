"""``sem-sr match``: the degradation that makes teachers look like a real LR stack."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sem_sr.cli.options import (
    ElsewhereFlag,
    FactorOption,
    GreyFlag,
    JsonFlag,
    KeepDatabarFlag,
    PixelOption,
    VoxelOption,
    check_factor,
    read,
    read_teacher_files,
)
from napari_sem_sr.terminal import follow, print_json, say


def match(
    hr: Annotated[list[Path], typer.Option(help="Teachers: images and folders of images.")],
    lr: Annotated[Path, typer.Option(help="Measured LR stack.")],
    picture: Annotated[
        Path | None, typer.Option(help="PNG: degraded teacher beside LR, with spectra.")
    ] = None,
    factor: FactorOption = None,
    pixel_nm: PixelOption = None,
    voxel: VoxelOption = None,
    keep_databar: KeepDatabarFlag = False,
    grey: GreyFlag = False,
    elsewhere: ElsewhereFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Fit blur, noise and contrast of teachers to a real LR stack, and say how well that works."""
    from napari_sem_sr.degradation.match_picture import write_match_picture
    from napari_sem_sr.training.data.preparation import iter_matched

    check_factor(factor)
    found = follow(
        iter_matched(
            read_teacher_files(hr, grey=grey, keep_databar=keep_databar, elsewhere=elsewhere),
            read(lr, voxel, grey=grey, elsewhere=elsewhere),
            factor=factor,
            pixel_nm=pixel_nm,
        )
    )
    if picture is not None:
        write_match_picture(found, picture)
    if as_json:
        print_json(found.describe())
        return
    say(found.summary())
    if picture is not None:
        say(f"Picture: {picture}")
