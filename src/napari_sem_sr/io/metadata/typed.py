"""Voxel sizes that a person typed for a file, kept for good.

They are kept beside the user's models, by what the file is and not by where it lies: its name, size and first and
last bytes, so that a folder may be moved. What is kept goes over what the files say.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import platformdirs

from napari_sem_sr.geometry import with_typed
from napari_sem_sr.io.atomic_write import atomic_write, make_folder, translate_os_errors
from napari_sem_sr.stack import SemStack

_ENDS = 1 << 16
_ZARR = "zarr.json"


def kept_in() -> Path:
    """File in which typed sizes are kept."""
    return Path(platformdirs.user_data_dir("napari-sem-sr", appauthor=False)) / "typed_sizes.json"


def keep_typed(stack: SemStack) -> None:
    """Keep what a person typed for a stack's files; where nothing is typed any more, forget it.

    Parameters
    ----------
    stack
        Read from files; what is typed says so in its ``sources``.

    Raises
    ------
    OutputError
        If the disk refuses.
    """
    if not stack.paths:
        return
    kept = dict(_all_kept())
    typed = {
        axis: size
        for axis, size in zip("zyx", stack.voxel_nm, strict=True)
        if size is not None and getattr(stack.sources, axis) == "typed"
    }
    if stack.sources.tilt == "typed":
        typed["tilt_deg"] = stack.tilt_deg or 0.0
    if typed:
        kept[_which(stack)] = {"name": stack.name, **typed}
    elif kept.pop(_which(stack), None) is None:
        return
    path = kept_in()
    with translate_os_errors(path):
        make_folder(path.parent)
        with atomic_write(path) as unfinished:
            unfinished.write_text(json.dumps(kept, indent=1))


def with_kept(stack: SemStack) -> SemStack:
    """Put what a person once typed for a stack's files over what they say.

    Parameters
    ----------
    stack
        As its files say.
    """
    if not stack.paths:
        return stack
    kept = _all_kept()
    known = kept.get(_which(stack)) if kept else None
    if known is None:
        return stack
    sizes = (known.get("z"), known.get("y"), known.get("x"))
    return with_typed(stack, sizes, known.get("tilt_deg"))


def _all_kept() -> Mapping[str, Any]:
    try:
        kept = json.loads(kept_in().read_text())
    except (OSError, ValueError):
        # nothing was ever typed, or the file is damaged: what files say is then all that is known
        return {}
    return kept if isinstance(kept, dict) else {}


def _which(stack: SemStack) -> str:
    """Name a stack's files by what they are."""
    first = stack.paths[0]
    file = first / _ZARR if first.is_dir() else first
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((first.name, len(stack.paths), stack.part, stack.shape)).encode())
    if file.is_file():
        size = file.stat().st_size
        with file.open("rb") as stream:
            digest.update(stream.read(_ENDS))
            stream.seek(max(0, size - _ENDS))
            digest.update(stream.read(_ENDS))
        digest.update(str(size).encode())
    return digest.hexdigest()
