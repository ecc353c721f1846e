"""The little of XML that vendors' metadata need: one value at a path, whatever the namespace."""

from collections.abc import Iterator
from xml.etree import ElementTree

from napari_sem_sr.io.metadata.form import decoded


def parse(content: bytes | str | None) -> ElementTree.Element | None:
    """Return the root element, None where it is no XML or not well-formed.

    Parameters
    ----------
    content
        The document; None for none.
    """
    if not content:
        return None
    try:
        # from text, as instruments declare encodings that they do not keep to
        said = decoded(content) if isinstance(content, bytes) else content
        start = said.find("?>") + 2 if said.lstrip().startswith("<?xml") else 0
        return ElementTree.fromstring(said[start:].strip().strip("\0"))
    except (ElementTree.ParseError, ValueError):
        return None


def local(tag: str) -> str:
    """Return an element's name without its namespace.

    Parameters
    ----------
    tag
        As ``"{namespace}name"`` or ``"name"``.
    """
    return tag.rpartition("}")[2]


def children(element: ElementTree.Element | None, name: str) -> Iterator[ElementTree.Element]:
    """Yield the children called ``name``.

    Parameters
    ----------
    element
        Any; None has no children.
    """
    for child in element if element is not None else ():
        if local(child.tag) == name:
            yield child


def at(element: ElementTree.Element | None, path: str) -> ElementTree.Element | None:
    """Return the first element at ``path``, as ``"Optics/BeamCurrent"``.

    Parameters
    ----------
    element
        Where the path begins; None leads to None.
    """
    for name in path.split("/"):
        element = next(children(element, name), None)
    return element


def value(element: ElementTree.Element | None, path: str) -> str | None:
    """Return the text at ``path``, None where there is none.

    Parameters
    ----------
    element
        Where the path begins; None leads to None.
    """
    found = at(element, path)
    return (found.text or "").strip() or None if found is not None else None
