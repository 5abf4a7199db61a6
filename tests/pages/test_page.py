"""The page in a real browser: what a person sees, clicks and types."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from support.browser import NEEDED, a_page
from support.builders import a_digest, a_record
from support.http_client import HOSTILE, LINK, PARAGRAPHS, Running, a_page_of, running

from core.article import Article
from core.digest import LABELS, TechnicalTerm
from core.errors import SiteUnavailable

pytestmark = NEEDED


@asynccontextmanager
async def opened(
    browser: Browser, server: Running, *, locale: str = "en-US", width: int = 1280
) -> AsyncIterator[Page]:
    """See `a_page`: where people paste links."""
    viewport = {"width": width, "height": 800}
    async with a_page(
        browser, server.address, locale=locale, viewport=viewport, reduced_motion="reduce"
    ) as page:
        await expect(page.locator(".sample")).to_have_count(4)
        yield page


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[Running]:
    async with running() as started:
        yield started


async def say(page: Page, text: str) -> None:
    await page.locator("#say").fill(text)
    await page.locator("#say").press("Enter")


async def a_finished_card(page: Page, server: Running) -> None:
    await say(page, server.sample("write-ahead-logging"))
    await expect(page.locator(".card.done")).to_have_count(1)


async def test_a_pasted_link_is_answered_at_once_and_settles_into_a_digest(
    browser: Browser, server: Running
) -> None:
    server.engine.hold()
    async with opened(browser, server) as page:
        link = server.sample("write-ahead-logging")
        await say(page, link)
        await expect(page.locator(".message.mine")).to_contain_text(link)
        card = page.locator(".card")
        await expect(card).to_have_attribute("aria-busy", "true")
        # The model is held in its first word: difficulty, keywords and the draft are there already.
        await expect(card.locator("h3")).to_have_text(
            "How write-ahead logging keeps a database honest"
        )
        await expect(card.locator(".meter")).to_have_attribute("role", "img")
        assert await card.locator(".chips li").count() >= 3
        await expect(card.locator(".draft-tag")).to_have_text("Draft, not yet checked")
        await expect(card.locator(".actions")).to_have_count(0)
        server.engine.release()
        await expect(page.locator(".card.done")).to_have_count(1)
        await expect(card.locator(".draft")).to_have_count(0)
        assert await card.locator(".said").count() >= 2
        await expect(card.locator(".context")).to_contain_text("100% of the article read")
        await expect(page.locator("#status")).to_contain_text("Digest ready")
        await expect(page.locator("#recent button")).to_have_count(1)


async def test_a_summary_sentence_shows_what_bears_it_out(
    browser: Browser, server: Running
) -> None:
    async with opened(browser, server) as page:
        await a_finished_card(page, server)
        claim = page.locator(".claim").first
        source = claim.locator(".source")
        await expect(source).to_be_hidden()
        await claim.locator(".said").hover()
        await expect(source).to_be_visible()
        await page.mouse.move(0, 0)
        await expect(source).to_be_hidden()
        await claim.locator(".said").click()
        await expect(claim.locator(".said")).to_have_attribute("aria-expanded", "true")
        await page.keyboard.press("Escape")
        await expect(source).to_be_hidden()


async def test_the_buttons_under_a_digest_do_what_they_say(
    browser: Browser, server: Running
) -> None:
    async with opened(browser, server) as page:
        await a_finished_card(page, server)
        await page.get_by_role("button", name="Too hard").click()
        await expect(page.locator("[data-verdict=too_hard]")).to_have_attribute(
            "aria-pressed", "true"
        )
        await page.get_by_role("button", name="Too easy").click()
        await expect(page.locator("[data-verdict=too_hard]")).to_have_attribute(
            "aria-pressed", "false"
        )
        await page.get_by_role("button", name="Good digest").click()
        await expect(page.locator(".said-line")).to_have_text("Thank you, noted.")
        assert sorted(server.digests.verdicts.values()) == ["good", "too_easy"]

        await page.get_by_role("button", name="Questions", exact=True).click()
        await expect(page.locator(".questions li")).to_have_count(5)
        await page.get_by_role("button", name="Questions", exact=True).click()
        await expect(page.locator(".questions")).to_be_hidden()

        answers = server.engine.answers
        await page.get_by_role("button", name="Again").click()
        await expect(page.locator(".card.done")).to_have_count(1)
        await expect(page.locator("[data-verdict=good]")).to_have_attribute("aria-pressed", "false")
        assert server.engine.answers > answers
        assert await page.locator(".card").count() == 1


async def test_a_recent_digest_is_shown_with_all_its_terms_on_request(
    browser: Browser, server: Running
) -> None:
    names = ("pool", "handshake", "queue", "timeout")
    terms = tuple(TechnicalTerm(term=name, explanation=f"What a {name} is.") for name in names)
    kept = a_record(digest=a_digest(technical_terms=terms))
    await server.digests.add(kept, content_hash="any")
    async with opened(browser, server) as page:
        await page.locator("#recent button").click()
        await expect(page.locator(".message.mine")).to_contain_text(str(kept.article.url))
        shown = page.locator(".term:visible")
        await expect(shown).to_have_count(2)
        more = page.get_by_role("button", name="Terms (4)")
        await more.click()
        await expect(more).to_have_attribute("aria-expanded", "true")
        await expect(shown).to_have_count(4)
        await more.click()
        await expect(shown).to_have_count(2)


async def test_the_other_language_is_asked_for_and_honestly_refused_in_a_note(
    browser: Browser, server: Running
) -> None:
    async with opened(browser, server) as page:
        await a_finished_card(page, server)
        await page.get_by_role("button", name="한국어로").click()
        await expect(page.locator(".notes")).to_contain_text("cannot write the language asked for")


async def test_everything_can_be_done_with_the_keyboard(browser: Browser, server: Running) -> None:
    async with opened(browser, server) as page:
        await expect(page.locator("#say")).to_be_focused()
        await page.keyboard.type("/")
        await expect(page.locator("#menu [role=option]")).to_have_count(5)
        await page.keyboard.press("ArrowDown")
        await expect(page.locator("#menu [aria-selected=true]")).to_contain_text("/explain")
        await page.keyboard.press("Tab")
        await expect(page.locator("#say")).to_have_value("/explain ")
        await page.keyboard.type("idempotence")
        await page.keyboard.press("Enter")
        await expect(page.locator(".plain-answer")).to_contain_text("CC BY 4.0")

        await page.locator("#say").fill("")
        await page.keyboard.type("/dig")
        await page.keyboard.press("Enter")
        await page.keyboard.type(server.sample("service-mesh"))
        await page.keyboard.press("Enter")
        await expect(page.locator(".card.done")).to_have_count(1)

        reached = []
        for _ in range(60):
            await page.keyboard.press("Shift+Tab")
            label = await page.evaluate(
                "() => (document.activeElement.getAttribute('aria-label') || "
                "document.activeElement.textContent).trim()"
            )
            reached.append(label)
            if label == "Questions":
                await page.keyboard.press("Enter")
                break
        assert "Too easy" in reached
        await expect(page.locator(".questions li")).to_have_count(5)


async def test_help_and_unknown_commands_are_answered(browser: Browser, server: Running) -> None:
    async with opened(browser, server) as page:
        await say(page, "/help ")
        await expect(page.locator(".commands li")).to_have_count(5)
        await say(page, "/dance now")
        await expect(page.locator(".plain-answer").last).to_contain_text("I do not know /dance")
        await say(page, "hello there")
        await expect(page.locator(".plain-answer").last).to_contain_text("I found no link")
        assert server.web.asked == []


async def test_several_links_in_a_message_get_a_card_each(browser: Browser) -> None:
    other = "https://blog.example.com/other"
    pages = {LINK: a_page_of(), other: a_page_of(*PARAGRAPHS[::-1], title="Another", url=other)}
    async with running(pages) as server, opened(browser, server) as page:
        await say(page, f"Look at {LINK}, and ({other}). Also {LINK}!")
        await expect(page.locator(".card.done")).to_have_count(2)
        assert sorted(server.web.asked) == sorted([LINK, other])


async def test_a_pasted_text_is_digested_itself(browser: Browser, server: Running) -> None:
    async with opened(browser, server) as page:
        await say(page, " ".join(PARAGRAPHS))
        await expect(page.locator(".card.done")).to_have_count(1)
        assert server.web.asked == []


async def test_trouble_is_a_sentence_and_can_be_tried_again(browser: Browser) -> None:
    async with running({LINK: SiteUnavailable(LINK)}) as server, opened(browser, server) as page:
        await say(page, LINK)
        await expect(page.locator(".card.trouble")).to_contain_text("site is not answering")
        server.web.pages[LINK] = a_page_of()
        await page.get_by_role("button", name="Try again").click()
        await expect(page.locator(".card.done")).to_have_count(1)


async def test_what_cannot_be_retried_offers_no_button(browser: Browser, server: Running) -> None:
    async with opened(browser, server) as page:
        await say(page, "https://blog.example.com/gone")
        await expect(page.locator(".card.trouble")).to_contain_text("no page at this address")
        await expect(page.get_by_role("button", name="Try again")).to_have_count(0)


async def test_stop_ends_the_work(browser: Browser, server: Running) -> None:
    server.engine.hold()
    async with opened(browser, server) as page:
        await say(page, LINK)
        await expect(page.locator(".draft")).to_have_count(1)
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator(".card.stopped")).to_contain_text("Stopped")
        async with asyncio.timeout(10):
            await server.engine.cancelled.wait()


async def test_hostile_words_stay_words(browser: Browser) -> None:
    hostile = a_page_of(HOSTILE * 2, *PARAGRAPHS, HOSTILE, title=f"Parsers {HOSTILE[-60:]}")
    async with running({LINK: hostile}) as server, opened(browser, server) as page:
        await say(page, LINK)
        await expect(page.locator(".card.done")).to_have_count(1)
        await say(page, "<img src=x onerror='window.broken=1'> javascript:alert(1)")
        await expect(page.locator(".message.mine").last).to_contain_text("<img src=x")
        assert await page.evaluate("() => window.broken === undefined")
        assert await page.locator(".messages script, .messages img").count() == 0
        hrefs = await page.locator(".messages a").evaluate_all(
            "links => links.map(link => [link.protocol, link.rel])"
        )
        assert hrefs
        for protocol, rel in hrefs:
            assert protocol in ("http:", "https:")
            assert "noopener" in rel


async def test_no_string_can_become_markup_even_by_mistake(
    browser: Browser, server: Running
) -> None:
    async with await browser.new_page() as page:
        await page.goto(server.address)
        refused = await page.evaluate(
            "() => { try { document.body.innerHTML = '<b>x</b>'; return false } "
            "catch (error) { return error instanceof TypeError } }"
        )
        assert refused is True


async def test_a_reload_keeps_the_conversation_and_only_its_numbers(
    browser: Browser, server: Running
) -> None:
    async with opened(browser, server) as page:
        await a_finished_card(page, server)
        kept = await page.evaluate("() => localStorage.getItem('conversation')")
        assert "write-ahead" not in kept
        assert next(iter(server.digests.records)) in kept
        await page.reload()
        await expect(page.locator(".card.done")).to_have_count(1)
        await expect(page.locator(".message.mine")).to_contain_text("write-ahead-logging.html")


async def test_the_language_of_the_page_follows_the_browser_and_is_remembered(
    browser: Browser, server: Running
) -> None:
    async with opened(browser, server, locale="ko-KR") as page:
        await expect(page.locator("html")).to_have_attribute("lang", "ko")
        await expect(page.locator(".sample").first).to_contain_text("쿠버네티스")
        await a_finished_card(page, server)
        await expect(page.locator(".card h4").first).to_have_text("요약")
        await page.get_by_role("button", name="EN", exact=True).click()
        await expect(page.locator(".card h4").first).to_have_text("Summary")
        await page.reload()
        await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_dark_can_be_chosen_and_is_remembered(browser: Browser, server: Running) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    async with opened(browser, server) as page:
        light = await page.evaluate(ground)
        await page.locator("#theme").click()
        dark = await page.evaluate(ground)
        assert dark != light
        await page.reload()
        assert await page.evaluate(ground) == dark


@pytest.mark.parametrize("width", [375, 600, 900, 1280])
async def test_the_languages_stand_on_one_line_at_every_width(
    browser: Browser, server: Running, width: int
) -> None:
    async with opened(browser, server, width=width) as page:
        for button in await page.locator("[data-language]").all():
            box = await button.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= width
            assert await button.evaluate("node => node.scrollHeight <= node.clientHeight")


async def test_on_a_phone_nothing_is_wider_than_the_screen(
    browser: Browser, server: Running
) -> None:
    async with opened(browser, server, width=375) as page:
        await a_finished_card(page, server)
        await page.locator(".why summary").click()
        assert await page.evaluate("() => document.documentElement.scrollWidth") <= 375
        wide = await page.locator(".scroll *:not(.hidden):not(.source *)").evaluate_all(
            "nodes => nodes.filter(node => node.getBoundingClientRect().right > 376)"
            ".map(node => node.className)"
        )
        assert wide == []


async def test_the_token_is_asked_for_once(browser: Browser) -> None:
    token = "a-token-of-this-test"  # noqa: S105
    async with running(token=token) as server, opened(browser, server) as page:
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        await page.locator("#token-value").fill(token)
        await page.keyboard.press("Enter")
        await expect(dialog).to_be_hidden()
        await a_finished_card(page, server)
        assert await page.evaluate("() => sessionStorage.getItem('token')") == token
        assert token not in str(await page.evaluate("() => JSON.stringify(localStorage)"))


async def test_the_page_for_programmers_lists_the_addresses(
    browser: Browser, server: Running
) -> None:
    async with opened(browser, server) as page:
        await page.goto(f"{server.address}/docs")
        await expect(page.locator("section code").first).to_have_text("/v1/digest")


async def test_text_is_readable_against_its_ground(browser: Browser, server: Running) -> None:
    """WCAG AA: 4.5 to 1 for every piece of text, in light and dark."""
    async with opened(browser, server) as page:
        await a_finished_card(page, server)
        await page.locator(".why summary").click()
        for _ in ("light", "dark"):
            for level in LABELS:
                await page.locator(".difficulty").evaluate(
                    "(node, level) => { node.dataset.level = level }", level
                )
                assert await page.evaluate(CONTRAST) == [], level
            await page.locator("#theme").click()


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const colour = rgba(getComputedStyle(node).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    const [a, b] = [light(rgba(getComputedStyle(node).color)), light(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${node.className || node.tagName}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


async def test_an_answer_shows_the_article_that_it_cites(browser: Browser, server: Running) -> None:
    title = "Connection pools, measured"
    content = "A connection pool keeps database connections open and hands them to requests."
    await server.library.read(
        Article(title=title, url="https://blog.example.com/pools", content=content)
    )
    async with opened(browser, server) as page:
        await say(page, "/ask What does a connection pool keep open?")
        cited = page.locator(".sources .read-article a")
        await expect(cited).to_have_text(title)
        await expect(cited).to_be_visible()
