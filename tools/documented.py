"""How much of the public functions' parameters is documented, room by room; printed by the lint step.

    python tools/documented.py [--missing ROOM] [--least PERCENT [--but ROOM...]]

A parameter counts as documented if the docstring has an entry for it under Parameters, or speaks of it in ``backquotes``. Of those
that are arrays, the docstring has to say the shape. Parameters of a class are those of its ``__init__`` or, for a dataclass,
its fields. Options of the command line say in their ``help`` what they are. A method that overrides another's is documented where it
is declared: by the base class in this package, or by Qt. So are fields that a subclass only repeats.
"""

import argparse
import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "src" / "napari_sem_sr"
ARRAY = re.compile(r"NDArray|ArrayLike|Tensor\b|\bImage\b|\bFloat\b")
# in the docks an image is a layer of napari
ARRAY_IN_DOCKS = re.compile(r"NDArray|ArrayLike")
SHAPE = re.compile(r"\([A-Za-z0-9/*+ .]+(, ?[A-Za-z0-9/*+ .]+)+,?\)|\(n,\)|any shape|same shape")
QT_NAME = re.compile(r"[a-z]+([A-Z][a-z]*)+")
# what belongs to the class, or tells kinds apart in a file
CONSTANT = re.compile(r"ClassVar\b|Literal\[[^,\]]+\]$")
OPTION = re.compile(r"typer\.(Option|Argument)\(.*help=|^\w+(Option|Flag|Argument)$", re.DOTALL)


@dataclass(frozen=True)
class Documented:
    """Something public: its parameters with their annotations, and what is said of them."""

    room: str
    name: str
    parameters: dict[str, str]
    docstring: str

    def missing(self) -> list[str]:
        return [p for p in self.parameters if not is_documented(p, self.docstring)]

    def takes_arrays(self) -> bool:
        array = ARRAY_IN_DOCKS if self.room == "widgets" else ARRAY
        return any(array.search(kind) for kind in self.parameters.values())

    def gives_shapes(self) -> bool:
        return SHAPE.search(self.docstring) is not None


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        if not any(p.startswith("_") and p != "__init__" for p in parts):
            yield ".".join(parts), ast.parse(path.read_text())


def classes_of(trees: list[ast.Module]) -> dict[str, ast.ClassDef]:
    return {n.name: n for tree in trees for n in tree.body if isinstance(n, ast.ClassDef)}


def public(room: str, tree: ast.Module, classes: dict[str, ast.ClassDef]) -> Iterator[Documented]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield Documented(room, node.name, arguments(node), ast.get_docstring(node) or "")
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from of_class(room, node, classes)


def of_class(
    room: str, node: ast.ClassDef, classes: dict[str, ast.ClassDef]
) -> Iterator[Documented]:
    methods = [n for n in node.body if isinstance(n, ast.FunctionDef)]
    made = next((arguments(m) for m in methods if m.name == "__init__"), None)
    fields = {
        name: kind
        for name, kind in fields_of(node).items()
        if not any(name in fields_of(above) for above in bases(node, classes))
    }
    said = ast.get_docstring(node) or ""
    # pydantic's way: a string below the field
    for field, below in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            said += f" ``{ast.unparse(field.target)}``"
    yield Documented(room, node.name, fields if made is None else made, said)
    for method in methods:
        name = method.name
        declared_elsewhere = QT_NAME.fullmatch(name) or is_override(name, node, classes)
        if not name.startswith("_") and not declared_elsewhere:
            said = ast.get_docstring(method) or ""
            yield Documented(room, f"{node.name}.{name}", arguments(method), said)


def fields_of(node: ast.ClassDef) -> dict[str, str]:
    return {
        n.target.id: ast.unparse(n.annotation)
        for n in node.body
        if isinstance(n, ast.AnnAssign)
        and isinstance(n.target, ast.Name)
        and not n.target.id.startswith("_")
        and not CONSTANT.match(ast.unparse(n.annotation))
    }


def bases(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> Iterator[ast.ClassDef]:
    """Classes of this package above a class, nearest first."""
    for base in node.bases:
        named = base.value if isinstance(base, ast.Subscript) else base
        above = classes.get(ast.unparse(named).rpartition(".")[2])
        if above is not None and above is not node:
            yield above
            yield from bases(above, classes)


def is_override(name: str, node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> bool:
    """Whether a base class in this package has a public method of that name."""
    return any(
        isinstance(n, ast.FunctionDef) and n.name == name
        for above in bases(node, classes)
        for n in above.body
    )


def arguments(node: ast.FunctionDef) -> dict[str, str]:
    a = node.args
    every = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
    kinds = {x.arg: ast.unparse(x.annotation) if x.annotation else "" for x in every}
    return {
        name: kind
        for name, kind in kinds.items()
        if name not in ("self", "cls") and not name.startswith("_") and not OPTION.search(kind)
    }


def is_documented(name: str, docstring: str) -> bool:
    section = re.split(r"\n(?:Parameters|Attributes)\n-+\n", docstring)
    listed = any(
        re.search(rf"^\**(\w+, )*{name}(, \**\w+)*( :.*)?$", part, re.MULTILINE)
        for part in section[1:]
    )
    return listed or f"``{name}``" in docstring


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missing", metavar="ROOM", help="also name what is missing in a room")
    parser.add_argument(
        "--least", type=float, default=0.0, metavar="PERCENT", help="fail where a room is below"
    )
    parser.add_argument(
        "--but", nargs="*", default=[], metavar="ROOM", help="rooms that --least does not hold for"
    )
    asked = parser.parse_args()
    trees = dict(modules())
    classes = classes_of(list(trees.values()))
    counts: Counter[tuple[str, str]] = Counter()
    for module, tree in trees.items():
        room = module.partition(".")[0]
        for thing in public(room, tree, classes):
            missing = thing.missing()
            arrays = thing.takes_arrays()
            counts[room, "parameters"] += len(thing.parameters)
            counts[room, "documented"] += len(thing.parameters) - len(missing)
            counts[room, "with arrays"] += arrays
            counts[room, "with shapes"] += arrays and thing.gives_shapes()
            if room == asked.missing:
                if missing:
                    sys.stdout.write(f"{module}.{thing.name}: {', '.join(missing)}\n")
                if arrays and not thing.gives_shapes():
                    sys.stdout.write(f"{module}.{thing.name}: no shape\n")
    sys.stdout.write(
        f"{'room':14}{'parameters documented':>24}{'functions of arrays with shapes':>34}\n"
    )
    below = []
    for room in [*sorted({room for room, _ in counts}), "all"]:
        n = Counter[str]()
        for (of, what), number in counts.items():
            n[what] += number * (room in (of, "all"))
        if n["parameters"]:
            share = n["documented"] / n["parameters"]
            shapes = f"{n['with shapes']} of {n['with arrays']}" if n["with arrays"] else "–"
            sys.stdout.write(
                f"{room:14}{n['documented']:>9} of {n['parameters']:<5}{share:>6.0%}{shapes:>34}\n"
            )
            shaped = n["with shapes"] / n["with arrays"] if n["with arrays"] else 1.0
            if 100 * min(share, shaped) < asked.least and room not in (*asked.but, "all"):
                below.append(room)
    if below:
        sys.stdout.write(
            f"Below {asked.least:g} %: {', '.join(below)}; --missing ROOM names what is missing.\n"
        )
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
