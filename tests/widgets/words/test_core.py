"""What the core says in English is said in the person's language wherever a dock shows it, and none of it is forgotten."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import napari_sem_sr
from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.errors import SemSrError
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.widgets.words import words_of_core as book
from tests.widgets.words.test_words import around, called, strings

ROOT = Path(napari_sem_sr.__file__).parent
TABLE = book("ja")
# what the docks never show: the terminal, studies, and what is written into the page of a report, figures and files
ELSEWHERE = (
    "cli/", "exchange/", "study/", "widgets/", "samples/", "terminal.py", "doctor.py", "api.py", "templates.py", "__init__.py",
    "checking/bench.py", "checking/cluster.py",
    "checking/pipeline/block.py", "checking/report/html.py", "checking/report/images.py", "checking/report/page.py",
    "checking/report/plots.py", "checking/view/", "measure/report", "measure/scratch.py", "degradation/match_picture.py",
    "inference/bench/", "inference/block.py", "inference/cluster", "inference/workers.py", "inference/engine/machine.py",
    "inference/engine/tile_calibration.py", "axial/left_out/comparison.py", "axial/left_out/files.py",
    "io/write/png.py", "training/optimise/vgg.py",
)  # fmt: skip
# modules that name fields of files and maps of the report; what they tell a person ends as a sentence does
NAMES = re.compile(
    r"io/metadata/(?!merged|form)\w+\.py|io/read/volumes/hdf5_words\.py|checking/evidence/(?!domain)\w+\.py"
)
# calls that tell a person something, whatever it is
TOLD = {e.__name__ for e in SemSrError.__subclasses__()} | {
    "SemSrError", "MemoryShortError", "Notice", "Remark", "Progress", "Light", "Outlook",
}  # fmt: skip
FOR_PROGRAMS = {
    "ValueError", "TypeError", "RuntimeError", "KeyError", "AssertionError", "get", "join", "getattr", "removesuffix",
    "compile", "sub", "strftime", "exception",
}  # fmt: skip
# names, formats and phrases so short that they are no sentence
UNSAID = re.compile(
    r"\w+ \| None|napari-sem-sr|green|amber|red|grey|is|are|torch\.|/name|.*<!--.*|.*%H:%M.*|Microscope Info|(un)?signed \w+|"
    r"short int|Tilt Corrn\.|module \{0\} has no attribute \{1\}|slice k is .*| \(--name NAME\)|super-resolved \(synthetic\)|offset points|axes fraction|\{0\} LR px|\{0\} nm|\{0\} to \{1\}|\{0\} \(\{1\} to \{2\}\)"
)


def core() -> list[Path]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if not place.startswith(ELSEWHERE):
            found.append(path)
    return found


def template_of(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    blanks = iter(range(100))
    return "".join(
        str(v.value) if isinstance(v, ast.Constant) else f"{{{next(blanks)}}}" for v in node.values
    )


def is_for_programs(node: ast.AST) -> bool:
    for child, parent in around(node):
        if isinstance(parent, ast.Call) and child is not parent.func:
            if called(parent) in TOLD:
                return False
            if called(parent) in FOR_PROGRAMS:
                return True
        if isinstance(parent, ast.keyword) and parent.arg in ("errors", "mode", "encoding"):
            return True
        if isinstance(parent, ast.Compare | ast.Subscript | ast.Assert):
            return True
        if isinstance(parent, ast.FunctionDef):
            return child is parent.returns
    return False


def is_told(node: ast.AST) -> bool:
    return any(
        isinstance(parent, ast.Call) and child is not parent.func and called(parent) in TOLD
        for child, parent in around(node)
    )


def is_meaning(node: ast.AST) -> bool:
    """Whether it says in a dock what a map of the check shows."""
    child, parent = next(iter(around(node)))
    return isinstance(parent, ast.Call) and called(parent) == "MapKind" and child in parent.args


def sentences(path: Path) -> Iterator[str]:
    for node in strings(path):
        text = template_of(node)
        if not re.search("[a-z]{2,}", re.sub(r"\{\d+\}", "", text)) or UNSAID.fullmatch(text):
            continue
        if NAMES.fullmatch(path.relative_to(ROOT).as_posix()) and not (
            text.endswith(".") or is_meaning(node)
        ):
            continue
        if (" " in text.strip() or is_told(node)) and not is_for_programs(node):
            yield text


def test_every_sentence_of_the_core_has_a_translation() -> None:
    said = {text: path.name for path in core() for text in sentences(path)}
    assert len(said) > 600
    assert {text: where for text, where in said.items() if text not in TABLE.table} == {}
    assert sorted(set(TABLE.table) - set(said)) == []


def test_a_translation_fills_in_nothing_that_is_not_there_and_is_one() -> None:
    for text, said in TABLE.table.items():
        blanks = set(re.findall(r"\{\d+\}", text))
        assert set(re.findall(r"\{\d*\}", said)) <= blanks, text
        assert re.search(r"[぀-ヿ一-鿿]", said) or not re.search(r"[A-Za-z]{4}", said), text


def test_no_option_of_the_command_line_is_left_in_a_translation() -> None:
    assert [said for said in TABLE.table.values() if re.search(r"(?<![\w-])--[a-z]", said)] == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("'a.tif' is empty (shape (0, 4, 4)); give at least one image.",
         "「a.tif」は空です(形 (0, 4, 4))。画像を 1 枚以上使ってください。"),
        # a phrase in a blank, sentences one after the other, lines, links
        ("The noise of 'a' cannot be measured: it is constant. It was assumed to have none; type it in if that is wrong.",
         "「a」は一定値なのでノイズを測定できません。ノイズはないものとしました。違う場合は入力してください。"),
        ("May not fit. 'b' fits better. <a href='why'>why…</a>",
         "合わない可能性があります。「b」の方が合います。<a href='why'>why…</a>"),
        ("its LR is noisier than every teacher's and its LR is more blurred than every teacher's",
         "LR のノイズがどの教師画像よりも大きいです、LR のぼけがどの教師画像よりも大きいです"),
        ("Its LR is noisier than every teacher's.", "LR のノイズがどの教師画像よりも大きいです。"),
        # a phrase after which another one goes on
        (" and follows HR down to detail of 19.4 nm; look at the 10 suspect places first",
         "。19.4 nm までの細部が HR と一致します。まず 10 か所の要確認箇所を見てください"),
        # names and what is Japanese already
        ("SR of my_stack (2).tif", "SR of my_stack (2).tif"),
        ("3 枚のスライス", "3 枚のスライス"),
    ],
)  # fmt: skip
def test_a_sentence_is_recognised_whatever_stands_in_its_blanks(said: str, shown: str) -> None:
    assert TABLE.say(said) == shown


def test_noise_and_blur_are_said_in_one_language() -> None:
    said = TABLE.say(Conditions(0.05, 0.08, 0.4, 0.5).sentence(IntensityRange(0, 200)))
    assert not re.search("[a-z]{3}", said), said
