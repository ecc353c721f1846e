"""``sem-sr register``: two recordings of one field, made into a pair."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sem_sr.cli.options import ElsewhereFlag, GreyFlag, JsonFlag, read
from napari_sem_sr.terminal import follow, print_json, say


def register(
    hr: Annotated[Path, typer.Option(help="HR recording.")],
    lr: Annotated[Path, typer.Option(help="LR recording of the same field.")],
    out: Annotated[Path, typer.Option(help="Folder for lr.tif, hr.tif and registration.json.")],
    factor: Annotated[
        int | None, typer.Option(min=2, help="SR pixels per LR pixel; from pixel sizes by default.")
    ] = None,
    scale_rotation: Annotated[
        bool, typer.Option("--scale-rotation", help="Find scale and rotation as well as the shift.")
    ] = False,
    grey: GreyFlag = False,
    elsewhere: ElsewhereFlag = False,
    as_json: JsonFlag = False,
) -> None:
    """Lay HR over LR of the same field, and write both as a pair for train --pairs."""
    from napari_sem_sr.teachers.registration.pairs import iter_register

    found = follow(
        iter_register(
            read(lr, grey=grey, elsewhere=elsewhere),
            read(hr, grey=grey, elsewhere=elsewhere),
            out,
            factor=factor,
            scale_and_rotation=scale_rotation,
        )
    )
    if as_json:
        print_json(found)
        return
    dy, dx = found["shift_px"]
    turned = (
        f", rotation {found['rotation_deg']:+.2f}°, scale {found['scale']:.4f}"
        if scale_rotation
        else ""
    )
    say(
        f"HR lies {dy:+.2f}, {dx:+.2f} SR pixels (y, x) from LR{turned}; LR = {found['gain']:.3g} × HR {found['offset']:+.3g}, "
        f"residual {found['residual_rms']:.3g} grey levels, correlation {found['correlation']:.3f}. Quarters of the field lie up to "
        f"{found['bend_px']:.2f} SR pixels elsewhere."
    )
    if found["clipped_fraction"]:
        say(
            f"{100 * found['clipped_fraction']:.2g} % of HR's pixels are brighter or darker than LR's dtype can hold and were clipped."
        )
    say(f"Pair: {out}")
