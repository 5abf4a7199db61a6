"""The page of suspicious labels in a real browser: what is chosen there is what `apply` reads."""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.async_api import Browser
from support.browser import NEEDED

from training.levels.audit import COLUMNS, page

pytestmark = NEEDED


def listed(name: str, text: str) -> dict[str, object]:
    numbers: dict[str, object] = {"confidence": 0.8, "quality": 0.1}
    words = dict.fromkeys(COLUMNS, "") | {"id": name, "label": "beginner", "suggested": "advanced"}
    return {**words, **numbers, "title": f"Title {name}", "text": text}


async def test_what_is_chosen_is_saved_as_csv(browser: Browser, tmp_path: Path) -> None:
    rows = [listed("a", 'He said "no", twice'), listed("b", "한글, too"), listed("c", "plain")]
    (tmp_path / "set.html").write_text(page("set", rows), encoding="utf-8")
    async with await browser.new_page(accept_downloads=True) as shown:
        await shown.goto((tmp_path / "set.html").as_uri())
        await shown.locator("select").nth(0).select_option("fix")
        await shown.locator("select").nth(1).select_option("soften")
        async with shown.expect_download() as waiting:
            await shown.locator("#save").click()
        saved = tmp_path / "decided.csv"
        await (await waiting.value).save_as(saved)
    with saved.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["decision"] for row in found] == ["fix", "soften", ""]
    assert [row["text"] for row in found] == [row["text"] for row in rows]
    assert tuple(found[0]) == COLUMNS
