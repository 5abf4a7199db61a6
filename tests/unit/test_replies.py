"""Everything people hear exists in both languages and says something to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Any, get_args

import pytest

from bot import replies, words
from bot.sources import NoSuchFile
from core import errors
from core.digest import LABELS, FactorName
from core.errors import BadArticle, DigestError, ModelNotReady, NotFound, SettingsError

HANGUL = re.compile(r"[가-힣]")
POLITE = re.compile(r"(니다|세요|니다\.|세요\.)$")


def tree(root: type[DigestError]) -> Iterator[type[DigestError]]:
    yield root
    for below in root.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from tree(below)


def an_error(kind: type[DigestError], reason: str = "") -> DigestError:
    return SettingsError([reason]) if kind is SettingsError else kind("subject", reason)


KINDS = list(tree(DigestError))
OURS = [*KINDS, NoSuchFile]


def test_the_whole_tree_is_walked() -> None:
    named = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert len(named) > 20
    assert {kind.__name__ for kind in KINDS} == {"DigestError", *named}


def test_every_code_is_its_own_and_has_a_sentence() -> None:
    codes = [kind.code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    assert set(replies.ERRORS) == {*codes, NoSuchFile.code}


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.code)
def test_an_error_is_one_clear_sentence_in_both_languages(kind: type[DigestError]) -> None:
    english = replies.sentence(an_error(kind), "en")
    korean = replies.sentence(an_error(kind), "ko")
    assert not HANGUL.search(english)
    assert english[0].isupper()
    assert english.rstrip().endswith(".")
    assert re.search(r"please|ask|run |shows", english), "it says what to do"
    assert HANGUL.search(korean)
    assert POLITE.search(korean.rstrip().rstrip("."))
    assert "{" not in english + korean


def test_the_cause_is_told_where_it_is_ours() -> None:
    for error in (BadArticle("row", "content is missing"), ModelNotReady("model", "disk full")):
        assert error.reason in replies.sentence(error, "en")
        assert error.reason in replies.sentence(error, "ko")


def test_mistakes_in_the_settings_are_listed_line_by_line() -> None:
    error = SettingsError(["config.yaml: databse: no such setting", "config.yaml: b"])
    assert replies.sentence(error, "en").splitlines()[1:] == error.problems


def test_what_a_site_said_does_not_reach_people() -> None:
    assert "@everyone" not in replies.sentence(NotFound("http://x", "@everyone come"), "en")


def test_an_error_nobody_wrote_a_sentence_for_gets_that_of_its_kin() -> None:
    class Vanished(NotFound):
        code = "vanished"

    assert replies.sentence(Vanished("x"), "en") == replies.sentence(NotFound("x"), "en")


@pytest.mark.parametrize("said", [replies.NOTES, replies.LABELS, replies.FACTORS, words.WORDS])
def test_both_languages_say_everything(said: Mapping[str, tuple[str, str]]) -> None:
    assert said
    for key, (korean, english) in said.items():
        assert HANGUL.search(korean), key
        assert english, key
        assert not HANGUL.search(english), key
        assert _fields(korean) == _fields(english), key


def test_every_label_and_factor_has_its_word() -> None:
    assert set(replies.LABELS) == set(LABELS)
    assert set(replies.FACTORS) == set(get_args(FactorName))
    assert [replies.label(label, "ko") for label in LABELS] == [
        "입문",
        "초급",
        "중급",
        "고급",
        "전문가",
    ]
    assert replies.factor("terms", "en") == "specialist terms"


def test_the_notes_of_the_digester_are_known() -> None:
    promised = {
        "difficulty_close",
        "korean_extractive",
        "no_translation",
        "partly_drafted",
        "nothing_supported",
    }
    assert promised <= set(replies.NOTES)
    assert replies.note("korean_extractive", "en").startswith("This model writes no Korean")
    assert replies.note("something_new", "ko") == "something_new"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\x1b[31mred\x9b0m", "a[31mred0m"),
        ("one\r\ntwo\tthree", "one two three"),
        ("safe\u202eevil\u2066", "safeevil"),
        ("연결 풀 \U0001f469\u200d\U0001f4bb", "연결 풀 \U0001f469\u200d\U0001f4bb"),
    ],
)
def test_plain_text_cannot_move_the_cursor(given: str, kept: str) -> None:
    assert replies.plain(given) == kept


def _fields(text: str) -> set[Any]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
