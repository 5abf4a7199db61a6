"""The page of daily digests in a real browser: subscribe, see, change, read past mornings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect
from support.browser import NEEDED, a_page
from support.http_client import Running, running
from support.subscribed import FEED, SubscribedWorld

from core.places import HERE, Place

pytestmark = NEEDED


@asynccontextmanager
async def opened(
    browser: Browser, server: Running, path: str, *, locale: str = "en-US"
) -> AsyncIterator[Page]:
    """See `a_page`: of somebody in Seoul."""
    address = server.address + path
    async with a_page(browser, address, locale=locale, timezone_id="Asia/Seoul") as page:
        yield page


@pytest.fixture
def world() -> SubscribedWorld:
    return SubscribedWorld()


@pytest_asyncio.fixture(loop_scope="module")
async def server(world: SubscribedWorld) -> AsyncIterator[Running]:
    async with running(subscribing=world.subscribing) as started:
        yield started


async def test_somebody_subscribes_changes_pauses_and_removes(
    browser: Browser, server: Running, world: SubscribedWorld
) -> None:
    async with opened(browser, server, "/mornings") as page:
        await expect(page.locator("#subscriptions")).to_contain_text("There is none yet")
        zone = page.locator('[data-field="timezone"] input')
        await expect(zone).to_have_value("Asia/Seoul")
        await page.locator('[data-field="difficulty"] input').fill("hard")
        await page.locator('[data-field="sources"] textarea').fill(FEED)
        await page.get_by_role("button", name="Subscribe").click()
        mistake = page.locator('[data-field="difficulty"] .mistake')
        await expect(mistake).to_contain_text("within 1 and 5")
        await page.locator('[data-field="difficulty"] input').fill("2-3.5")
        await page.locator('[data-language="ko"]').click()
        await expect(page.locator('[data-field="difficulty"]')).to_contain_text("난이도")
        await page.locator('[data-language="en"]').click()  # what is typed is still there
        await page.get_by_role("button", name="Subscribe").click()
        await expect(page.locator("#told")).to_contain_text("Subscribed; the first digest comes")
        [kept] = await world.subscriptions.of(HERE)
        assert (kept.low, kept.high, kept.timezone) == (2.0, 3.5, "Asia/Seoul")
        card = page.locator(".subscription")
        await expect(page.locator('[data-field="sources"] textarea')).to_have_value("")
        await expect(card).to_contain_text("Pools & Queues")
        await card.get_by_role("button", name="Pause").click()
        await expect(card).to_contain_text("paused")
        await card.get_by_role("button", name="Edit").click()
        await page.locator('[data-field="size"] input').fill("3")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#told")).to_contain_text("Changed")
        assert world.subscriptions.kept[kept.id].size == 3
        await card.get_by_role("button", name="Remove").click()
        await expect(page.locator(".subscription")).to_have_count(0)
        assert await world.subscriptions.all() == []


async def test_what_comes_late_takes_nothing_from_who_is_writing(
    browser: Browser, server: Running, world: SubscribedWorld
) -> None:
    world.found.known["https://news.hada.io/rss/news"] = "GeekNews"
    comes = asyncio.Event()

    async def late(route: Route) -> None:
        await comes.wait()
        await route.continue_()

    async with opened(browser, server, "/mornings", locale="en-US") as page:
        await page.route("**/v1/subscriptions", late)
        await page.reload()
        box = page.get_by_label("Find feeds by name")
        await box.fill("geekn")
        await expect(page.locator(".found button")).to_have_count(1)
        async with page.expect_response("**/v1/subscriptions"):
            comes.set()
        await page.wait_for_timeout(200)
        await expect(box).to_be_focused()
        await expect(box).to_have_value("geekn")
        await expect(page.locator(".found button")).to_have_count(1)


@pytest.mark.parametrize(
    ("locale", "label", "none"),
    [
        ("en-US", "Find feeds by name", "No feed in the list"),
        ("ko-KR", "이름으로 피드 찾기", "그런 이름의"),
    ],
)
async def test_feeds_are_found_by_name_and_pressed_into_the_form(
    locale: str, label: str, none: str, browser: Browser, server: Running, world: SubscribedWorld
) -> None:
    world.found.known["https://news.hada.io/rss/news"] = "GeekNews"
    async with opened(browser, server, "/mornings", locale=locale) as page:
        await expect(page.locator("#subscriptions p")).to_have_count(1)  # all is loaded
        box = page.get_by_label(label)
        written = page.locator('[data-field="sources"] textarea')
        found = page.locator(".found button")
        await box.focus()
        await expect(found).to_have_count(8)
        await box.fill("no such blog")
        await expect(page.locator(".finder [role=status]")).to_contain_text(none)
        await expect(found).to_have_count(0)
        await written.fill(FEED)
        await box.fill("geekn")
        await expect(found).to_have_text("GeekNews news.hada.io")
        await found.click()
        await expect(written).to_have_value(f"{FEED}\nhttps://news.hada.io/rss/news")
        await expect(found).to_have_attribute("aria-pressed", "true")
        await found.click()
        await expect(written).to_have_value(FEED)
        await box.press("Enter")
        await expect(written).to_have_value(f"{FEED}\nhttps://news.hada.io/rss/news")
        await page.locator(".wishes button[type=submit]").click()
        await expect(page.locator(".subscription")).to_contain_text("GeekNews")
        [kept] = await world.subscriptions.of(HERE)
        assert len(kept.sources) == 2


async def test_past_mornings_are_read_in_korean_and_titles_are_text(
    browser: Browser, server: Running, world: SubscribedWorld
) -> None:
    mine = await world.subscribed(HERE)
    await world.a_morning(mine, server.digests, title="<img src=x onerror=alert(1)> 풀")
    async with opened(browser, server, "/mornings", locale="ko-KR") as page:
        archive = page.locator("#archive")
        await expect(archive).to_contain_text("2026년 11월 26일")
        await expect(archive).to_contain_text("<img src=x onerror=alert(1)> 풀")
        await expect(archive).to_contain_text("2.5 / 5 · 초급")
        await expect(archive.locator("li a")).to_have_attribute(
            "href", "https://blog.example.com/pools"
        )
        assert await archive.locator("img").count() == 0


async def test_a_secret_address_shows_the_mornings_and_nothing_to_change(
    browser: Browser, server: Running, world: SubscribedWorld
) -> None:
    mine = await world.subscribed(Place("slack", "T1", "C1"))
    await world.a_morning(mine, server.digests)
    async with opened(browser, server, f"/feeds/{world.subscriptions.kept[mine].secret}") as page:
        await expect(page.locator("#archive")).to_contain_text("Pools, measured")
        await expect(page.locator("#form form")).to_have_count(0)
        await expect(page.locator(".subscription")).to_have_count(0)
        await page.get_by_role("button", name="한국어").click()
        await expect(page.locator("#title")).to_have_text("매일 아침 요약")
