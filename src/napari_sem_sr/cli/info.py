"""``sem-sr info``: what a file or folder says about itself."""

from pathlib import Path

from rich.table import Table

from napari_sem_sr.cli.options import GreyFlag, JsonFlag, VoxelOption, read
from napari_sem_sr.terminal import print_json, stdout


def info(
    path: Path, as_json: JsonFlag = False, voxel: VoxelOption = None, grey: GreyFlag = False
) -> None:
    """Say what a file or folder holds: shape, voxel size, geometry, instrument."""
    stack = read(path, voxel, grey=grey)
    document = stack.describe()
    if as_json:
        print_json(document)
        return
    table = Table(show_header=False, box=None)
    instrument = document.pop("instrument")
    for key, value in {
        **document,
        **{k: v for k, v in instrument.items() if v is not None},
    }.items():
        unknown = value is None or value == [None, None, None]
        table.add_row(key, "unknown" if unknown else str(value))
    stdout.print(table)
