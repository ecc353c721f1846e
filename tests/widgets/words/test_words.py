"""Every sentence that the widgets show goes through one table, and every language has them all."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import napari_sem_sr.widgets
from napari_sem_sr.widgets import words

ROOT = Path(napari_sem_sr.widgets.__file__).parent
TRANSLATED = [name for name in words.LANGUAGES if name != words.ENGLISH]
# calls whose text a person reads
SHOWN = frozenset(
    [
        "setText",
        "setToolTip",
        "setWindowTitle",
        "setPlaceholderText",
        "setAccessibleName",
        "setAccessibleDescription",
        "setSuffix",
        "setSpecialValueText",
        "addItem",
        "addItems",
        "addTab",
        "addAction",
        "addRow",
        "addButton",
        "QLabel",
        "QPushButton",
        "QCheckBox",
        "QListWidgetItem",
        "tool",
        "field",
        "primary",
        "FoldedSection",
        "DropZone",
        "Line",
        "say",
        "ask",
        "show_info",
        "show_warning",
        "question",
        "getOpenFileName",
        "getOpenFileNames",
        "getSaveFileName",
        "getExistingDirectory",
        "getDouble",
        "getText",
        "InputError",
        "setHeaderLabels",
        "make_plot",
        "drawText",
        "PictureDialog",
        "append",
        "link",
        "information",
        "warning",
        "critical",
    ]
)
# calls whose text is for programs
NOT_SHOWN = frozenset(
    [
        "RuntimeError",
        "TypeError",
        "ValueError",
        "NotImplementedError",
        "KeyError",
        "setStyleSheet",
        "setObjectName",
        "setProperty",
        "compile",
        "start",
        "_begin",
        "recall",
        "remember",
        "getattr",
        "setattr",
        "bind_key",
        "Signal",
        "removesuffix",
        "startswith",
        "endswith",
        "findText",
        "create_worker",
        "replace",
        "split",
        "partition",
        "get",
        "import_module",
        "add_plugin_dock_widget",
        "to",
    ]
)
# what is the same in every language, or is written into files that are for everyone
UNTRANSLATED = re.compile(
    r"RdBu_r|side by side|opaque grey|(medulla|tin) .*|QLabel\[.*|QLabel .*|Q\w+::.*|Q\w+ \{.*|auto|cpu|cuda|mps|fp32|bf16|fp16|"
    r"nanometer|\w+\.(csv|png|json|html)|SEM super-resolution|(PNG|CSV|HTML|OME-Zarr) .*|Train|Upscale|Inspect|"
    r"(averaged )?SR − (HR|LR|bicubic)|\{\}\{\} \(grey\)|, \{\} band|.* distance \{\}|.* grey level|<b>\{\}.*|font-size.*|\{\} report\.html"
)
# functions that write files for others
FOR_FILES = frozenset({"caption"})
UNITS = re.compile(r"\b(nm|mm|px|kV|dB|min|WD|dpi|SR|LR|HR|SRGAN|GAN)\b")


# what turns the core's English sentences into those of a dock
NOT_SPEAKING = frozenset({"words/__init__.py", "qt/words.py"})


def modules() -> list[Path]:
    return [
        path
        for path in sorted(ROOT.rglob("*.py"))
        if path.relative_to(ROOT).as_posix() not in NOT_SPEAKING
    ]


def parsed(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node  # type: ignore[attr-defined]
    return tree


def called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def spoken() -> dict[str, str]:
    """Sentences that the code says, with the module that says them."""
    found = {}
    for path in modules():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and called(node) == "tr":
                first = node.args[0]
                assert isinstance(first, ast.Constant), (
                    f"{path}:{node.lineno}: tr() takes a literal"
                )
                found[str(first.value)] = f"{path.relative_to(ROOT)}:{node.lineno}"
    return found


def text_of(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)


def around(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Pairs of a node and what is around it, up to the function that it stands in."""
    while (parent := getattr(node, "parent", None)) is not None:
        yield node, parent
        node = parent


def is_for_programs(node: ast.AST) -> bool:
    """Whether a string is no text for a person by where it stands."""
    sink = ""
    for child, parent in around(node):
        if isinstance(parent, ast.FunctionDef):
            return parent.name in FOR_FILES or child is parent.returns or sink == "no"
        if isinstance(parent, ast.arg | ast.Compare | ast.Import | ast.ImportFrom):
            return True
        if isinstance(parent, ast.AnnAssign) and child is parent.annotation:
            return True
        if isinstance(parent, ast.Subscript) and child is parent.slice:
            return True
        if isinstance(parent, ast.Dict) and child in parent.keys:
            return True
        if isinstance(parent, ast.Call) and child is not parent.func:
            name = called(parent)
            if name == "tr" or (name == "link" and child is parent.args[0]):
                return True
            if name in NOT_SHOWN and not sink:
                return True
            sink = sink or ("yes" if name in SHOWN else "")
    return False


def is_shown(node: ast.AST) -> bool:
    return any(
        isinstance(parent, ast.Call) and child is not parent.func and called(parent) in SHOWN
        for child, parent in around(node)
    )


def strings(path: Path) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Strings of a module, whole, without docstrings."""
    for node in ast.walk(parsed(path)):
        parent = getattr(node, "parent", None)
        if not isinstance(node, ast.Constant | ast.JoinedStr):
            continue
        if isinstance(parent, ast.JoinedStr | ast.FormattedValue | ast.Expr):
            continue
        if isinstance(node, ast.JoinedStr) or isinstance(node.value, str):
            yield node


def untranslated(path: Path) -> Iterator[str]:
    for node in strings(path):
        text = text_of(node)
        bare = UNITS.sub("", re.sub(r"\{[^}]*\}|<[^>]*>", "", text))
        prose = " " in text.strip() or text[:1].isupper()
        if not re.search(r"[a-z]{2,}", bare) or UNTRANSLATED.fullmatch(text):
            continue
        if (prose or is_shown(node)) and not is_for_programs(node):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {text!r}"


def test_no_visible_string_bypasses_the_table() -> None:
    assert [found for path in modules() for found in untranslated(path)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_table_holds_every_sentence_and_no_other(language: str) -> None:
    said, table = spoken(), words.table(language)
    assert len(said) > 300
    assert {text: where for text, where in said.items() if text not in table} == {}
    assert sorted(set(table) - set(said)) == []


def blanks(text: str) -> list[str]:
    return sorted(re.findall(r"\{[^}]*\}", text))


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_is_one_and_fills_in_the_same_values(language: str) -> None:
    for text, translation in words.table(language).items():
        assert blanks(text) == blanks(translation), text
        assert translation.strip(), text
    foreign = [t for t in words.table("ja").values() if re.search(r"[぀-ヿ一-鿿]", t)]
    # what is left are symbols and names
    assert len(foreign) > 0.97 * len(words.table("ja"))


@pytest.fixture
def fresh() -> Iterator[None]:
    words.language.cache_clear()
    yield
    words.language.cache_clear()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("wanted", "language"),
    [("ja", "ja"), ("ja_JP.UTF-8", "ja"), ("ja-JP", "ja"), ("en_GB", "en")],
)
def test_the_language_is_chosen(
    monkeypatch: pytest.MonkeyPatch, wanted: str, language: str
) -> None:
    monkeypatch.setenv(words.VARIABLE, wanted)
    assert words.language() == language


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize(
    ("napari", "system", "language"),
    [
        ("ja", "en_US", "ja"),
        ("en", "ja_JP", "en"),
        (None, "ja_JP", "ja"),
        (None, "de_DE", "en"),
        (None, None, "en"),
    ],
)
def test_napari_s_language_comes_before_the_system_s(
    monkeypatch: pytest.MonkeyPatch, napari: str | None, system: str | None, language: str
) -> None:
    monkeypatch.delenv(words.VARIABLE, raising=False)
    monkeypatch.setattr(words, "_naparis", lambda: napari)
    monkeypatch.setattr(words, "_systems", lambda: system)
    assert words.language() == language


@pytest.mark.usefixtures("fresh")
def test_a_sentence_is_said_with_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        words, "table", lambda _: {"{done} of {total} slices": "{total} 枚中 {done} 枚"}
    )
    words._table.cache_clear()
    monkeypatch.setenv(words.VARIABLE, "ja")
    assert words.tr("{done} of {total} slices", done=2, total=5) == "5 枚中 2 枚"
    assert words.tr("not in the table") == "not in the table"
    words._table.cache_clear()
