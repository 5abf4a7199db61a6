"""The plain facts of a sentence that can be compared one by one: numbers and names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

from core.language import is_stopword, raw_words, stem

_SMALL = {
    w: str(n)
    for n, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
}
# Two letters stand side by side in any text.
_SHORTEST = 3
_BETWEEN = re.compile(r"[.,;:!?()\[\]{}|\n]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def numbers(text: str) -> list[str]:
    """Numbers in one form: "1,000" and "1000", "two" and "2" are the same; "one" is a pronoun."""
    found = [_plain_number(n) for n in _NUMBER.findall(text)]
    found += [_SMALL[w] for w in raw_words(text) if w in _SMALL and w not in ("zero", "one")]
    return found


def _plain_number(text: str) -> str:
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        text = text.replace(",", "")
    return text.rstrip(".,")


_NAME = re.compile(r"[A-Za-z][\w+#]*(?:[-.][A-Za-z0-9+#]\w*)*", re.ASCII)


def names(claim: str) -> list[str]:
    """Proper names and identifiers: a capital or digit inside, or a capital not at the start.

    Of "GAN-based" only the piece that is a name counts.
    """
    found = []
    for match in _NAME.finditer(claim):
        for place, piece in enumerate(match.group().split("-")):
            opens = match.start() == 0 and place == 0
            inside = any(c.isupper() or c.isdigit() or c in "_." for c in piece[1:])
            if inside or (piece[:1].isupper() and not opens and not is_stopword(piece)):
                found.append(_name_key(piece))
    return found


def initials(text: str) -> str:
    """First letters of the words in order: "recurrent neural network" bears out RNN.

    A stop word or a punctuation mark ends a run: in a long text of one single run, most short names
    of three letters would be found by chance.
    """
    runs = (raw_words(run) for run in _BETWEEN.split(text.replace("-", " ")))
    return " ".join(
        "".join(" " if is_stopword(word) else word[0] for word in words) for words in runs
    )


def _name_key(name: str) -> str:
    return stem(name.lower().removesuffix("'s"))


def name_keys(text: str) -> Iterator[str]:
    """All words of a text in the form in which `names` gives names, and their pieces."""
    for match in _NAME.finditer(text):
        name = match.group()
        yield _name_key(name)
        for piece in re.split(r"[-._]", name):
            yield _name_key(piece)


class Known:
    """The names and numbers of a text, against which those of a claim are held."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.numbers = frozenset(numbers(text))
        self._names = frozenset(name_keys(text))

    def __contains__(self, key: str) -> bool:
        """Whether the text has a word, in the form of `name_keys`."""
        return key in self._names

    @cached_property
    def _initials(self) -> str:
        return initials(self._text)

    def respelled(self, claim: str) -> str:
        """The claim with the capitals of names as the text has them: a small model makes
        "GoMAXPROCS" of GOMAXPROCS."""

        def own(match: re.Match[str]) -> str:
            name = match.group()
            odd = any(letter.isupper() for letter in name[1:]) and name not in self._written
            return self._spelled.get(name.lower(), name) if odd else name

        return _NAME.sub(own, claim)

    @cached_property
    def _written(self) -> Counter[str]:
        return Counter(match.group() for match in _NAME.finditer(self._text))

    @cached_property
    def _spelled(self) -> dict[str, str]:
        """How a name is written most often, by its small letters."""
        return {name.lower(): name for name, _ in reversed(self._written.most_common())}

    def strange(self, claim: str, shortest: int = _SHORTEST) -> frozenset[str]:
        """Names that are neither the text's nor the short form, of so many letters at least, of
        words that stand there one after another."""
        return frozenset(name for name in names(claim) if not self._bears(name, shortest))

    def _bears(self, name: str, shortest: int) -> bool:
        short = len(name) >= shortest and name.isalpha()
        return name in self._names or (short and name in self._initials)
