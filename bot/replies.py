"""What people hear, in Korean and English: one sentence for every way a digest can end.

A sentence says what is wrong and what to do. Nothing from a page comes into a sentence;
where the cause is ours to tell (a row, a file, a setting) it stands behind a colon, as `reason`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from bot.words import WORDS, Both
from core.article import Language
from core.digest import FactorName, Label
from core.errors import DigestError

ERRORS: Mapping[str, Both] = {
    "failed": (
        "요약을 만들지 못했습니다. 잠시 후 다시 시도해 주세요.",
        "The digest could not be made; please try again in a moment.",
    ),
    "bad_link": (
        "따라갈 수 있는 링크가 아닙니다. http:// 또는 https://로 시작하는 주소를 보내 주세요.",
        "This is not a link we can follow; please send an address that begins with "
        "http:// or https://.",
    ),
    "no_file": (
        "그런 파일이 없습니다. 경로를 확인해 주세요.",
        "There is no such file; please check its path.",
    ),
    "fetch_failed": (
        "페이지를 가져오지 못했습니다. 주소를 확인하고 잠시 후 다시 시도해 주세요.",
        "The page could not be fetched; please check the address and try again in a moment.",
    ),
    "not_found": (
        "이 주소에 페이지가 없습니다. 링크가 정확한지 확인해 주세요.",
        "There is no page at this address; please check that the link is right.",
    ),
    "site_unavailable": (
        "사이트가 지금 응답하지 않습니다. 잠시 후 다시 시도해 주세요.",
        "The site is not answering right now; please try again in a moment.",
    ),
    "timed_out": (
        "사이트가 제한 시간 안에 페이지를 보내지 않았습니다. 잠시 후 다시 시도해 주세요.",
        "The site did not send the page in time; please try again in a moment.",
    ),
    "too_many_redirects": (
        "링크가 다른 주소로 너무 여러 번 넘어갑니다. 글의 최종 주소를 보내 주세요.",
        "The link is redirected too many times; please send the article's final address.",
    ),
    "too_large": (
        "페이지가 너무 커서 읽지 않았습니다. 더 작은 글의 링크를 보내거나 web.max_bytes 설정을 "
        "늘려 주세요.",
        "The page is larger than we read; please send a smaller one or raise the setting "
        "web.max_bytes.",
    ),
    "unsupported_type": (
        "읽을 수 없는 형식입니다. HTML, PDF, Markdown 또는 일반 텍스트 링크를 보내 주세요.",
        "This kind of file cannot be read; please send a link to HTML, PDF, Markdown or plain text.",
    ),
    "not_a_feed": (
        "이 주소에서 피드를 찾지 못했습니다. RSS, Atom 또는 JSON Feed 주소를 보내 주세요.",
        "No feed was found at this address; please send the address of an RSS, Atom or JSON feed.",
    ),
    "feed_gone": (
        "이 피드는 더 이상 제공되지 않습니다. 구독에서 빼거나 새 주소를 보내 주세요.",
        "This feed is no longer published; please remove it or send its new address.",
    ),
    "address_refused": (
        "내부망 주소는 읽지 않습니다. 사내 서버라면 관리자가 web.allow_hosts 설정에 추가해야 "
        "합니다.",
        "Private addresses are not read; for an intranet host, ask whoever runs this service to "
        "add it to web.allow_hosts.",
    ),
    "robots_refused": (
        "사이트가 robots.txt에서 자동 읽기를 금지합니다. 브라우저에서 직접 읽어 주세요.",
        "The site's robots.txt forbids automatic reading; please read it in your browser.",
    ),
    "nothing_to_read": (
        "페이지에서 글을 찾지 못했습니다. 글 본문으로 바로 가는 링크를 보내 주세요.",
        "No article was found in this page; please send a link to the article itself.",
    ),
    "login_wall": (
        "로그인이나 결제가 필요한 글이라 요약하지 않았습니다. 공개된 링크를 보내 주세요.",
        "This article is behind a log-in or pay wall and was not digested; please send a public "
        "link.",
    ),
    "script_wall": (
        "쿠키 동의나 로봇 확인, 자바스크립트 화면만 열려서 요약하지 않았습니다. 글이 바로 보이는 "
        "링크를 보내 주세요.",
        "Only a cookie, captcha or JavaScript screen came back, so nothing was digested; please "
        "send a link that shows the article directly.",
    ),
    "too_thin": (
        "페이지의 글이 너무 짧아서 요약할 수 없습니다. 본문이 있는 글의 링크를 보내 주세요.",
        "The page has too little text to digest; please send a link to a whole article.",
    ),
    "empty": (
        "내용이 비어 있습니다. 글이 들어 있는 링크나 파일을 보내 주세요.",
        "There is no text in it; please send a link or a file with an article.",
    ),
    "image_pdf": (
        "그림으로만 된 PDF라 읽을 글자가 없습니다. 글자를 선택할 수 있는 PDF를 보내 주세요.",
        "This PDF consists of images and has no text; please send one whose text can be selected.",
    ),
    "engine_failed": (
        "모델이 답을 만들지 못했습니다. 다시 시도해 주시고, 계속되면 smartdevdigest doctor를 "
        "실행해 주세요.",
        "The model gave no answer; please try again, and if it goes on run smartdevdigest doctor.",
    ),
    "engine_busy": (
        "지금 처리 중인 요청이 많습니다. 잠시 후 다시 시도해 주세요.",
        "Too many requests are waiting right now; please try again in a moment.",
    ),
    "engine_timed_out": (
        "모델이 제한 시간 안에 답하지 못했습니다. 잠시 후 다시 시도해 주세요.",
        "The model did not answer in time; please try again in a moment.",
    ),
    "engine_out_of_memory": (
        "모델이 쓸 수 있는 메모리가 부족합니다. 잠시 후 다시 시도해 주시고, 계속되면 관리자가 "
        "model.max_batch 설정을 줄여 주세요.",
        "The model ran out of memory; please try again in a moment, and if it goes on ask whoever "
        "runs this service to lower model.max_batch.",
    ),
    "model_not_ready": (
        "모델을 준비하지 못했습니다. 원인을 해결한 뒤 smartdevdigest prepare를 다시 실행해 주세요"
        "{reason}.",
        "The model could not be prepared; please remove the cause and run smartdevdigest prepare "
        "again{reason}.",
    ),
    "asked_too_often": (
        "한 시간에 요약할 수 있는 수를 넘었습니다. 잠시 후 다시 시도해 주세요.",
        "That is more than I digest in an hour; please try again later.",
    ),
    "chat_failed": (
        "메시지를 보내지 못했습니다. 봇이 이 채널에 초대되어 있는지 확인해 주세요.",
        "The message could not be sent; please check that the bot is invited to this channel.",
    ),
    "chat_refused": (
        "이 채널에는 메시지를 보낼 수 없습니다. 봇을 초대했는지, 필요한 권한이 있는지 확인해 주세요.",
        "Messages are not allowed in this channel; please check that the bot is invited and has "
        "the permissions it needs.",
    ),
    "chat_unavailable": (
        "메신저가 지금 응답하지 않습니다. 잠시 후 다시 시도해 주세요.",
        "The chat is not answering right now; please try again in a moment.",
    ),
    "message_gone": (
        "메시지가 이미 지워졌습니다. 링크를 다시 공유해 주세요.",
        "The message is not there any more; please share the link again.",
    ),
    "article_gone": (
        "요약하는 동안 글이 삭제되었습니다. 필요하면 링크를 다시 공유해 주세요.",
        "The article was erased before its digest was made; please share the link again if needed.",
    ),
    "storage_unavailable": (
        "데이터베이스가 지금 응답하지 않습니다. 잠시 후 다시 시도해 주세요.",
        "The database is not answering right now; please try again in a moment.",
    ),
    "bad_article": (
        "글이 입력 형식에 맞지 않습니다. smartdevdigest schema article로 형식을 확인해 주세요"
        "{reason}.",
        "This is not an article in the expected form; smartdevdigest schema article shows it"
        "{reason}.",
    ),
    "bad_subscription": (
        "구독을 이대로 저장할 수 없습니다. 아래 항목을 고쳐 주세요{reason}.",
        "The subscription cannot be kept like this; please correct the following{reason}.",
    ),
    "bad_settings": (
        "설정이 잘못되었습니다. 아래 항목을 고쳐 주세요{reason}.",
        "The settings cannot be used; please correct the following{reason}.",
    ),
}

NOTES: Mapping[str, Both] = {
    "difficulty_close": (
        "난이도 두 단계가 비슷하게 맞아 보입니다. 읽기에 쉬웠나요, 어려웠나요?",
        "Two difficulty levels fit about equally well: was it easy or hard to read?",
    ),
    "korean_extractive": (
        "이 모델은 한국어 문장을 쓰지 않으므로, 요약은 글에 있는 문장을 그대로 골라 보여 드립니다.",
        "This model writes no Korean, so the summary consists of the article's own sentences.",
    ),
    "no_translation": (
        "이 모델은 요청하신 언어로 쓸 수 없어, 요약을 글의 언어 그대로 보여 드립니다.",
        "The model cannot write the language asked for, so the summary stays in the article's.",
    ),
    "partly_drafted": (
        "긴 글이라 모델은 가장 중심이 되는 부분을 바탕으로 썼으며, 문장은 처음부터 끝까지 모두 "
        "검토했습니다.",
        "This is a long article: the model drafted from its most central parts, and every "
        "sentence of it was weighed.",
    ),
    "nothing_supported": (
        "모델이 쓴 문장 가운데 글로 뒷받침되는 것이 없어, 글에 있는 문장을 보여 드립니다.",
        "Nothing the model wrote was borne out by the article, so its own sentences are shown.",
    ),
}

LABELS: Mapping[Label, Both] = {
    "beginner": ("입문", "beginner"),
    "elementary": ("초급", "elementary"),
    "intermediate": ("중급", "intermediate"),
    "advanced": ("고급", "advanced"),
    "expert": ("전문가", "expert"),
}

FACTORS: Mapping[FactorName, Both] = {
    "terms": ("전문 용어", "specialist terms"),
    "concepts": ("개념의 복잡도", "complexity of concepts"),
    "background": ("필요한 배경지식", "background needed"),
    "algorithms": ("알고리즘의 복잡도", "complexity of algorithms"),
}


def sentence(error: DigestError, language: Language) -> str:
    """The sentence for an error; one without its own gets that of its nearest kin."""
    kin = (kind.code for kind in type(error).__mro__ if issubclass(kind, DigestError))
    code = next(code for code in kin if code in ERRORS)
    text = pick(ERRORS[code], language)
    if not error.reason:
        return text.replace("{reason}", "")
    reason = "\n" + error.reason if code == "bad_settings" else " " + plain(error.reason)
    return text.replace("{reason}.", f":{reason}")


def note(key: str, language: Language) -> str:
    """A remark on how a digest came about (`Details.notes`). An unknown key is shown as it is."""
    return pick(NOTES[key], language) if key in NOTES else key


def label(name: Label, language: Language) -> str:
    return pick(LABELS[name], language)


def factor(name: FactorName, language: Language) -> str:
    return pick(FACTORS[name], language)


def say(key: str, language: Language, **values: object) -> str:
    """A word or line of the surfaces; KeyError for one that nobody wrote."""
    return pick(WORDS[key], language).format(**values)


def pick(both: Both, language: Language) -> str:
    return both[0] if language == "ko" else both[1]


def plain(text: str) -> str:
    """One line without what could move a cursor or turn a line around (escapes, bidi marks)."""
    if not text.isprintable():
        harmful = (char for char in {*text} if not (char.isspace() or _is_harmless(char)))
        text = text.translate(dict.fromkeys(map(ord, harmful)))
    return " ".join(text.split())


def _is_harmless(char: str) -> bool:
    # U+200D joins Korean-free things such as emoji; every other format character only hides.
    return char == "\u200d" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co")
