"""``sem-sr demo`` and ``sem-sr app``: the main job on a real sample, and napari on one's own."""

from pathlib import Path
from typing import Annotated

import typer

from napari_sem_sr.terminal import follow, say


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("sem-sr-demo"),
    volume: Annotated[
        bool, typer.Option("--volume", help="Make an isotropic volume of slices instead.")
    ] = False,
) -> None:
    """Do the main job on a bundled real sample: upscale, check against HR, report."""
    if volume:
        from napari_sem_sr.study.demo_volume import iter_demo_volume

        say(follow(iter_demo_volume(out)).summary())
        return
    from napari_sem_sr.study.demo import iter_demo

    say(follow(iter_demo(out)).summary())


def open_napari(
    paths: Annotated[list[Path] | None, typer.Argument(help="Stacks to open.")] = None,
) -> None:
    """Open napari with the plugin's docks."""
    from napari_sem_sr.widgets.app import run_app

    run_app(paths or [])
