"""Models by name: those that come with the package, and the user's own.

Listing reads cards only and loads no torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from napari_sem_sr.errors import ModelError, OutputError
from napari_sem_sr.model.card import Card
from napari_sem_sr.model.names import name_problem
from napari_sem_sr.model.parts import CARD, SUFFIX, content_hash, parse_card, read_parts

if TYPE_CHECKING:
    from napari_sem_sr.model.bundle import Model

# Suffix of the folder beside a model that is still being trained.
UNFINISHED = ".training"
# Factor that stands first where models are otherwise alike: that of the study, and of most stacks.
USUAL = 4


@dataclass(frozen=True)
class Entry:
    """A model of the zoo: where it is, its card, and whether it came with the package.

    Parameters
    ----------
    name
        By which it is found.
    path
        Of its bundle.
    card
        As it is on disk.
    bundled
        Whether it came with the package.
    """

    name: str
    path: Path
    card: Card
    bundled: bool

    def describe(self) -> dict[str, Any]:
        """What a list of models shows; gains are means over unseen teachers, in dB over bicubic."""
        return {
            "name": self.name,
            "factor": self.card.factor,
            "teachers": self.card.teachers.count,
            "twin_gain_db": self.card.gain("twin"),
            "gan_gain_db": self.card.gain("gan"),
            "default_sharpness": self.card.default_sharpness,
            "licence": self.card.licence,
            "bundled": self.bundled,
            "path": str(self.path),
        }


def bundled_folder() -> Path:
    """Folder of the models that come with the package."""
    return Path(str(files("napari_sem_sr"))) / "model" / "bundled"


def user_folder() -> Path:
    """Folder of the user's own models."""
    return Path(platformdirs.user_data_dir("napari-sem-sr", appauthor=False)) / "models"


def list_models() -> list[Entry]:
    """All sound models that can be named; see `damaged_models` for the others.

    The user's own come first, and before others those that learned from the most specimens, of these the ×4. Those
    that are no better than bicubic in their own test come last.
    """

    def place(entry: Entry) -> tuple[bool, bool, int, bool]:
        failed = not entry.card.beats_bicubic
        return (
            failed,
            entry.bundled,
            -len(entry.card.teachers.groups.train),
            entry.card.factor != USUAL,
        )

    return sorted(_survey()[0], key=place)


def damaged_models() -> list[str]:
    """One sentence for each installed model that cannot be used."""
    return _survey()[1]


def _survey() -> tuple[list[Entry], list[str]]:
    entries: dict[str, Entry] = {}
    problems: list[str] = []
    # a model that comes with the package cannot be replaced by one that calls itself the same
    for folder, bundled in ((bundled_folder(), True), (user_folder(), False)):
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            name = path.name.removesuffix(SUFFIX)
            if path.name.startswith(".") or path.name.endswith(UNFINISHED):
                continue
            if name in entries:
                problems.append(
                    f"'{path}' has the name of another model, '{entries[name].path}', and is not used; rename its folder."
                )
                continue
            try:
                card = parse_card(path, read_parts(path)[CARD])
            except ModelError as error:
                problems.append(str(error))
            else:
                entries[name] = Entry(name, path, card, bundled)
    return list(entries.values()), problems


def find_model(name_or_path: str | Path) -> Path:
    """Path of a model given by name or path.

    Parameters
    ----------
    name_or_path
        Name as listed, or path of a bundle.

    Raises
    ------
    ModelError
        If there is none; the message lists those that are.
    """
    name = str(name_or_path)
    for folder in (bundled_folder(), user_folder()):
        for candidate in (folder / name, folder / f"{name}{SUFFIX}"):
            if (
                "/" not in name
                and "\\" not in name
                and name not in ("", ".", "..")
                and candidate.exists()
            ):
                return candidate
    if Path(name_or_path).exists():
        return Path(name_or_path)
    known = ", ".join(e.name for e in list_models()) or "none"
    raise ModelError(
        f"There is no model '{name}'; give the path of a bundle or one of the installed models ({known})."
    )


def load_model(name_or_path: str | Path) -> "Model":
    """Load a model by name or path.

    Parameters
    ----------
    name_or_path
        Name of a bundled or imported model, path of a bundle folder or of a ``.semsr`` file.

    Raises
    ------
    ModelError
        If there is no such model or it cannot be used.
    """
    from napari_sem_sr.model.bundle import load_bundle

    return load_bundle(find_model(name_or_path))


def model_of(provenance: Mapping[str, Any] | None) -> "Model | None":
    """The installed model that made an output, by the name and hash it carries; None if it is not there.

    Parameters
    ----------
    provenance
        Of an output; None finds nothing.
    """
    entry = entry_of(provenance)
    return None if entry is None else load_model(entry.path)


def entry_of(provenance: Mapping[str, Any] | None) -> Entry | None:
    """Where the model that made an output is installed, and its card; see `model_of`.

    Parameters
    ----------
    provenance
        Of an output; None finds nothing.
    """
    if not provenance or "model_hash" not in provenance:
        return None
    for entry in list_models():
        if entry.name == provenance.get("model"):
            same = content_hash(read_parts(entry.path)) == provenance["model_hash"]
            return entry if same else None
    return None


def entry_with(model_hash: str) -> Entry | None:
    """The installed model whose content hash is ``model_hash``, whatever it is called; None if it is not there."""
    for entry in list_models():
        if content_hash(read_parts(entry.path)) == model_hash:
            return entry
    return None


def import_model(file: Path, name: str | None = None) -> Entry:
    """Copy a bundle into the user's models.

    Parameters
    ----------
    file
        A bundle folder or a ``.semsr`` file.
    name
        What it is to be called here; the name on its card where None.

    Raises
    ------
    ModelError
        If the bundle cannot be used, or its name cannot be a model's or is that of a model that comes with the package.
    OutputError
        If a model of this name is installed already, or the disk refuses.
    """
    from napari_sem_sr.model.bundle import copy_bundle, load_bundle

    card = load_bundle(file).card
    check_name(name or card.name, hint=" (--name NAME)")
    target = user_folder() / (name or card.name)
    taken = _named(user_folder(), target.name)
    if taken is not None:
        raise OutputError(
            f"A model named '{taken.name}' is installed already; remove '{taken}' first to replace it, or give "
            "the new one another name (--name)."
        )
    copy_bundle(file, target, name=None if target.name == card.name else target.name)
    return Entry(target.name, target, parse_card(target, read_parts(target)[CARD]), bundled=False)


def check_name(name: str, *, hint: str = "") -> None:
    """Make sure that a model of the user's own may be called ``name``; ``hint`` says how to give another.

    Raises
    ------
    ModelError
        If it cannot be a folder name everywhere, or belongs to a model that comes with the package.
    """
    problem = name_problem(name)
    if problem is not None:
        raise ModelError(f"The name {name!r} of the model {problem}; give it another name{hint}.")
    if _named(bundled_folder(), name) is not None:
        raise ModelError(
            f"'{name}' is the name of a model that comes with napari-sem-sr, whose place no other may take; "
            f"give yours another name{hint}."
        )


def _named(folder: Path, name: str) -> Path | None:
    """The model of this name in ``folder``; upper and lower case are one name, as on Windows."""
    if not folder.is_dir():
        return None
    same = (p for p in folder.iterdir() if p.name.removesuffix(SUFFIX).lower() == name.lower())
    return next(same, None)


def export_model(name: str | Path, file: Path) -> None:
    """Write a model as one ``.semsr`` file to give to a colleague.

    Parameters
    ----------
    name
        Name as listed, or path of a bundle.
    file
        File to write.
    """
    from napari_sem_sr.model.bundle import copy_bundle

    if file.suffix != SUFFIX:
        raise OutputError(
            f"'{file}' does not end in {SUFFIX}; give a name such as {file.stem}{SUFFIX}."
        )
    copy_bundle(find_model(name), file)
