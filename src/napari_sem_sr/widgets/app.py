"""``sem-sr app``: napari with the docks open."""

from pathlib import Path

from napari_sem_sr.widgets.qt.dock_group import open_dock


def run_app(paths: list[Path]) -> None:
    """Open napari with the docks, and with stacks or the sample if none are given; returns when it is closed.

    Parameters
    ----------
    paths
        Stacks to open; none for the sample.
    """
    import napari

    viewer = napari.Viewer(title="SEM super-resolution")
    for name in ("Train", "Inspect"):
        open_dock(viewer, name)
    dock = open_dock(viewer, "Upscale")
    if paths:
        dock.open_paths(paths)
    else:
        dock.open_sample()
    napari.run()
