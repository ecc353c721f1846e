"""ARCHITECTURE.md speaks of what is there: every function it names, and rooms small enough to be surveyed."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "napari_sem_sr"
PAGE = (ROOT / "ARCHITECTURE.md").read_text()


def walk(title: str) -> list[str]:
    """Names in the table under a heading."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| \d+ \| `([\w.]+)`", section, re.MULTILINE)


def lookup(dotted: str) -> object:
    parts = dotted.split(".")
    end = next(n for n in range(len(parts), 0, -1) if is_module(parts[:n]))
    found: object = import_module("napari_sem_sr." + ".".join(parts[:end]))
    for name in parts[end:]:
        found = getattr(found, name)
    return found


def is_module(parts: list[str]) -> bool:
    return SOURCE.joinpath(*parts).with_suffix(".py").exists()


@pytest.mark.parametrize(
    "name",
    [
        *walk("The walk of a stack"),
        *walk("The walk of a teacher image"),
        *walk("The walk of a check"),
    ],
)
def test_what_the_walks_name_is_there(name: str) -> None:
    assert callable(lookup(name))


def test_a_stack_is_upscaled_in_fewer_than_25_functions() -> None:
    assert 10 < len(walk("The walk of a stack")) < 25


def packages() -> list[Path]:
    return sorted(p.parent for p in SOURCE.rglob("__init__.py"))


@pytest.mark.parametrize("package", packages(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_no_package_has_more_modules_than_one_can_survey(package: Path) -> None:
    modules = [p for p in package.glob("*.py") if p.name != "__init__.py"]
    assert len(modules) <= 15
    too_long = [p.name for p in modules if len(p.read_text().splitlines()) > 350]
    assert not too_long


def test_no_import_goes_round_in_a_circle() -> None:
    uses = {name: imports_of(path) for name, path in modules_by_name().items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for other in sorted(uses[name]):
                visit(other, (*path, name))
            done.add(name)

    for name in uses:
        visit(name, ())


@cache
def modules_by_name() -> dict[str, Path]:
    found = {}
    for path in SOURCE.rglob("*.py"):
        parts = ("napari_sem_sr", *path.relative_to(SOURCE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(path: Path) -> set[str]:
    """Modules that a file imports, wherever in it; but for what a package offers from inside itself."""
    known = modules_by_name()
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("napari_sem_sr"):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in known else str(node.module))
    return {name for name in found if known[name].name != "__init__.py"}
