"""The files of a model bundle, read and written without torch, so that docks can list cards.

A bundle is a folder, or the same zipped with suffix ``.semsr``: ``card.json``,
``generator.safetensors``, ``twin.safetensors``, ``calibration.safetensors`` and ``preview.png``. No
pickle is ever loaded: only these names are read, and only as JSON, safetensors and PNG.
"""

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pydantic

from napari_sem_sr.errors import ModelError, OutputError
from napari_sem_sr.io.atomic_write import rename, replace_folder, sync_folder
from napari_sem_sr.model.card import Card

SUFFIX = ".semsr"
CARD = "card.json"
GENERATOR = "generator.safetensors"
TWIN = "twin.safetensors"
CALIBRATION = "calibration.safetensors"
PREVIEW = "preview.png"
REQUIRED = (CARD, GENERATOR, TWIN, CALIBRATION)
ALLOWED = frozenset({*REQUIRED, PREVIEW})
# Far above any sensible generator; keeps a crafted zip from filling the memory.
MAX_PART_BYTES = 1 << 30


def read_parts(path: Path) -> dict[str, bytes]:
    """Read the files of a bundle, refusing whatever does not belong in one.

    Parameters
    ----------
    path
        Folder or ``.semsr`` file.
    """
    if not path.exists():
        raise ModelError(f"There is no model at '{path}'; give a bundle folder or a {SUFFIX} file.")
    try:
        parts = _folder_parts(path) if path.is_dir() else _zip_parts(path)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError) as error:
        raise ModelError(
            f"Model '{path}' cannot be read ({error}); give a bundle folder or an undamaged {SUFFIX} file."
        ) from error
    missing = [name for name in REQUIRED if name not in parts]
    if missing:
        raise ModelError(
            f"'{path}' is not a complete model bundle ({', '.join(missing)} missing); "
            "get the model again from where it came."
        )
    return parts


def _folder_parts(path: Path) -> dict[str, bytes]:
    entries = [p for p in path.iterdir() if not p.name.startswith(".")]
    _refuse_foreign(path, [p.name for p in entries])
    _refuse_large(path, [p.stat().st_size for p in entries])
    return {p.name: p.read_bytes() for p in entries}


def _zip_parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        names = [i.filename for i in infos]
        _refuse_foreign(path, names)
        _refuse_doubled(path, names)
        _refuse_large(path, [i.file_size for i in infos])
        return {i.filename: archive.read(i) for i in infos}


def _refuse_foreign(path: Path, names: list[str]) -> None:
    for name in names:
        if name not in ALLOWED:
            raise ModelError(
                f"Model '{path}' holds '{name}', which does not belong in a bundle and might run code "
                "when loaded (a pickle, say); it was not opened. Use a bundle made by this plugin."
            )


def _refuse_doubled(path: Path, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ModelError(
                f"Model '{path}' holds '{name}' {names.count(name)} times, so it is unclear which one is meant; "
                "get the model again from where it came."
            )


def _refuse_large(path: Path, sizes: list[int]) -> None:
    if any(size > MAX_PART_BYTES for size in sizes):
        raise ModelError(
            f"Model '{path}' holds a part of more than {MAX_PART_BYTES >> 20} MiB; it was not opened."
        )


def content_hash(parts: Mapping[str, bytes]) -> str:
    """Hash over card, weights and calibration, ``blake2b:...``.

    Parameters
    ----------
    parts
        Contents by name of the file.
    """
    digest = hashlib.blake2b(digest_size=20)
    for name in REQUIRED:
        digest.update(hashlib.blake2b(parts[name]).digest())
    return f"blake2b:{digest.hexdigest()}"


def parse_card(path: Path, content: bytes) -> Card:
    """Validate ``card.json`` of the bundle at ``path``.

    Parameters
    ----------
    content
        Bytes of the file.

    Raises
    ------
    ModelError
        If it is not a card this version understands.
    """
    try:
        return Card.model_validate_json(content)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the card"
        raise ModelError(
            f"The card of model '{path}' is not valid ({where}: {first['msg']}); "
            "get the model again from where it came."
        ) from error


def renamed(parts: Mapping[str, bytes], name: str) -> dict[str, bytes]:
    """Parts of the same model with another name on its card, and so with another hash.

    Parameters
    ----------
    parts
        Contents by name of the file.
    name
        The new one.
    """
    card = json.loads(parts[CARD])
    return {**parts, CARD: json.dumps({**card, "name": name}, indent=1).encode()}


def write_parts(path: Path, parts: Mapping[str, bytes]) -> None:
    """Write the files of a bundle; it appears whole or not at all.

    Parameters
    ----------
    path
        Folder, or file with the suffix ``.semsr``.
    parts
        Contents by name of the file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as temporary:
            made = Path(temporary) / path.name
            if path.suffix == SUFFIX:
                with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
                    for name, content in parts.items():
                        # a fixed date: the same model is the same file
                        archive.writestr(zipfile.ZipInfo(name), content)
            else:
                made.mkdir()
                for name, content in parts.items():
                    (made / name).write_bytes(content)
            for file in [made] if made.is_file() else [*made.iterdir()]:
                with file.open("rb+") as stream:
                    os.fsync(stream.fileno())
            if path.is_dir():
                replace_folder(made, path)
            else:
                rename(made, path)
            sync_folder(path.parent)
    except OSError as error:
        raise OutputError(
            f"The model cannot be written to '{path}' ({error.strerror or error}); "
            "give a place with enough room that you may write to."
        ) from error
