"""/digest subscribe and /digest feeds on Slack: a modal, a list with buttons, and what follows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from bot.feed_lists import known_feeds, offered_as
from bot.feed_words import say
from bot.replies import plain
from bot.slack.blocks import (
    Blocks,
    Json,
    actions,
    button,
    foreign_option,
    line,
    plain_text,
    rich,
    search,
    select,
    text,
)
from bot.slack.desk import Asked, Desk
from bot.slack.escaping import fitted, width
from bot.subscribing import (
    Overview,
    Subscribing,
    form_of,
    mistakes,
    mistakes_in_words,
    overview_lines,
    subscribed_in_words,
)
from core.article import Language
from core.catalogue import host_of
from core.feed import FoundFeed
from core.places import Place
from core.wishes import Mistakes, Wishes, understood

SUBSCRIBE = "digest_subscribe"  # callback id of the modal
KNOWN = "known_feeds"  # the list of the catalogue in it
VERBS = ("pause", "resume", "edit", "remove")
ACTIONS = re.compile(r"^sdd:(manage$|feed:)")
# Bytes of UTF-8 for a list of subscriptions, and for one line of it.
_LIST, _LINE, _SHOWN = 8000, 400, 15
_CHOICES = {"language": ("auto", "ko", "en"), "say_nothing_new": ("yes", "no")}
_LONG = {"sources": 3000, "include": 1300, "avoid": 1300}
# Options that Slack takes at once; bytes of what one says, characters of its value.
_OFFERED, _SAID, _VALUE = 100, 75, 150
# Addresses may stand in the list instead; that there is none at all is said at their field.
_OPTIONAL = frozenset({"sources", "difficulty", "include", "avoid", "days", "quiet"})
_HINTS = {"include": "words", "avoid": "words"}
_HINTED = frozenset("sources difficulty include avoid at timezone days quiet".split())


class SlackFeeds:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def _subscribing(self) -> Subscribing | None:
        return self._desk.commands.subscribing

    # --- asking

    async def open_form(self, asked: Asked, ui: Language) -> None:
        if self._subscribing is None or not await self._may(asked.place, asked.by):
            await self._tell(asked, "off" if self._subscribing is None else "refused", ui)
            return
        timezone = await self._desk.people.timezone(asked.place.workspace, asked.by)
        wishes = Wishes(timezone=timezone)
        await self._open(asked, modal(form_of(wishes), asked.place.channel, ui))

    async def show(self, asked: Asked, ui: Language, *, instead: bool = False) -> None:
        if self._subscribing is None:
            await self._tell(asked, "off", ui)
            return
        found = await self._subscribing.of(asked.place)
        shown = overview_blocks(found, ui), say("yours", ui)
        await self._desk.answer(asked, shown, instead=instead)

    # --- pressing

    async def press(self, asked: Asked, action_id: str, value: str) -> None:
        ui = await self._desk.ui(asked.place, asked.by)
        verb = action_id.rpartition(":")[2]
        if verb == "manage":
            await self.show(asked, ui)
            return
        subscribing = self._subscribing
        known = None if subscribing is None else await subscribing.get(value, asked.place)
        if subscribing is None or known is None:
            await self._tell(asked, "unknown", ui)
        elif not await self._may(asked.place, asked.by):
            await self._tell(asked, "refused", ui)
        elif verb == "edit":
            form = form_of(await subscribing.wishes(known))
            if len(_parted(form["sources"])[1]) > _LONG["sources"]:
                await self._tell(asked, "too_long_to_edit", ui)
                return
            await self._open(asked, modal(form, asked.place.channel, ui, subscription=known.id))
        else:
            if verb == "remove":
                await subscribing.remove(known.id)
            else:
                await subscribing.pause(known.id, verb == "pause")
            await self.show(asked, ui, instead=True)

    # --- the form

    def errors_in(self, view: Mapping[str, Any], ui: Language) -> dict[str, str]:
        """What can be said at once; whether there are feeds shows later."""
        try:
            understood(filled(view))
        except Mistakes as error:
            told = mistakes(error, ui)
            if error.fields.get("sources") == "sources" and KNOWN in view["state"]["values"]:
                told["sources"] = say("mistake.nothing_chosen", ui)
            return told
        return {}

    async def save(self, asked: Asked, view: Mapping[str, Any]) -> None:
        """The form is gone when this begins: what becomes of it is whispered in the channel."""
        known = json.loads(view["private_metadata"])
        place = Place("slack", asked.place.workspace, str(known["channel"]))
        ui = await self._desk.ui(place, asked.by)
        said = await self._save(place, asked, filled(view), str(known.get("subscription", "")), ui)
        await self._desk.whisper(place, asked.by, plain(said))

    async def _save(
        self, place: Place, asked: Asked, form: dict[str, str], known: str, ui: Language
    ) -> str:
        subscribing = self._subscribing
        if subscribing is None or not await self._may(place, asked.by):
            return say("off" if subscribing is None else "refused", ui)
        try:
            if not known:
                done = await subscribing.subscribe(place, asked.by, form, ui=ui)
                return subscribed_in_words(done, ui)
            if await subscribing.get(known, place) is None:
                return say("unknown", ui)
            changed = await subscribing.edit(known, form)
            if changed is None:
                return say("unknown", ui)
            return subscribed_in_words(changed, ui, changed=True)
        except Mistakes as error:
            return mistakes_in_words(error, ui)

    async def _may(self, place: Place, by: str) -> bool:
        return await self._desk.people.may_set(place, by)

    async def _tell(self, asked: Asked, key: str, ui: Language) -> None:
        sentence = say(key, ui)
        await self._desk.answer(asked, ([rich(line(text(sentence)))], sentence))

    async def _open(self, asked: Asked, view: Json) -> None:
        bot = await self._desk.installations.of(asked.place.workspace)
        arguments = {"trigger_id": asked.trigger, "view": view}
        await self._desk.api.write(bot.token, "views.open", arguments)


# --- how it looks


def modal(form: Mapping[str, str], channel: str, ui: Language, *, subscription: str = "") -> Json:
    """What is subscribed to already is chosen in the list, where the list has it."""
    known = {"channel": channel, **({"subscription": subscription} if subscription else {})}
    chosen, written = _parted(form["sources"])
    first, *further = [_input(*one, ui) for one in {**form, "sources": written}.items()]
    listed = [_list(chosen, ui)] if known_feeds().feeds else []
    return {
        "type": "modal",
        "callback_id": SUBSCRIBE,
        "private_metadata": json.dumps(known),
        "title": plain_text(say("title", ui)),
        "submit": plain_text(say("save" if subscription else "subscribe", ui)),
        "close": plain_text(say("close", ui)),
        "blocks": [first, *listed, *further],
    }


def feeds_like(typed: str) -> list[Json]:
    """Of the catalogue, as options; its beginning where nothing is typed."""
    known = known_feeds()
    found = _options(known.search(typed, limit=len(known.feeds)))
    return [*found.values()][:_OFFERED]


def _parted(addresses: str) -> tuple[list[Json], str]:
    """The options among the addresses, and the others as they stand."""
    listed = _options(known_feeds().feeds)
    asked = addresses.split()
    chosen = [one for one in asked if one in listed][:_OFFERED]
    written = [one for one in asked if one not in chosen]
    return [listed[one] for one in chosen], "\n".join(written)


def _options(feeds: Iterable[FoundFeed]) -> dict[str, Json]:
    """By address, each once."""
    made: dict[str, Json] = {}
    for feed in feeds:
        option = _option(feed)
        if option is not None:
            made.setdefault(option["value"], option)
    return made


@lru_cache(maxsize=2048)  # for every letter that somebody types
def _option(feed: FoundFeed) -> Json | None:
    link = offered_as(feed)
    if link is None or len(link) > _VALUE:
        return None
    host = fitted(host_of(feed.site), _SAID) or fitted(host_of(link), _SAID)
    return foreign_option(fitted(feed.title, _SAID) or host, link, host)


def _list(chosen: Sequence[Json], ui: Language) -> Json:
    return {
        "type": "input",
        "block_id": KNOWN,
        "label": plain_text(say("field.known_feeds", ui)),
        "element": search(KNOWN, chosen, say("search.known_feeds", ui)),
        "hint": plain_text(say("hint.known_feeds", ui)),
        "optional": True,
    }


def _input(name: str, value: str, ui: Language) -> Json:
    made: Json = {
        "type": "input",
        "block_id": name,
        "label": plain_text(say(f"field.{name}", ui)),
        "element": _element(name, value, ui),
    }
    if name in _OPTIONAL:
        made["optional"] = True
    if name in _HINTED:
        made["hint"] = plain_text(say(f"hint.{_HINTS.get(name, name)}", ui))
    return made


def _element(name: str, value: str, ui: Language) -> Json:
    if name in _CHOICES:
        offered = [(say(f"{name}.{one}", ui), one) for one in _CHOICES[name]]
        return select(name, offered, value)
    if name == "at":
        return {"type": "timepicker", "action_id": name, "initial_time": value}
    longest = _LONG.get(name, 120)
    made: Json = {"type": "plain_text_input", "action_id": name, "max_length": longest}
    if name == "sources":
        made["multiline"] = True
    return {**made, "initial_value": value} if value else made


def filled(view: Mapping[str, Any]) -> dict[str, str]:
    """The form as text; an empty field is an empty string. Addresses that are chosen in the list
    stand below those that are written."""
    found: dict[str, str] = {}
    for name, held in view["state"]["values"].items():
        chosen = held[name]
        option = chosen.get("selected_option") or {}
        several = "\n".join(str(one["value"]) for one in chosen.get("selected_options") or ())
        value = chosen.get("value") or chosen.get("selected_time") or option.get("value")
        found[name] = str(value or several)
    listed = found.pop(KNOWN, "")
    return {**found, "sources": f"{found['sources']}\n{listed}"}


def overview_blocks(found: Sequence[Overview], ui: Language) -> Blocks:
    if not found:
        return [rich(line(text(say("none", ui))))]
    blocks: Blocks = [rich(line(text(say("yours", ui), bold=True)))]
    room = _LIST // len(found[:_SHOWN])
    for one in found[:_SHOWN]:
        blocks.append(rich(line(*_lines(overview_lines(one, ui), room))))
        blocks.append(actions(*_buttons(one, ui)))
    return blocks


def _lines(lines: Sequence[str], room: int) -> Iterator[Json]:
    """As many as there is room for."""
    for number, said in enumerate(lines):
        shown = fitted(said, _LINE)
        room -= width(shown)
        if room < 0:
            yield text("\n…")
            return
        yield text(shown if number == 0 else f"\n{shown}", bold=number == 0)


def _buttons(one: Overview, ui: Language) -> Iterator[Json]:
    subscription = one.subscription
    for verb in VERBS:
        if verb != ("pause" if subscription.paused else "resume"):
            yield button(f"sdd:feed:{verb}", say(verb, ui), subscription.id)
