"""Pages that stand in front of an article, told apart before anybody summarises them.

A log-in form, a consent dialogue or a bot check answers with a friendly 200 and readable
sentences. What gives it away is that there is little else: every rule here asks first how much
text was found, because an article about cookies, or one with a cookie banner on it, is an
article.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxml.etree import _Element

from core.errors import EmptyArticle, LoginWall, NothingToRead, PageTooThin, ScriptWall
from core.web.blocks import Block, words_in

AN_ARTICLE = 150  # words from which only a text that is itself the wall is taken for one
A_LONG_ARTICLE = 450  # no consent dialogue is as long as that

_BOT_TITLE = re.compile(
    r"^\W*(?:just a moment|attention required|access denied|are you (?:a )?(?:human|robot)|one more step"
    r"|security check|please wait|bot verification|human verification|robot check|verif(?:y|ying) you are human"
    r"|captcha|pardon our interruption|ddos-guard|checking your browser)\b",
    re.IGNORECASE,
)
_BOT_TEXT = re.compile(
    r"verify (?:that )?you(?:'re| are) (?:a )?(?:not a (?:ro)?bot|human)|checking (?:if the site connection is secure|your browser)"
    r"|(?:complete|solve) the (?:captcha|security check)|unusual (?:traffic|activity) from your"
    r"|enable (?:javascript and )?cookies to continue|prove (?:that )?you(?:'re| are) (?:not a robot|human)"
    r"|자동\s*(?:입력|등록)\s*방지|로봇이\s*아닙니다",
    re.IGNORECASE,
)
_SCRIPT_TEXT = re.compile(
    r"(?:enable|activate|turn on|requires?|need)\W+(?:\w+\W+){0,3}javascript"
    r"|javascript (?:is|seems to be|has been) (?:disabled|not (?:enabled|available|supported)|required|turned off)"
    r"|(?:without|this (?:app|site|page) \w+ \w*) javascript enabled|자바스크립트(?:를|가)\s*(?:활성화|사용|켜|꺼져|비활성)"
    r"|browser (?:is (?:not|no longer) supported|does not support)",
    re.IGNORECASE,
)
_CONSENT = re.compile(
    r"\b(?:we|our)\b[^.]{0,60}\b(?:cookies?|partners?|vendors?)\b|your (?:consent|privacy|personal data|preferences|choices)"
    r"|(?:accept|reject|allow|decline|manage) (?:all|cookies|preferences|settings|options)|legitimate interest"
    r"|before you continue|personali[sz]ed (?:ads|content|advertising)|privacy policy|withdraw (?:your )?consent"
    r"|쿠키(?:를|의)?\s*(?:사용|수집|허용|동의)|개인\s*정보\s*(?:수집|처리)",
    re.IGNORECASE,
)
_CONSENT_BUTTON = re.compile(
    r"^\W*(?:i )?(?:accept|agree|reject|allow|decline|manage|customi[sz]e|got it|consent|동의|모두|수락|거부)\b",
    re.IGNORECASE,
)
_LOGIN_TITLE = re.compile(
    r"^\W*(?:log ?-?in|sign ?-?in|로그인|회원\s*로그인|members? only|authentication required)\b"
    r"|(?:\||-|–|·)\s*(?:log ?in|sign ?in|로그인)\W*$",
    re.IGNORECASE,
)
_LOGIN_TEXT = re.compile(
    r"(?:log|sign) ?in to (?:continue|view|read|access|see|your account)|(?:please|you (?:must|need to)) (?:log|sign) ?in"
    r"|create (?:a free |an )?account to (?:continue|read)|로그인(?:이|을)?\s*(?:필요|해\s*주세요|하셔야|후\s*이용)"
    r"|회원만|members?[- ]only|for members only",
    re.IGNORECASE,
)
_PAY_TEXT = re.compile(
    r"(?:subscribe|become a (?:member|subscriber)|start (?:your|a) (?:free )?trial|upgrade) (?:now )?(?:to|and) "
    r"(?:continue|read|keep reading|unlock|view|access|get (?:full|unlimited))|(?:this|the full) (?:article|story|post|content) "
    r"is (?:for|only (?:for|available)|available (?:only )?(?:to|for)|reserved|exclusive)[^.]{0,40}(?:subscribers|members)"
    r"|already a (?:subscriber|member)|to (?:continue|keep) reading|you(?:'ve| have) (?:reached|used|read)[^.]{0,40}(?:limit|free articles)"
    r"|subscriber[- ]only|유료\s*(?:회원|구독|기사)|구독(?:자)?\s*(?:전용|후)|전문은?\s*(?:유료|구독)",
    re.IGNORECASE,
)
_NOT_FREE = re.compile(r"\"isAccessibleForFree\"\s*:\s*\"?false", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?。\n]+[.!?。]?")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a page shows besides its article."""

    title: str
    text: str  # everything visible, the article included, its first thousands of characters
    hidden_notice: str  # what <noscript> says
    buttons: tuple[str, ...]
    has_password: bool
    has_scripts: bool
    for_money: bool


_SHOWN = 20_000


def surroundings_of(tree: _Element, html: str) -> Surroundings:
    titles = (" ".join("".join(node.itertext()).split()) for node in tree.iter("title"))
    return Surroundings(
        title=next(titles, ""),
        text=_visible(tree),
        hidden_notice=" ".join(" ".join(n.itertext()) for n in tree.iter("noscript"))[:_SHOWN],
        buttons=tuple(_labels(tree)),
        has_password=any(node.get("type", "").lower() == "password" for node in tree.iter("input")),
        has_scripts=next(tree.iter("script"), None) is not None,
        for_money=bool(_NOT_FREE.search(html)),
    )


def _visible(tree: _Element) -> str:
    parts: list[str] = []
    size = 0
    for node in tree.iter():
        if not isinstance(node.tag, str) or node.tag in {
            "script",
            "style",
            "noscript",
            "head",
            "title",
        }:
            text = ""
        else:
            text = node.text or ""
        for piece in (text, (node.tail or "")):
            if piece.strip():
                parts.append(piece)
                size += len(piece)
        if size > _SHOWN:
            break
    return " ".join(" ".join(parts).split())[:_SHOWN]


def _labels(tree: _Element) -> list[str]:
    nodes = [node for tag in ("button", "a") for node in tree.iter(tag)][:2000]
    labels = (" ".join("".join(node.itertext()).split()) for node in nodes)
    return [label for label in labels if 0 < len(label) <= 40]


def refuse_walls(
    url: str, blocks: Sequence[Block], look: Callable[[], Surroundings], min_words: int
) -> None:
    """Raises the fitting NothingToRead where no article was found.

    `look` is only called for a short text: a long one needs no second look at its page.
    """
    words = words_in(blocks)
    wall = None if words >= A_LONG_ARTICLE else _wall(blocks, words, look(), min_words)
    if wall is not None:
        kind, why = wall
        raise kind(url, why)
    if words == 0:
        raise EmptyArticle(url, "the page has no text")
    if words < min_words:
        raise PageTooThin(url, f"{words} words; an article has at least {min_words}")


Wall = tuple[type[NothingToRead], str]


def _wall(blocks: Sequence[Block], words: int, around: Surroundings, min_words: int) -> Wall | None:
    if _is_consent(blocks, around):
        return ScriptWall, "the page only asks for consent to cookies"
    if words >= AN_ARTICLE:
        return None
    return _bot_check(words, around) or _login(words, around) or _script(words, around, min_words)


def _is_consent(blocks: Sequence[Block], around: Surroundings) -> bool:
    """Most sentences are the dialogue's own, and the buttons to answer it are there."""
    text = "\n".join(block.text for block in blocks) or around.text[:4000]
    sentences = [found[0] for found in _SENTENCE.finditer(text) if len(found[0].split()) >= 3]
    if not sentences:
        return False
    asking = sum(bool(_CONSENT.search(sentence)) for sentence in sentences)
    return asking >= 0.5 * len(sentences) and any(map(_CONSENT_BUTTON.match, around.buttons))


def _bot_check(words: int, around: Surroundings) -> Wall | None:
    if _BOT_TITLE.match(around.title) or _BOT_TEXT.search(around.text + around.hidden_notice):
        return ScriptWall, "the site asks for proof of being human"
    return None


def _login(words: int, around: Surroundings) -> Wall | None:
    # "Please log in to comment" stands below short articles, too
    few = words < AN_ARTICLE // 2
    asked = around.has_password or _LOGIN_TEXT.search(around.text)
    if _LOGIN_TITLE.search(around.title) or (few and asked):
        return LoginWall, "the page asks to log in"
    if around.for_money or _PAY_TEXT.search(around.text):
        return LoginWall, "the rest of the article is for subscribers"
    return None


def _script(words: int, around: Surroundings, min_words: int) -> Wall | None:
    if words >= min_words:
        return None
    if _SCRIPT_TEXT.search(around.text) or _SCRIPT_TEXT.search(around.hidden_notice):
        return ScriptWall, "the page shows its text only with JavaScript"
    if around.has_scripts and len(around.text.split()) < min_words:
        return ScriptWall, "the page shows its text only with JavaScript"
    return None
