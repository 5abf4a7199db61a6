"""What only Discord's surface says, in Korean and English; what both chats
say alike is in `bot/chat_words.py`, the rest in `bot/replies.py`."""

from __future__ import annotations

from collections.abc import Mapping

from bot.chat_words import WORDS as SHARED
from bot.replies import pick
from bot.words import Both
from core.article import Language

WORDS: Mapping[str, Both] = {
    **SHARED,
    "button.terms": ("용어", "Terms"),
    "button.details": ("자세히", "Details"),
    "thread": ("요약 · {name}", "Digest · {name}"),
    "source": ("근거: {text}", "borne out by: {text}"),
    "hide_refused": (
        "링크를 공유한 사람이나 ‘메시지 관리하기’ 권한이 있는 사람만 숨길 수 있습니다.",
        "Only who shared the link, or somebody with the permission Manage Messages, can hide it.",
    ),
    "on_its_way": (
        "요약을 만들고 있습니다. 곧 이 채널에 올라옵니다.",
        "It is on its way; the digest will appear here.",
    ),
    "there_already": ("이미 요약했습니다: {address}", "It has been digested already: {address}"),
    "unreadable": (
        "메시지 내용을 읽을 권한이 없어 링크를 볼 수 없습니다. 메시지를 길게 누르거나 오른쪽 클릭해 "
        "앱 → ‘요약하기’를 선택해 주세요.",
        "I am not allowed to read this message, so I cannot see its link; please right-click or "
        "hold it and choose Apps → “Digest this”.",
    ),
    "mode_off": (
        "이 채널에서는 요약을 껐습니다. 서버 관리자가 /digest settings로 켤 수 있습니다.",
        "Digests are switched off in this channel; somebody with Manage Server can change that "
        "with /digest settings.",
    ),
    "missing": (
        "{channel} 채널에 답할 권한이 없습니다. 관리자에게 다음 권한을 부탁해 주세요: {names}.",
        "I may not answer in {channel}; please ask an administrator to grant me: {names}.",
    ),
    "locked": ("잠긴 스레드입니다", "the thread is locked"),
    "settings": ("이 채널의 설정", "Settings of this channel"),
    "settings_refused": (
        "‘서버 관리하기’ 권한이 있는 사람만 설정을 바꿀 수 있습니다.",
        "Only somebody with the permission Manage Server can change the settings.",
    ),
    "settings_direct": (
        "설정은 서버의 채널에서만 바꿀 수 있습니다.",
        "There are settings only in the channels of a server.",
    ),
    "ui.auto": ("각자의 Discord 언어", "Each person's own"),
    "help": (
        "기술 글의 링크를 채널에 올리면 요약과 난이도를 스레드로 답합니다.\n"
        "• `/digest link` 링크 하나를 요약합니다\n"
        "• `/explain` 용어를 설명합니다\n"
        "• `/ask` 또는 멘션으로 물으면, 읽은 글에서 근거를 찾아 답합니다\n"
        "• `/digest search` 읽은 글을 찾습니다\n"
        "• 메시지 → 앱 → ‘요약하기’, 🔍 반응, 멘션으로도 부탁할 수 있습니다\n"
        "• `/digest subscribe`, `/digest feeds` 매일 아침 피드의 요약(서버 관리자)\n"
        "• `/digest settings` 채널별 설정(서버 관리자)",
        "Share a link to a technical article, and I answer with a digest and its difficulty in a "
        "thread.\n"
        "• `/digest link` digests one link\n"
        "• `/explain` explains a term\n"
        "• `/ask`, or a mention with a question, answers from the articles read here\n"
        "• `/digest search` searches them\n"
        "• a message's Apps → “Digest this”, a 🔍 reaction or a mention ask for one, too\n"
        "• `/digest subscribe`, `/digest feeds` a digest of feeds every morning (Manage Server)\n"
        "• `/digest settings` for each channel (Manage Server)",
    ),
    "token_missing": (
        "SMARTDEVDIGEST_DISCORD__TOKEN이 없습니다. Discord 개발자 포털의 Bot 화면에서 토큰을 받아 "
        "넣어 주세요.",
        "SMARTDEVDIGEST_DISCORD__TOKEN is not set; please get the token from the page Bot of "
        "Discord's developer portal.",
    ),
    "token_wrong": (
        "SMARTDEVDIGEST_DISCORD__TOKEN: Discord가 이 토큰을 받지 않습니다. 개발자 포털의 Bot 화면에서 "
        "새로 받아 주세요.",
        "SMARTDEVDIGEST_DISCORD__TOKEN: Discord does not accept this token; please get a new one "
        "from the page Bot of the developer portal.",
    ),
    "intent_missing": (
        "discord.message_content: 이 봇에는 Message Content 인텐트가 허용되지 않았습니다. 개발자 "
        "포털의 Bot 화면에서 켜거나 SMARTDEVDIGEST_DISCORD__MESSAGE_CONTENT=false로 시작해 주세요.",
        "discord.message_content: this bot has not been granted the Message Content intent; "
        "please switch it on at the page Bot of the developer portal, or start with "
        "SMARTDEVDIGEST_DISCORD__MESSAGE_CONTENT=false.",
    ),
    "known_as": (
        "Discord가 토큰을 받았습니다. 이름: {name} · 서버에 초대하는 주소: {address}",
        "Discord takes the token; its name: {name} · invite it by {address}",
    ),
    "discord_away": (
        "discord.api_url: {url} 이(가) 응답하지 않습니다({cause}). 주소와 네트워크를 확인해 주세요.",
        "discord.api_url: {url} does not answer ({cause}); please check the address and the network.",
    ),
}

PERMISSIONS: Mapping[str, Both] = {
    "view_channel": ("채널 보기", "View Channel"),
    "send_messages": ("메시지 보내기", "Send Messages"),
    "send_messages_in_threads": ("스레드에서 메시지 보내기", "Send Messages in Threads"),
    "create_public_threads": ("공개 스레드 만들기", "Create Public Threads"),
    "embed_links": ("링크 첨부", "Embed Links"),
    "read_message_history": ("메시지 기록 보기", "Read Message History"),
    "manage_threads": ("스레드 관리하기", "Manage Threads"),
}


def say(key: str, ui: Language, **values: object) -> str:
    """A word or line of Discord's surface; KeyError for one that nobody wrote."""
    return pick(WORDS[key], ui).format(**values)


def permission(name: str, ui: Language) -> str:
    """As Discord's own settings call it."""
    return pick(PERMISSIONS[name], ui)
