"""True sentences made false: the weak supervision of the faithfulness judge.

Each function takes a sentence and a seeded random generator and gives a false version, or None
where the sentence has nothing to change. One thing is changed at a time, so that the judge has
to find it: a number, a negation, an opposite, a name, the roles of two names.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from core.article import Language
from core.judging.facts import names
from core.judging.polarity import opposites
from core.language import morphemes, stem

_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?![\w.]*\d)")


def number(sentence: str, chance: random.Random) -> str | None:
    places = list(_NUMBER.finditer(sentence))
    if not places:
        return None
    place = chance.choice(places)
    return sentence[: place.start()] + _another(place.group(), chance) + sentence[place.end() :]


def _another(number: str, chance: random.Random) -> str:
    """A near one, or one of another size; never the same."""
    digits = number.replace(",", "")
    whole, _, rest = digits.partition(".")
    value = int(whole)
    choices = {value + 1, value + chance.randint(2, 9), value * 2, value * 10, max(0, value - 1)}
    changed = str(chance.choice(sorted(choices - {value})))
    return f"{changed}.{rest}" if rest else changed


_AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|will|would|should|must|may|does|do|did|has|have|had)\b(?! not\b)(?!n't)",
    re.I,
)
_NEGATED = re.compile(
    r"\b(?:(is|are|was|were|could|would|should|does|do|did|has|have|had|must|may|will)(?: not|n't)|(can)(?:not|'t| not))\b",
    re.I,
)
_VERB_S = re.compile(
    r"(?<=[a-z] )(?!this|its|less|class|process|access|across|always|plus|thus)([a-z]{3,}[^s\W])s (?=[a-z])"
)
_WE = re.compile(r"\b(We|we|You|you|They|they) (?!can|do|will|are|were|have|must|may)([a-z]+) ")


def negation(sentence: str, chance: random.Random) -> str | None:
    """A negation added or, where there is one, mostly taken away."""
    there = _NEGATED.search(sentence)
    if there is not None and chance.random() < 0.7:
        kept = there.group(1) or there.group(2)
        return sentence[: there.start()] + kept + sentence[there.end() :]
    options = [
        sentence[: found.end()] + " not" + sentence[found.end() :]
        for found in _AUXILIARY.finditer(sentence)
    ]
    for found in _WE.finditer(sentence):
        changed = f"{found.group(1)} do not {found.group(2)} "
        options.append(sentence[: found.start()] + changed + sentence[found.end() :])
    return chance.choice(options).replace("can not ", "cannot ") if options else None


_KO_TURNS = (
    (re.compile(r"수 있(?=[습다는어으고을지])"), "수 없"),
    (re.compile(r"수 없(?=[습다는어으고을지])"), "수 있"),
    (re.compile(r"(?<=[가-힣])합니다(?=[.\s]|$)"), "하지 않습니다"),
    (re.compile(r"(?<=[가-힣])한다(?=[.\s]|$)"), "하지 않는다"),
    (re.compile(r"(?<=[가-힣])됩니다(?=[.\s]|$)"), "되지 않습니다"),
    (re.compile(r"(?<=[가-힣])된다(?=[.\s]|$)"), "되지 않는다"),
    (re.compile(r"하지 않습니다"), "합니다"),
    (re.compile(r"하지 않는다"), "한다"),
    (re.compile(r"되지 않습니다"), "됩니다"),
    (re.compile(r"(?<=[가-힣])입니다(?=[.\s]|$)"), "이 아닙니다"),
    (re.compile(r"있습니다(?=[.\s]|$)"), "없습니다"),
    (re.compile(r"있다(?=[.\s]|$)"), "없다"),
    (re.compile(r"없다(?=[.\s]|$)"), "있다"),
)


def negation_ko(sentence: str, chance: random.Random) -> str | None:
    options = [
        sentence[: found.start()] + other + sentence[found.end() :]
        for pattern, other in _KO_TURNS
        for found in pattern.finditer(sentence)
    ]
    return chance.choice(options) if options else None


_WORD = re.compile(r"[A-Za-z][A-Za-z-]*")


def antonym(sentence: str, chance: random.Random) -> str | None:
    known = opposites("en")
    places = [m for m in _WORD.finditer(sentence) if stem(m.group().lower()) in known]
    if not places:
        return None
    place = chance.choice(places)
    word = place.group()
    other = _inflected(word, chance.choice(sorted(known[stem(word.lower())])))
    return sentence[: place.start()] + other + sentence[place.end() :]


def _inflected(word: str, other: str) -> str:
    """The stem `other` with the ending of `word`: removes for adds, of the stem `remov`."""
    restored = _restored().get(other, other)
    lower = word.lower()
    base = _restored().get(stem(lower), lower)
    if lower != base and lower.endswith("ing"):
        restored = restored.removesuffix("e") + "ing"
    elif lower != base and lower.endswith("ed"):
        restored = restored.removesuffix("e") + "ed"
    elif lower != base and lower.endswith("s"):
        restored += "es" if restored.endswith(("s", "x", "ch", "sh")) else "s"
    return restored.capitalize() if word[0].isupper() else restored


def _restored() -> dict[str, str]:
    """Stems to the words of the list of opposites they come from."""
    from importlib.resources import files

    text = (files("core.judging") / "data" / "opposites_en.txt").read_text("utf-8")
    pairs = " ".join(line for line in text.splitlines() if not line.startswith("#")).split()
    # of "removing" and "remove", which share a stem, the shorter one takes endings
    listed = sorted((word for pair in pairs for word in pair.split("/")), key=len, reverse=True)
    return {stem(word): word for word in listed}


def antonym_ko(sentence: str, chance: random.Random) -> str | None:
    known = opposites("ko")
    places = [t for t in morphemes(sentence) if t.tag == "NNG" and t.form in known]
    if not places:
        return None
    place = chance.choice(places)
    other = chance.choice(sorted(known[place.form]))
    return sentence[: place.start] + other + sentence[place.start + place.len :]


def name(sentence: str, chance: random.Random, others: Sequence[str]) -> str | None:
    """A name of the sentence replaced by one of `others`, names of other articles."""
    places = [m for m in re.finditer(r"[A-Za-z][\w.+#-]*", sentence) if names(f"x {m.group()}")]
    if not places or not others:
        return None
    place = chance.choice(places)
    other = chance.choice(others)
    if other.lower() in sentence.lower():
        return None
    return sentence[: place.start()] + other + sentence[place.end() :]


_ROLES = re.compile(
    r"\b([A-Za-z][\w-]+)( (?:than|before|after|over|into|from|to|instead of|rather than|calls|uses|replaces|contains|depends on) (?:the |a |an )?)([A-Za-z][\w-]+)\b"
)


def roles(sentence: str, chance: random.Random) -> str | None:
    """The two sides of a relation that has a direction change places."""
    places = [m for m in _ROLES.finditer(sentence) if m.group(1).lower() != m.group(3).lower()]
    if not places:
        return None
    place = chance.choice(places)
    turned = place.group(3) + place.group(2) + place.group(1)
    return sentence[: place.start()] + turned + sentence[place.end() :]


Corruption = Callable[[str, random.Random], str | None]
CORRUPTIONS: dict[Language, dict[str, Corruption]] = {
    "en": {"number": number, "negation": negation, "antonym": antonym, "roles": roles},
    "ko": {"number": number, "negation": negation_ko, "antonym": antonym_ko},
}
