"""How much of the public functions' parameters is documented, room by room; printed by the lint step.

    python tools/documented.py [--missing ROOM]

A parameter counts as documented if the docstring has an entry for it under Parameters, or speaks of it in ``backquotes``. Of those
that are arrays, the docstring has to say the shape. Parameters of a class are those of its ``__init__`` or, for a dataclass,
its fields.
"""

import argparse
import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "napari_sem_sr"
ARRAY = re.compile(r"NDArray|ArrayLike|Tensor|\bImage\b|\bFloat\b")
SHAPE = re.compile(r"\([A-Za-z0-9/*+ ]+(, ?[A-Za-z0-9/*+ .]+)+,?\)|\(n,\)|any shape|same shape")


def public(path: Path) -> Iterator[tuple[str, dict[str, str], str]]:
    """Name, parameters with their annotations, and docstring of everything public in a module."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, arguments(node), ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from of_class(node)


def of_class(node: ast.ClassDef) -> Iterator[tuple[str, dict[str, str], str]]:
    methods = [n for n in node.body if isinstance(n, ast.FunctionDef)]
    made = next((arguments(m) for m in methods if m.name == "__init__"), None)
    fields = {
        n.target.id: ast.unparse(n.annotation)
        for n in node.body
        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }
    said = ast.get_docstring(node) or ""
    # pydantic's way: a string below the field
    for field, below in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            said += f" ``{ast.unparse(field.target)}``"
    yield node.name, fields if made is None else made, said
    for method in methods:
        if not method.name.startswith("_"):
            yield f"{node.name}.{method.name}", arguments(method), ast.get_docstring(method) or ""


def arguments(node: ast.FunctionDef) -> dict[str, str]:
    a = node.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
    return {
        x.arg: ast.unparse(x.annotation) if x.annotation else ""
        for x in every
        if x.arg not in ("self", "cls") and not x.arg.startswith("_")
    }


def is_documented(name: str, docstring: str) -> bool:
    section = re.split(r"\nParameters\n-+\n", docstring)
    listed = len(section) > 1 and re.search(
        rf"^\**(\w+, )*{name}(, \**\w+)*( :.*)?$", section[1], re.MULTILINE
    )
    return bool(listed) or f"``{name}``" in docstring


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missing", metavar="ROOM", help="also name what is missing in a room")
    room_of_interest = parser.parse_args().missing
    functions: Counter[tuple[str, str]] = Counter()
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if any(p.startswith("_") and p != "__init__" for p in parts):
            continue
        room = parts[0]
        for name, parameters, docstring in public(path):
            missing = [p for p in parameters if not is_documented(p, docstring)]
            arrays = [p for p, kind in parameters.items() if ARRAY.search(kind)]
            functions[room, "parameters"] += len(parameters)
            functions[room, "documented"] += len(parameters) - len(missing)
            if arrays:
                functions[room, "with arrays"] += 1
                functions[room, "with shapes"] += bool(SHAPE.search(docstring))
            if room == room_of_interest and missing:
                sys.stdout.write(f"{'.'.join(parts)}.{name}: {', '.join(missing)}\n")
    rooms = sorted({room for room, _ in functions})
    sys.stdout.write(
        f"{'room':14}{'parameters documented':>24}{'functions of arrays with shapes':>34}\n"
    )
    for room in [*rooms, "all"]:
        wanted = rooms if room == "all" else [room]
        n = {
            k: sum(functions[r, k] for r in wanted)
            for k in ("documented", "parameters", "with shapes", "with arrays")
        }
        if n["parameters"]:
            share = n["documented"] / n["parameters"]
            shapes = f"{n['with shapes']} of {n['with arrays']}" if n["with arrays"] else "–"
            sys.stdout.write(
                f"{room:14}{n['documented']:>9} of {n['parameters']:<5}{share:>6.0%}{shapes:>34}\n"
            )


if __name__ == "__main__":
    main()
