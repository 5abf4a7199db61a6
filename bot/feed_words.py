"""What is said of daily digests and feeds, in Korean and English, on whatever surface."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from bot import replies
from bot.replies import pick
from bot.words import Both
from core.article import Language
from core.feed import EVERY_DAY, Source, Subscription
from core.mornings import zone_of

WORDS: Mapping[str, Both] = {
    "head": ("오늘의 읽을거리 {count}편", "{count} to read today"),
    "thread": (
        "요약 전체는 이 메시지의 스레드에 있습니다.",
        "The full digests are in this message's thread.",
    ),
    "thread_name": ("오늘의 읽을거리 · {day}", "Daily digest · {day}"),
    "minutes": ("읽는 데 {minutes}분", "{minutes} min read"),
    "nothing": (
        "오늘은 새로 읽을 글이 없습니다.",
        "There is nothing new to read this morning.",
    ),
    "gone": (
        "오랫동안 응답하지 않아 이 피드를 더는 확인하지 않습니다: {title}. 주소가 바뀌었다면 "
        "/digest subscribe로 새 주소를 구독해 주세요.",
        "This feed has not answered for a long time and is not asked any more: {title}. If it has "
        "moved, please subscribe to its new address with /digest subscribe.",
    ),
    "manage": ("구독 관리", "Manage"),
    "pause": ("잠시 멈춤", "Pause"),
    "resume": ("다시 시작", "Resume"),
    "edit": ("바꾸기", "Edit"),
    "remove": ("삭제", "Remove"),
    "subscribe": ("구독하기", "Subscribe"),
    "save": ("저장", "Save"),
    "close": ("닫기", "Close"),
    "title": ("매일 아침 요약", "Daily digest"),
    "yours": ("이 채널의 구독", "Subscriptions of this channel"),
    "none": (
        "이 채널에는 구독이 없습니다. /digest subscribe로 시작해 주세요.",
        "This channel has no subscription; /digest subscribe makes one.",
    ),
    "field.sources": ("블로그나 피드 주소", "Feeds or sites"),
    "hint.sources": (
        "한 줄에 하나씩. 블로그 주소만 적어도 피드를 찾습니다.",
        "One a line; the address of a blog is enough, its feed is looked for.",
    ),
    "field.known_feeds": ("목록에서 고르기", "Choose from the list"),
    "search.known_feeds": ("기술 블로그 찾기", "Search engineering blogs"),
    "hint.known_feeds": (
        "이름이나 주소의 일부를 입력하면 찾습니다. 위에 적은 주소와 함께 구독합니다.",
        "Type part of a name or address; subscribed to along with the addresses above.",
    ),
    "field.difficulty": ("난이도(1–5)", "Difficulty (1–5)"),
    "hint.difficulty": ("예: 2-3.5", "As in 2-3.5"),
    "field.language": ("요약의 언어", "Language of digests"),
    "language.auto": ("글의 언어 그대로", "As the article"),
    "language.ko": ("한국어", "Korean"),
    "language.en": ("영어", "English"),
    "field.include": ("이런 말이 있는 글만", "Only with one of these words"),
    "field.avoid": ("이런 말이 있으면 제외", "Without these words"),
    "hint.words": ("쉼표로 구분합니다.", "Separated by commas."),
    "field.at": ("시각", "Time"),
    "hint.at": ("예: 08:00", "As in 08:00"),
    "field.timezone": ("시간대", "Time zone"),
    "hint.timezone": ("예: Asia/Seoul", "As in Europe/London"),
    "field.days": ("요일", "Days"),
    "hint.days": ("예: 매일, 평일, 월-금, 화,목", "As in daily, weekdays, mon-fri, tue,thu"),
    "field.size": ("하루에 최대 몇 편", "At most so many a day"),
    "field.quiet": ("조용한 시간", "Quiet hours"),
    "hint.quiet": ("예: 22:00-07:00. 비워 두면 없습니다.", "As in 22:00-07:00; empty: none."),
    "field.say_nothing_new": ("새 글이 없는 날", "On days without anything new"),
    "say_nothing_new.yes": ("한 줄로 알리기", "Say so in one line"),
    "say_nothing_new.no": ("아무것도 올리지 않기", "Post nothing"),
    "saved": (
        "구독했습니다. 첫 요약: {when}. 피드 {count}개: {titles}",
        "Subscribed; the first digest comes {when}. Feeds ({count}): {titles}",
    ),
    "changed": ("구독을 바꿨습니다. 다음 요약: {when}.", "Changed; the next digest comes {when}."),
    "unknown": (
        "그런 구독이 없습니다. 이미 삭제되었을 수 있습니다.",
        "There is no such subscription; it may have been removed already.",
    ),
    "refused": (
        "이 채널의 설정을 바꿀 수 있는 사람만 구독을 바꿀 수 있습니다.",
        "Only who may change this channel's settings can change its subscriptions.",
    ),
    "too_long_to_edit": (
        "피드 주소가 너무 길어 이 양식에 다 들어가지 않습니다. 잘린 채로 저장되지 않도록 열지 않았습니다. "
        "구독을 삭제하고 둘로 나누어 다시 구독해 주세요.",
        "The feeds' addresses are too long for this form, and it was not opened so that none is "
        "lost. Please remove the subscription and make two of it.",
    ),
    "off": (
        "이 서비스에서는 구독을 쓸 수 없습니다.",
        "Subscriptions are not available in this service.",
    ),
    "others": (
        "{address}에는 피드가 여럿 있어 첫 번째를 구독했습니다. 다른 것: {others}",
        "{address} has several feeds; the first is subscribed to. The others: {others}",
    ),
    "silent": (
        "지금은 읽을 수 없어 나중에 다시 확인합니다: {addresses}",
        "Could not be read just now and will be asked again: {addresses}",
    ),
    "mistake.sources": (
        "피드나 블로그의 주소를 하나 이상 적어 주세요.",
        "Please give the address of at least one feed or site.",
    ),
    "mistake.nothing_chosen": (
        "피드나 블로그의 주소를 하나 이상 적거나 아래 목록에서 골라 주세요.",
        "Please give the address of at least one feed or site, or choose one from the list below.",
    ),
    "mistake.too_many": (
        "피드는 {count}개까지 구독할 수 있습니다.",
        "A subscription has at most {count} feeds.",
    ),
    "mistake.no_feed": (
        "{address}에서 피드를 찾지 못했습니다. 피드의 주소를 직접 적어 주세요.",
        "No feed was found at {address}; please give the feed's own address.",
    ),
    "mistake.difficulty": (
        "난이도는 1과 5 사이의 범위로 적어 주세요(예: 2-3.5).",
        "Please give the difficulty as a range within 1 and 5, as in 2-3.5.",
    ),
    "mistake.language": ("auto, ko, en 가운데 하나여야 합니다.", "It is one of auto, ko, en."),
    "mistake.at": ("시각을 08:00처럼 적어 주세요.", "Please give the time as in 08:00."),
    "mistake.timezone": (
        "시간대를 Asia/Seoul처럼 적어 주세요.",
        "Please give the time zone as in Europe/London.",
    ),
    "mistake.days": (
        "요일을 매일, 평일, 월-금처럼 적어 주세요.",
        "Please give the days as in daily, weekdays or mon-fri.",
    ),
    "mistake.size": ("1에서 {most} 사이의 수여야 합니다.", "It is a number from 1 to {most}."),
    "mistake.quiet": (
        "조용한 시간을 22:00-07:00처럼 적어 주세요.",
        "Please give the quiet hours as in 22:00-07:00.",
    ),
    "mistake.words": (
        "말은 {most}개까지, 각각 60자까지 적을 수 있습니다.",
        "At most {most} words of 60 characters each.",
    ),
    "each": ("{days} {at} ({timezone})", "{days} at {at} ({timezone})"),
    "daily": ("매일", "daily"),
    "weekdays": ("평일", "on weekdays"),
    "weekend": ("주말", "at the weekend"),
    "range": ("난이도 {low:.1f}–{high:.1f}", "difficulty {low:.1f}–{high:.1f}"),
    "at_most": ("최대 {size}편", "at most {size}"),
    "only_with": ("‘{words}’ 포함", "with “{words}”"),
    "without": ("‘{words}’ 제외", "without “{words}”"),
    "quiet": ("{begin}–{end} 조용히", "quiet {begin}–{end}"),
    "is_paused": ("멈춤", "paused"),
    "next": ("다음 요약: {when}", "next: {when}"),
    "last": ("지난 요약: {day} · {count}편", "last: {day} · {count}"),
    "source.alive": ("마지막으로 읽은 때: {when}", "last worked {when}"),
    "source.new": ("아직 읽지 않음", "not read yet"),
    "source.trouble": (
        "{failures}번 연속으로 읽지 못함: {error} · 마지막으로 읽은 때: {when}",
        "failed {failures} times in a row: {error} · last worked {when}",
    ),
    "source.gone": ("더는 확인하지 않음: {error}", "given up: {error}"),
    "source.paused": ("멈춤", "paused"),
    "never": ("없음", "never"),
    "sent": ("최근 {count}편", "{count} posted lately"),
    "feed_out": ("피드로 받기: {address}", "As a feed: {address}"),
    "today": ("오늘의 선택({day}):", "Today's choice ({day}):"),
    "today.none": ("오늘 올릴 새 글이 없습니다.", "Nothing new to post today."),
}
_WEEKDAYS: Mapping[Language, str] = {
    "ko": "월 화 수 목 금 토 일",
    "en": "Mon Tue Wed Thu Fri Sat Sun",
}
_LONG_DAYS: Mapping[Language, str] = {
    "ko": "월요일 화요일 수요일 목요일 금요일 토요일 일요일",
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
}
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def say(key: str, ui: Language, **values: object) -> str:
    """KeyError for what nobody wrote."""
    return pick(WORDS[key], ui).format(**values)


def long_day(day: date, ui: Language) -> str:
    """Thursday, 26 Nov; 11월 26일 목요일."""
    weekday = _LONG_DAYS[ui].split()[day.weekday()]
    if ui == "ko":
        return f"{day.month}월 {day.day}일 {weekday}"
    return f"{weekday}, {day.day} {_MONTHS[day.month - 1]}"


def moment(at: datetime | None, zone: ZoneInfo, ui: Language) -> str:
    """A day and a time on the clock of that zone."""
    if at is None:
        return say("never", ui)
    local = at.astimezone(zone)
    return f"{long_day(local.date(), ui)} {clock(local.time())}"


def clock(at: time) -> str:
    return at.strftime("%H:%M")


def days(chosen: frozenset[int], ui: Language) -> str:
    named = {EVERY_DAY: "daily", frozenset(range(5)): "weekdays", frozenset({5, 6}): "weekend"}
    if chosen in named:
        return say(named[chosen], ui)
    names = _WEEKDAYS[ui].split()
    listed = [names[day] for day in sorted(chosen)]
    return ("·" if ui == "ko" else ", ").join(listed)


def wishes(subscription: Subscription, ui: Language) -> str:
    """A subscription in one line: when, how hard, which words."""
    one = subscription
    told = [
        say("each", ui, days=days(one.days, ui), at=clock(one.at), timezone=one.timezone),
        say("range", ui, low=one.low, high=one.high),
        say("at_most", ui, size=one.size),
        *([say("only_with", ui, words=", ".join(one.include))] if one.include else []),
        *([say("without", ui, words=", ".join(one.avoid))] if one.avoid else []),
        *([say(f"language.{one.language}", ui)] if one.language != "auto" else []),
    ]
    if one.quiet is not None:
        told.append(say("quiet", ui, begin=clock(one.quiet[0]), end=clock(one.quiet[1])))
    if one.paused:
        told.append(say("is_paused", ui))
    return " · ".join(told)


def source_title(source: Source) -> str:
    return replies.plain(source.title or source.site or source.url)


def source_state(source: Source, timezone: str, ui: Language) -> str:
    """When a feed last worked, and what is wrong with it."""
    when = moment(source.worked_at, zone_of(timezone), ui)
    error = replies.plain(source.error)
    if source.state == "gone":
        return say("source.gone", ui, error=error)
    if source.state == "paused":
        return say("source.paused", ui)
    if source.failures:
        return say("source.trouble", ui, failures=source.failures, error=error, when=when)
    return say("source.new", ui) if source.worked_at is None else say("source.alive", ui, when=when)
