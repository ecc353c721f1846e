"""``sem-sr app``: napari with the docks open."""

from pathlib import Path

from napari_sem_sr.widgets.qt.dock import PLUGIN


def run_app(paths: list[Path]) -> None:
    """Open napari with the docks, and with stacks or the sample if none are given; returns when it is closed."""
    import napari

    from napari_sem_sr.widgets.upscale.dock import UpscaleDock

    viewer = napari.Viewer(title="SEM super-resolution")
    for name in ("Train", "Inspect"):
        viewer.window.add_plugin_dock_widget(PLUGIN, name, tabify=True)
    _, dock = viewer.window.add_plugin_dock_widget(PLUGIN, "Upscale", tabify=True)
    if not isinstance(dock, UpscaleDock):
        raise TypeError("the plugin's manifest names another widget")
    if paths:
        dock.open_paths(paths)
    else:
        dock.open_sample()
    napari.run()
