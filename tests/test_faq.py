"""The page of questions quotes messages as the product prints them today."""

import ast
import re
from pathlib import Path

import napari_sem_sr

PAGE = Path(__file__).parents[1] / "docs" / "faq.md"


def printed() -> str:
    """All literal text of the package."""
    parts = [
        node.value
        for file in Path(napari_sem_sr.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return "\n".join(parts)


def test_every_quoted_message_is_one_that_the_product_prints() -> None:
    quoted = re.findall(
        r"`([^`]+)`", "\n".join(re.findall(r"^\*\*(`.*)\*\*:", PAGE.read_text("utf-8"), re.M))
    )
    assert len(quoted) > 20
    text = printed()
    pieces = [piece.strip(" .") for message in quoted for piece in message.split("…")]
    assert [piece for piece in pieces if piece not in text] == []
