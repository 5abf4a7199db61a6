"""Subscriptions over HTTP: those of this machine for its page, and every one's feed and archive at
its secret address.

A secret address needs no token: who has it may read it, and nothing else. It says nothing of
where the subscription was made or by whom.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import islice
from typing import Annotated, Any, cast
from xml.etree import ElementTree

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from bot import feed_words, telling
from bot.chats import Listed
from bot.feed_lists import known_feeds, offered_as
from bot.feed_words import say
from bot.http.bodies import Body, checked, read_json
from bot.http.problems import HttpProblem
from bot.replies import plain
from bot.subscribing import (
    Overview,
    Subscribed,
    Subscribing,
    form_of,
    mistakes,
    overview_lines,
    subscribed_in_words,
)
from core.announcements import Announcement
from core.article import Language
from core.catalogue import host_of
from core.feed import FoundFeed, Subscription
from core.places import HERE
from core.ports import Digests
from core.wishes import Mistakes

LANGUAGES: tuple[Language, ...] = ("ko", "en")
_MORNINGS = 30  # in a feed; whoever asks daily has seen the others
_ATOM = "http://www.w3.org/2005/Atom"
_BY = "page"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class SubscriptionBody(Body):
    """A form as people fill it in; what is left out stays as it is."""

    sources: str | None = Field(None, max_length=10_000)
    difficulty: str | None = Field(None, max_length=40)
    language: str | None = Field(None, max_length=8)
    include: str | None = Field(None, max_length=2000)
    avoid: str | None = Field(None, max_length=2000)
    at: str | None = Field(None, max_length=40)
    timezone: str | None = Field(None, max_length=64)
    days: str | None = Field(None, max_length=100)
    size: str | None = Field(None, max_length=8)
    quiet: str | None = Field(None, max_length=40)
    say_nothing_new: str | None = Field(None, max_length=8)
    ui: Language = "en"


class PauseBody(Body):
    paused: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A morning with its articles as they are shown."""

    morning: Announcement
    listed: tuple[Listed, ...]


class FeedPages:
    def __init__(self, subscribing: Subscribing, digests: Digests, *, max_body: int) -> None:
        self._subscribing = subscribing
        self._digests = digests
        self._max_body = max_body

    def router(self) -> APIRouter:
        router = APIRouter()
        add = router.add_api_route
        v1 = "/v1/subscriptions"
        tags: list[str | Enum] = ["subscriptions"]
        add(v1, self.mine, methods=["GET"], tags=tags, summary="This machine's daily digests")
        form, pause = _body_of(SubscriptionBody), _body_of(PauseBody)
        add(
            v1,
            self.subscribe,
            methods=["POST"],
            tags=tags,
            summary="Subscribe",
            status_code=201,
            openapi_extra=form,
        )
        one = f"{v1}/{{subscription_id}}"
        add(
            one,
            self.edit,
            methods=["PATCH"],
            tags=tags,
            summary="Change some wishes",
            openapi_extra=form,
        )
        add(one, self.remove, methods=["DELETE"], tags=tags, summary="Unsubscribe", status_code=204)
        add(
            f"{one}/pause",
            self.pause,
            methods=["POST"],
            tags=tags,
            summary="Pause, or go on",
            openapi_extra=pause,
        )
        add(f"{one}/mornings", self.mornings, methods=["GET"], tags=tags, summary="Past mornings")
        add(
            "/v1/feeds/known",
            self.known,
            methods=["GET"],
            tags=tags,
            summary="Feeds to choose from, found by name",
        )
        add("/feeds/{secret}.atom", self.atom, include_in_schema=False)
        add("/feeds/{secret}.json", self.json_feed, include_in_schema=False)
        add("/feeds/{secret}/mornings", self.archive, include_in_schema=False)
        return router

    # --- this machine's own

    async def mine(self) -> Response:
        found = await self._subscribing.of(HERE)
        return JSONResponse({"subscriptions": [await self._shown(one) for one in found]})

    async def subscribe(self, request: Request) -> Response:
        body = checked(SubscriptionBody, await read_json(request, self._max_body))
        try:
            done = await self._subscribing.subscribe(HERE, _BY, _form(body), ui=body.ui)
        except Mistakes as error:
            return _wrong(error)
        return JSONResponse(_done(done), status_code=201)

    async def edit(self, request: Request, subscription_id: str) -> Response:
        await self._known(subscription_id)
        body = checked(SubscriptionBody, await read_json(request, self._max_body))
        try:
            done = await self._subscribing.edit(subscription_id, _form(body))
        except Mistakes as error:
            return _wrong(error)
        if done is None:
            raise HttpProblem(404, "no_such_page", subscription_id)
        return JSONResponse(_done(done, changed=True))

    async def pause(self, request: Request, subscription_id: str) -> Response:
        await self._known(subscription_id)
        body = checked(PauseBody, await read_json(request, self._max_body))
        await self._subscribing.pause(subscription_id, body.paused)
        overview = await self._subscribing.overview(await self._known(subscription_id))
        return JSONResponse(await self._shown(overview))

    async def remove(self, subscription_id: str) -> Response:
        await self._known(subscription_id)
        await self._subscribing.remove(subscription_id)
        return Response(status_code=204)

    async def mornings(
        self, subscription_id: str, limit: Annotated[int, Query(ge=1, le=100)] = 14
    ) -> Response:
        told = await self._told(await self._known(subscription_id), limit)
        return JSONResponse({"mornings": [_morning(one) for one in told]})

    async def known(
        self,
        q: Annotated[str, Query(max_length=200)] = "",
        language: Language | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 25,
    ) -> Response:
        """Of the catalogue those in whose name or host every word of `q` occurs; without words its
        beginning."""
        catalogue = known_feeds()
        found = catalogue.search(q, language=language, limit=len(catalogue.feeds))
        shown = (_found(feed, url) for feed in found if (url := offered_as(feed)) is not None)
        return JSONResponse({"feeds": [*islice(shown, limit)]})

    async def _known(self, subscription_id: str) -> Subscription:
        found = await self._subscribing.get(subscription_id, HERE)
        if found is None:
            raise HttpProblem(404, "no_such_page", subscription_id)
        return found

    async def _shown(self, one: Overview) -> dict[str, Any]:
        atom, as_json = self._subscribing.addresses(one.subscription)
        wishes = await self._subscribing.wishes(one.subscription)
        return {
            "id": one.subscription.id,
            "paused": one.subscription.paused,
            "form": form_of(wishes),
            "told": {ui: overview_lines(one, ui) for ui in LANGUAGES},
            "atom": atom,
            "json": as_json,
            "next_at": None if one.next_at is None else one.next_at.isoformat(),
        }

    # --- by secret address

    async def atom(self, request: Request, secret: str) -> Response:
        subscription, told = await self._secret(secret)
        own = str(request.url)
        return _cached(request, atom_of(subscription, told, own), "application/atom+xml")

    async def json_feed(self, request: Request, secret: str) -> Response:
        subscription, told = await self._secret(secret)
        feed = json_feed_of(subscription, told, str(request.url))
        text = json.dumps(feed, ensure_ascii=False).encode()
        return _cached(request, text, "application/feed+json")

    async def archive(self, request: Request, secret: str) -> Response:
        subscription, told = await self._secret(secret)
        shown = {
            "about": {ui: feed_words.wishes(subscription, ui) for ui in LANGUAGES},
            "mornings": [_morning(one) for one in told],
        }
        text = json.dumps(shown, ensure_ascii=False).encode()
        return _cached(request, text, "application/json")

    async def _secret(self, secret: str) -> tuple[Subscription, list[Told]]:
        found = await self._subscribing.subscriptions.of_secret(secret) if secret else None
        if found is None:
            raise HttpProblem(404, "no_such_page")
        return found, await self._told(found, _MORNINGS)

    async def _told(self, subscription: Subscription, limit: int) -> list[Told]:
        mornings = await self._subscribing.announcements.mornings(subscription.id, limit)
        found = []
        for morning in mornings:
            if morning.posted:
                listed = [
                    telling.listed(one, await self._digests.get(one.digest_id))
                    for one in morning.posted
                ]
                found.append(Told(morning, tuple(listed)))
        return found


def _body_of(model: type[Body]) -> dict[str, Any]:
    """The OpenAPI words for a body that we read ourselves, bounded while it comes."""
    schema = model.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _form(body: SubscriptionBody) -> dict[str, str]:
    given = cast("Mapping[str, str]", body.model_dump(exclude_none=True, exclude={"ui"}))
    return dict(given)


def _wrong(error: Mistakes) -> Response:
    """Every field's mistake in both languages, beside the problem."""
    told = {ui: mistakes(error, ui) for ui in LANGUAGES}
    problem = {
        "code": error.code,
        "message_en": " ".join(told["en"].values()),
        "message_ko": " ".join(told["ko"].values()),
        "subject": "",
        "retryable": False,
        "fields": {name: {ui: told[ui][name] for ui in LANGUAGES} for name in error.fields},
    }
    return JSONResponse(problem, status_code=422)


def _found(feed: FoundFeed, url: str) -> dict[str, Any]:
    site = plain(host_of(feed.site)) or plain(host_of(url))
    return {
        "title": plain(feed.title) or site,
        "url": url,
        "site": site,
        "kind": feed.kind,
        "language": feed.language,
    }


def _done(done: Subscribed, *, changed: bool = False) -> dict[str, Any]:
    told = {ui: subscribed_in_words(done, ui, changed=changed) for ui in LANGUAGES}
    return {"id": done.subscription.id, "told": told}


def _morning(told: Told) -> dict[str, Any]:
    return {
        "day": told.morning.day.isoformat(),
        "articles": [
            {
                "title": one.title,
                "link": one.link,
                "source": one.source,
                "score": one.score,
                "label": one.label,
                "sentence": one.sentence,
                "minutes": one.minutes,
                "digest": posted.digest_id,
            }
            for one, posted in zip(told.listed, told.morning.posted, strict=True)
        ],
    }


# --- feeds


def json_feed_of(subscription: Subscription, told: Sequence[Told], own: str) -> dict[str, Any]:
    """JSON Feed 1.1."""
    ui = subscription.ui
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"SmartDevDigest · {say('title', ui)}",
        "description": feed_words.wishes(subscription, ui),
        "feed_url": own,
        "language": ui,
        "items": [
            {
                "id": _name(one.morning, number),
                "url": article.link,
                "title": article.title or article.link,
                "content_text": _text(article, ui),
                "date_published": one.morning.made_at.isoformat(),
                "tags": [article.label],
            }
            for one in told
            for number, article in enumerate(one.listed)
        ],
    }


def atom_of(subscription: Subscription, told: Sequence[Told], own: str) -> bytes:
    """RFC 4287."""
    ui = subscription.ui
    ElementTree.register_namespace("", _ATOM)
    feed = ElementTree.Element(f"{{{_ATOM}}}feed", {"xml:lang": ui})
    _add(feed, "id", f"urn:smartdevdigest:{subscription.id}")
    _add(feed, "title", f"SmartDevDigest · {say('title', ui)}")
    _add(feed, "subtitle", feed_words.wishes(subscription, ui))
    updated = told[0].morning.made_at if told else subscription.created_at
    _add(feed, "updated", (updated or _NEVER).isoformat())
    _add(feed, "link", "", rel="self", href=own, type="application/atom+xml")
    _add(_add(feed, "author", ""), "name", "SmartDevDigest")
    for one in told:
        for number, article in enumerate(one.listed):
            entry = _add(feed, "entry", "")
            _add(entry, "id", f"urn:smartdevdigest:{_name(one.morning, number)}")
            _add(entry, "title", article.title or article.link)
            _add(entry, "link", "", rel="alternate", href=article.link)
            _add(entry, "updated", one.morning.made_at.isoformat())
            _add(entry, "category", "", term=article.label)
            _add(entry, "summary", _text(article, ui), type="text")
    whole: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return whole


def _add(
    parent: ElementTree.Element, name: str, text: str, **attributes: str
) -> ElementTree.Element:
    made = ElementTree.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    made.text = plain(text) or None
    return made


def _name(morning: Announcement, number: int) -> str:
    return f"{morning.id}:{number}"


def _text(article: Listed, ui: Language) -> str:
    told = [f"{article.score:.1f} / 5"]
    if article.minutes:
        told.append(say("minutes", ui, minutes=article.minutes))
    if article.source:
        told.append(article.source)
    line = " · ".join(told)
    return f"{article.sentence} ({line})" if article.sentence else line


def _cached(request: Request, body: bytes, media_type: str) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, max-age=900",
        "X-Robots-Tag": "noindex",
    }
    given = [one.strip() for one in request.headers.get("if-none-match", "").split(",")]
    if etag in given:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)
