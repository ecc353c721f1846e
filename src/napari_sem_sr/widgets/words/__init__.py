"""What the docks say, in the language of the person.

One table for each language, ``ja.json``: English sentence to translation. The English sentence is the key, so that code
reads as what it says. Not gettext or Qt's tables: those have to be compiled and shipped beside their sources, and a
table that any editor opens can be compared with the code by a test (tests/widgets/words), both ways. Sentences of
the core have a table of their own, ``ja.core.json``, and are recognised by their templates (see `core`).
"""

import json
import locale
import os
from functools import lru_cache
from importlib.resources import files

from napari_sem_sr.widgets.words.core import Phrasebook

ENGLISH = "en"
LANGUAGES = (ENGLISH, "ja")
# for a screenshot, a test, or a shared workstation
VARIABLE = "SEM_SR_LANGUAGE"


def tr(text: str, /, **values: object) -> str:
    """Say ``text`` in the person's language.

    Parameters
    ----------
    text
        An English sentence; ``{name}`` stands for a value, which may come elsewhere in another language.
    values
        What is filled in, formatted as the sentence says (``{size:.3g}``).
    """
    said = _table(language()).get(text, text)
    return said.format(**{k: _value(v) for k, v in values.items()}) if values else said


def spoken(text: str) -> str:
    """Say what the core says, an English sentence with its values filled in, in the person's language."""
    return text if language() == ENGLISH else words_of_core(language()).say(text)


def _value(value: object) -> object:
    """A phrase of the core may be filled into a sentence of a dock."""
    return spoken(value) if isinstance(value, str) else value


@lru_cache(maxsize=1)
def language() -> str:
    """The language chosen for us, else that of napari where it has one, else that of the system."""
    for wanted in (os.environ.get(VARIABLE), _naparis(), _systems()):
        known = (wanted or "").replace("-", "_").split("_")[0].lower()
        if known in LANGUAGES:
            return known
    return ENGLISH


def table(name: str) -> dict[str, str]:
    """Translations by English sentence, as they are in the file."""
    text = (files(__package__) / f"{name}.json").read_text(encoding="utf-8")
    read: dict[str, str] = json.loads(text)
    return read


@lru_cache(maxsize=len(LANGUAGES))
def words_of_core(name: str) -> Phrasebook:
    """Sentences of the core in another language than English."""
    return Phrasebook(table(f"{name}.core"))


@lru_cache(maxsize=len(LANGUAGES))
def _table(name: str) -> dict[str, str]:
    return {} if name == ENGLISH else table(name)


def _naparis() -> str | None:
    from napari.settings import get_settings

    # napari 0.4 to 0.6 had a choice of languages, and a later one may have it again
    found = getattr(get_settings().application, "language", None)
    return None if found is None else str(found)


def _systems() -> str | None:
    from qtpy.QtCore import QLocale

    wanted = QLocale.system().uiLanguages()
    return wanted[0] if wanted else locale.getlocale()[0]
