"""What only Slack's surface says, in Korean and English; what both chats
say alike is in `bot/chat_words.py`, the rest in `bot/replies.py`.

These sentences may hold Slack's markup; what comes from elsewhere is escaped before it is put in.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.chat_words import WORDS as SHARED
from bot.replies import pick
from bot.words import Both
from core.article import Language

WORDS: Mapping[str, Both] = {
    **SHARED,
    "button.terms": ("용어 {count}", "Terms {count}"),
    "button.good": ("도움이 됐어요", "helpful"),
    "button.bad": ("별로예요", "not helpful"),
    "button.share": ("채널에 공유", "Share with the channel"),
    "button.back": ("이전", "Back"),
    "button.next": ("다음", "Next"),
    "more_terms": (
        "용어 {count}개가 더 있습니다. ‘용어’ 버튼을 눌러 보세요.",
        "{count} more under “Terms”.",
    ),
    "whole": ("요약 전체", "The whole digest"),
    "fallback": (
        "{title} — 난이도 {score:.1f} / 5 ({label}). {summary}",
        "{title} — difficulty {score:.1f} of 5 ({label}). {summary}",
    ),
    "waiting": ("글을 읽는 중입니다: {site}", "Reading the article: {site}"),
    "on_its_way": (
        "요약을 만들고 있습니다. 곧 여기에 올라옵니다.",
        "It is on its way; the digest will appear here.",
    ),
    "there_already": (
        "이미 요약했습니다. 메시지의 스레드를 봐 주세요.",
        "It has been digested already; please look into the message's thread.",
    ),
    "hide_refused": (
        "링크를 공유한 사람이나 워크스페이스 관리자만 숨길 수 있습니다.",
        "Only who shared the link, or a workspace admin, can hide it.",
    ),
    "mode_off": (
        "이 채널에서는 요약을 껐습니다. 관리자나 채널을 만든 사람이 `/digest settings`로 켤 수 "
        "있습니다.",
        "Digests are switched off in this channel; an admin or whoever made the channel can "
        "change that with `/digest settings`.",
    ),
    "not_invited": (
        "이 채널에는 제가 없습니다. `/invite`로 초대한 뒤 다시 시도해 주세요.",
        "I am not in this channel; please `/invite` me and try again.",
    ),
    "help": (
        "기술 글의 링크를 올리면 요약과 난이도를 스레드로 답합니다.\n"
        "• `/digest 링크` 링크 하나를 요약합니다\n"
        "• `/explain 용어` 용어를 설명합니다\n"
        "• `/ask 질문` 또는 멘션으로 물으면, 읽은 글에서 근거를 찾아 답합니다\n"
        "• `/digest search 낱말 level:beginner lang:ko since:7d` 읽은 글을 찾습니다\n"
        "• 메시지 메뉴의 ‘Digest this’, 🔍 반응, 멘션으로도 부탁할 수 있습니다\n"
        "• `/digest subscribe`, `/digest feeds` 매일 아침 피드의 요약(채널 설정을 바꿀 수 있는 사람)\n"
        "• `/digest settings` 채널별 설정(관리자나 채널을 만든 사람)",
        "Share a link to a technical article, and I answer with a digest and its difficulty in "
        "the thread.\n"
        "• `/digest link` digests one link\n"
        "• `/explain term` explains a term\n"
        "• `/ask question`, or a mention with a question, answers from the articles read here\n"
        "• `/digest search words level:beginner lang:ko since:7d` searches them\n"
        "• a message's menu “Digest this”, a 🔍 reaction or a mention ask for one, too\n"
        "• `/digest subscribe`, `/digest feeds` a digest of feeds every morning (who may change settings)\n"
        "• `/digest settings` for each channel (admins and whoever made the channel)",
    ),
    "help_title": ("사용법", "How it works"),
    "close": ("닫기", "Close"),
    "settings": ("채널 설정", "Channel settings"),
    "settings_save": ("저장", "Save"),
    "settings_saved": ("설정을 저장했습니다.", "The settings are saved."),
    "too_late": (
        "화면을 제때 열지 못했습니다. 다시 한번 시도해 주세요.",
        "It took too long to open the form; please try once more.",
    ),
    "settings_refused": (
        "워크스페이스 관리자나 채널을 만든 사람만 설정을 바꿀 수 있습니다.",
        "Only a workspace admin or whoever made the channel can change the settings.",
    ),
    "ui.auto": ("각자의 Slack 언어", "Each person's own"),
    "home.recent": ("최근에 공유하신 글", "What you shared lately"),
    "home.nothing": (
        "아직 없습니다. 채널에 글의 링크를 올려 보세요.",
        "Nothing yet; share a link to an article in a channel.",
    ),
    "home.yours": ("내 설정", "Your settings"),
    "home.ui": (
        "버튼과 안내의 언어: 한국어 (Slack 환경설정을 따릅니다)",
        "Language of buttons and notices: English (as in your Slack preferences)",
    ),
    "bot_token_missing": (
        "SMARTDEVDIGEST_SLACK__BOT_TOKEN이 없습니다. Slack 앱의 OAuth & Permissions 화면에서 "
        "xoxb-로 시작하는 토큰을 넣어 주세요.",
        "SMARTDEVDIGEST_SLACK__BOT_TOKEN is not set; please get the token that begins with xoxb- "
        "from your Slack app's page OAuth & Permissions.",
    ),
    "bot_token_wrong": (
        "SMARTDEVDIGEST_SLACK__BOT_TOKEN: Slack이 이 토큰을 받지 않습니다({cause}). 앱의 OAuth & "
        "Permissions 화면에서 xoxb-로 시작하는 토큰을 다시 복사해 주세요.",
        "SMARTDEVDIGEST_SLACK__BOT_TOKEN: Slack does not accept this token ({cause}); please copy "
        "the one that begins with xoxb- from your app's page OAuth & Permissions.",
    ),
    "app_token_missing": (
        "SMARTDEVDIGEST_SLACK__APP_TOKEN이 없습니다. 앱의 Basic Information → App-Level Tokens에서 "
        "connections:write 권한으로 만들거나 SMARTDEVDIGEST_SLACK__MODE=http로 시작해 주세요.",
        "SMARTDEVDIGEST_SLACK__APP_TOKEN is not set; please make one with connections:write under "
        "your app's Basic Information → App-Level Tokens, or start with "
        "SMARTDEVDIGEST_SLACK__MODE=http.",
    ),
    "app_token_wrong": (
        "SMARTDEVDIGEST_SLACK__APP_TOKEN: Slack이 이 토큰을 받지 않습니다({cause}). xapp-로 시작하고 "
        "connections:write 권한이 있는 토큰인지, 앱의 Socket Mode가 켜져 있는지 확인해 주세요.",
        "SMARTDEVDIGEST_SLACK__APP_TOKEN: Slack does not accept this token ({cause}); it begins "
        "with xapp- and needs connections:write, and Socket Mode must be on in your app.",
    ),
    "known_in": (
        "Slack이 봇 토큰을 받았습니다. 워크스페이스: {team}",
        "Slack takes the bot token; workspace: {team}",
    ),
    "scopes_missing": (
        "설치된 앱에 다음 권한이 없습니다: {scopes}. 앱의 App Manifest 화면에 "
        "config/slack-manifest.yaml을 다시 붙여 넣고 다시 설치해 주세요.",
        "the installed app lacks these scopes: {scopes}; please paste config/slack-manifest.yaml "
        "into your app's page App Manifest again and reinstall it.",
    ),
    "signing_secret_missing": (
        "SMARTDEVDIGEST_SLACK__SIGNING_SECRET이 없습니다. HTTP 방식에는 앱의 Basic Information에 있는 "
        "Signing Secret이 필요합니다.",
        "SMARTDEVDIGEST_SLACK__SIGNING_SECRET is not set; the HTTP mode needs the Signing Secret "
        "from your app's Basic Information.",
    ),
    "client_secret_missing": (
        "SMARTDEVDIGEST_SLACK__CLIENT_SECRET이 없습니다. 여러 워크스페이스에 설치하려면 client_id와 "
        "함께 필요합니다.",
        "SMARTDEVDIGEST_SLACK__CLIENT_SECRET is not set; together with client_id it serves many "
        "workspaces.",
    ),
    "organisation_refused": (
        "조직 전체(Enterprise Grid)에 한 번에 설치하는 방식은 아직 지원하지 않습니다. 워크스페이스마다 "
        "설치해 주세요.",
        "Installing once for a whole organisation (Enterprise Grid) is not supported; please "
        "install it in each workspace.",
    ),
    "slack_away": (
        "slack.api_url: {url} 이(가) 응답하지 않습니다({cause}). 주소와 네트워크를 확인해 주세요.",
        "slack.api_url: {url} does not answer ({cause}); please check the address and the network.",
    ),
}


def say(key: str, ui: Language, **values: object) -> str:
    """A word or line of Slack's surface; KeyError for one that nobody wrote."""
    return pick(WORDS[key], ui).format(**values)
