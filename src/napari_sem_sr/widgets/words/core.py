"""What the core says in English, in the language of the person.

The core knows no languages: its sentences are English, on a terminal, in files and in errors. Where one becomes visible in
a dock it is recognised by its template (``ja.core.json``: ``'{0}' is empty (shape {1}); ...``), and what stands in the
blanks is looked up in turn, as it may be a phrase of the core itself.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

_BLANK = re.compile(r"\{\d+\}")
_LINK = re.compile(r"(<a [^>]*>.*?</a>)")
_END_OF_SENTENCE = re.compile(r"(?<=[.:?!])\s+")
# What lines, and reasons, are joined with.
_LINES = ("\n", "<br>")
_BULLET = "• "
_JOINTS = (" and ", "; ", ", ")


@dataclass(frozen=True)
class _Template:
    """One sentence with blanks, and what it is in another language."""

    pattern: re.Pattern[str]
    said: str

    @classmethod
    def of(cls, text: str, said: str) -> "_Template":
        """Make it of ``text`` with blanks ``{0}``, ``{1}``, ... in this order."""
        parts = [re.escape(part) for part in _BLANK.split(text)]
        return cls(re.compile("(.*?)".join(parts), re.DOTALL), said)


class Phrasebook:
    """Sentences of the core in one other language.

    Parameters
    ----------
    table
        Translations by English template; blanks are numbered in the order of the English sentence.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self.table = table
        self._whole = {text: said for text, said in table.items() if not _BLANK.search(text)}
        # the most particular first: a short template fits much that it does not mean
        blanks = sorted(
            (text for text in table if _BLANK.search(text)),
            key=lambda text: -len(_BLANK.sub("", text)),
        )
        self._templates = [_Template.of(text, table[text]) for text in blanks]
        self.say = lru_cache(maxsize=4096)(self._say)

    def _say(self, text: str) -> str:
        """``text`` as far as it is known; names, numbers and what is translated already stay."""
        if not re.search("[A-Za-z]{2}", text):
            return text
        head, joint, tail = text.rpartition("; ")
        parts = self._found(head), self._found(f"{joint}{tail}")
        if joint and None not in parts:
            return "".join(map(str, parts))
        found = self._found(text)
        if found is not None:
            return found
        for mark in _LINES:
            if mark in text:
                return mark.join(self.say(part) for part in text.split(mark))
        if _LINK.search(text):
            return "".join(p if _LINK.fullmatch(p) else self.say(p) for p in _LINK.split(text))
        if text.startswith(_BULLET):
            return f"{_BULLET}{self.say(text.removeprefix(_BULLET))}"
        for joint in _JOINTS:
            reasons = [self._found(part) for part in text.split(joint)]
            if len(reasons) > 1 and None not in reasons:
                return "、".join(str(reason) for reason in reasons)
        for head, rest in self._divisions(text):
            found = self._found(head)
            if found is not None:
                return f"{found}{self.say(rest)}"
        return text

    def _divisions(self, text: str) -> Iterator[tuple[str, str]]:
        """The text divided after a sentence, the longest beginning first."""
        ends = list(_END_OF_SENTENCE.finditer(text))
        for end in reversed(ends):
            yield text[: end.start()], text[end.end() :]

    def _found(self, text: str) -> str | None:
        """Translation of a text that is one sentence or phrase; the case of its first letter is no matter."""
        stripped = text.strip()
        for form in dict.fromkeys(
            (
                text,
                stripped,
                stripped[:1].upper() + stripped[1:],
                stripped[:1].lower() + stripped[1:],
            )
        ):
            if form in self._whole:
                return self._whole[form]
            for template in self._templates:
                match = template.pattern.fullmatch(form)
                if match:
                    return template.said.format(*(self.say(part) for part in match.groups()))
        # a reason that was made a sentence
        if stripped.endswith(".") and (bare := self._found(stripped[:-1])) is not None:
            return f"{bare}。"
        return None
