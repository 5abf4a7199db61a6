"""What a reader should know first: what the article itself asks for, then what it builds on.

First the article's own words (`required.py`). Then what must be at hand (`at_hand.py`), and
technologies that the article uses throughout without introducing them (`data/technologies.txt`),
the languages of its code among them. That one is installed is said only where it is put to use.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from core.article import Language
from core.chunks import Document
from core.judging.at_hand import account, code_of, leads_through_steps, needed
from core.judging.hangul import is_hangul
from core.judging.required import asked_for


@dataclass(frozen=True, slots=True)
class Technology:
    """`spellings`: all of them in lower case, for a quick first look."""

    name: str
    pattern: re.Pattern[str]
    fences: frozenset[str]
    spellings: tuple[str, ...]


# What the article does not say itself is guessed up to so many items in all, at most three of them.
_GUESSED, _WITH_GUESSES = 3, 4


# A text easier than this asks for nothing that it does not name itself: news of a project.
_EASY = 1.75


def prerequisites(
    document: Document, count: int = 5, opinion: Iterable[str] = (), level: float = 3.0
) -> tuple[str, ...]:
    """At most `count`, the article's own first, then what a model thinks (`opinion`, checked
    already), then what is built on. Empty where it asks for nothing in particular. `level`: how hard
    it is, 1-5."""
    found: dict[str, str] = {}
    for item in asked_for(document):
        _add(found, item)
    if level < _EASY:
        return tuple(found.values())[:count]
    most = min(len(found) + _GUESSED, max(len(found), _WITH_GUESSES))
    for item in (*opinion, *needed(document)):
        if len(found) < most:
            _add(found, item)
    led = leads_through_steps(document)
    for technology in _built_on(document, led):
        name = technology.name
        if len(found) < most and not any(_names(name, item) for item in found.values()):
            _add(found, _phrased(technology, document, led))
    return tuple(found.values())[:count]


def _add(found: dict[str, str], item: str) -> None:
    key = item.lower()
    if not any(key in other or other in key for other in found):
        found[key] = item


def _names(name: str, item: str) -> bool:
    """A working Go toolchain asks for Go already."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9+#])", item) is not None


# A technology is built on, and not just mentioned, from this many sentences on (or by its code);
# an idea that most texts touch upon from so many.
_OFTEN, _OFTEN_FOR_IDEAS = 3, 5
# Where nobody is led through steps it has to be a subject, too: in this share of the sentences.
_SHARE = 0.04
# Code of a language that the text never names is asked for when so much of the code is of it.
_MAIN = 0.3
_IDEAS = frozenset(("HTTP", "TLS", "TCP", "DNS", "REST API", "YAML"))
_LOWER_CASE_TOOLS = frozenset(("pandas",))
# How what is built on is asked for, as authors do: an account with it, an installation, knowledge.
_ACCOUNTS = frozenset(("AWS", "Azure", "Google Cloud", "GitHub", "SAP BTP"))
# What is installed, by the commands that show it.
_COMMANDS = {
    "Docker": "docker|docker-compose",
    "Kubernetes": "kubectl|minikube|kubeadm|kind",
    "Helm": "helm",
    "Terraform": "terraform",
    "Ansible": "ansible|ansible-playbook",
    "Git": "git",
    "PostgreSQL": "psql|pg_ctl",
    "MySQL": "mysql|mysqladmin",
    "SQLite": "sqlite3",
    "MongoDB": "mongo|mongosh",
    "Redis": "redis-cli|redis-server",
    "Elasticsearch": "elasticsearch",
    "Cassandra": "cqlsh|nodetool",
    "Kafka": r"kafka-[\w-]+(?:\.sh)?",
    "RabbitMQ": "rabbitmqctl",
    "NGINX": "nginx",
    "CMake": "cmake",
    "Node.js": "node|npm|npx|yarn",
    "Jenkins": "jenkins",
    "Prometheus": "prometheus|promtool",
    "Grafana": "grafana-cli|grafana-server",
    "Jupyter": "jupyter",
    "Webpack": "webpack",
    "Vite": "vite",
}
_PHRASES: dict[Language, dict[str, str]] = {
    "en": {
        "installed": "{name} installed",
        "known": "Familiarity with {name}",
        "understood": "Familiarity with {name}",
    },
    "ko": {
        "installed": "{name} 설치",
        "known": "{name} 사용 경험",
        "understood": "{name}에 대한 이해",
    },
}


def _phrased(technology: Technology, document: Document, led: bool) -> str:
    name, language = technology.name, document.language
    if _is_idea(name):
        korean = next((s for s in technology.spellings if is_hangul(s)), name)
        known = korean if language == "ko" else name
        return _PHRASES[language]["understood"].format(name=known)
    if name in _ACCOUNTS and led:
        return account(name, language)
    kind = "installed" if _is_installed(technology, document) else "known"
    return _PHRASES[language][kind].format(name=name)


def _is_idea(name: str) -> bool:
    return name in _IDEAS or (name.islower() and name not in _LOWER_CASE_TOOLS)


def _is_installed(technology: Technology, document: Document) -> bool:
    """Its commands stand in the code, or the text speaks of installing it."""
    commands = _COMMANDS.get(technology.name)
    if commands is None:
        return False
    if re.search(rf"(?:^|&&|\|)\s*(?:[$#] )?(?:sudo )?(?:{commands})\s", code_of(document), re.M):
        return True
    name = technology.pattern.pattern
    installed = re.compile(
        rf"\binstall\w*\b[^.,;]{{0,30}}?{name}|{name}[^.,;]{{0,30}}?(?:\binstalled\b|설치)"
    )
    return any(installed.search(one.text) for one in document.sentences)


def _built_on(document: Document, led: bool) -> Iterator[Technology]:
    """Technologies by how many sentences they stand in; those of the code come first.

    An article titled "What is Docker?" teaches Docker and does not ask for it.
    """
    scored: list[tuple[bool, int, str, Technology]] = []
    counted, fences = mentions_in(document), _fences(document)
    least = 0.0 if led else _SHARE * len(document.sentences)
    for technology in technologies():
        name, mentions = technology.name, counted[technology.name]
        often = max(_OFTEN_FOR_IDEAS if _is_idea(name) else _OFTEN, least)
        shown = name != "Bash" and _is_shown(technology, fences, mentions)
        if (mentions >= often or shown) and not _teaches(document.title, technology):
            scored.append((not shown, -mentions, name, technology))
    for *_, technology in sorted(scored, key=lambda one: one[:3]):
        yield technology


def _fences(document: Document) -> Counter[str]:
    """Lines of code by the language of their fence."""
    lines: Counter[str] = Counter()
    for block in document.code:
        lines[block.info] += 1 + block.text.count("\n")
    return lines


def _is_shown(technology: Technology, fences: Counter[str], mentions: int) -> bool:
    """The style sheet beside each example is no subject of the article."""
    own = sum(fences[fence] for fence in technology.fences)
    return own > 0 and (mentions > 0 or own >= _MAIN * fences.total())


def mentions_in(document: Document) -> Counter[str]:
    """In how many sentences each technology stands, by its name; all others count zero."""
    counted: Counter[str] = Counter()
    everything = document.prose.casefold()  # most stand nowhere, and that is quickly seen
    for technology in technologies():
        if any(spelling in everything for spelling in technology.spellings):
            search = technology.pattern.search
            counted[technology.name] = sum(search(s.text) is not None for s in document.sentences)
    return counted


def _teaches(title: str, technology: Technology) -> bool:
    introduces = re.search(
        r"\b(?:what (?:is|are)|introduc|getting started|beginner|tutorial|101|overview|basics)|입문|소개|시작하기|이란|기초",
        title,
        re.I,
    )
    return introduces is not None and technology.pattern.search(title) is not None


@lru_cache(maxsize=1)
def technologies() -> tuple[Technology, ...]:
    text = (files("core.judging") / "data" / "technologies.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    spelled = [_spellings(line) for line in lines]
    return tuple(_technology(line, spelled) for line in lines)


def _spellings(line: str) -> list[str]:
    name, aliases, _ = line.split("|")
    return [name.strip(), *(a.strip() for a in aliases.split(",") if a.strip())]


def _technology(line: str, spelled: Iterable[list[str]]) -> Technology:
    spellings = _spellings(line)
    others = [one for own in spelled if own != spellings for one in own]
    name, fences = spellings[0], line.split("|")[2]
    either = "|".join(_exact(s, others) for s in sorted(spellings, key=len, reverse=True))
    flags = re.I if name.islower() else re.NOFLAG
    pattern = re.compile(rf"(?<![A-Za-z0-9_가-힣-])(?:{either})(?![A-Za-z0-9_+#])", flags)
    shown = frozenset(f.strip() for f in fences.split(",") if f.strip())
    return Technology(name, pattern, shown, tuple(s.casefold() for s in spellings))


def _exact(spelling: str, others: Iterable[str]) -> str:
    """자바 is not 자바스크립트: Korean goes on without a space, so the longer names are ruled out."""
    if spelling == "Go":
        return r"Go(?!(?<=^Go) (?:to|back|ahead|through|into)\b)"  # "Go to the cockpit."
    longer = [o[len(spelling) :] for o in others if o.startswith(spelling)]
    if not longer or not is_hangul(spelling):
        return re.escape(spelling)
    return f"{re.escape(spelling)}(?!{'|'.join(map(re.escape, longer))})"
