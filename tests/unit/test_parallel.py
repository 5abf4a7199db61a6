"""Pages in two languages, paired by path and cleaned alike."""

from __future__ import annotations

import json
from pathlib import Path

from training.levels.parallel import cleaned, main, pairs

ENGLISH = "A pool keeps connections open so that nobody waits for a new one. " * 12
KOREAN = "풀은 연결을 열어 두어 아무도 새 연결을 기다리지 않게 한다. " * 12


def page(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_front_matter_gives_the_title_and_what_is_no_text_goes() -> None:
    title, text = cleaned(
        "---\ntitle: 'Pools'\nlayout: doc\n---\n\n# Pools {#pools}\n\nimport X from 'x'\n"
        "<Note>Read [the guide](https://a.b/c) ![x](y.png) first.</Note>\n\n"
        "```js {3-4} [app.js]\nif (a < b) c()\n```\n\n\n\n## Size {/*size*/}\n"
    )
    assert title == "Pools"
    assert text == "Read the guide  first.\n\n```js\nif (a < b) c()\n```\n\n## Size"


def test_without_front_matter_the_first_heading_is_the_title() -> None:
    assert cleaned("# 풀[[pool]]\n\n본문") == ("풀", "본문")


def test_only_translated_pages_of_the_same_path_are_pairs(tmp_path: Path) -> None:
    korean, english = tmp_path / "ko", tmp_path / "en"
    page(korean, "guide/pools.md", f"# 풀\n{KOREAN}")
    page(english, "guide/pools.md", f"# Pools\n{ENGLISH}")
    page(korean, "guide/new.md", f"# New\n{ENGLISH}")
    page(english, "guide/new.md", f"# New\n{ENGLISH}")
    page(korean, "only.md", KOREAN)
    page(english, "short.md", "Links.")
    page(korean, "short.md", KOREAN)
    found = list(pairs("docs", korean, english))
    assert [(one["site"], one["key"]) for one in found] == [("docs", "guide/pools")]
    assert found[0]["korean"]["title"] == "풀"
    assert found[0]["english"]["content"].startswith("A pool keeps")


def test_a_site_read_again_takes_the_place_of_its_old_pages(tmp_path: Path) -> None:
    korean, english, out = tmp_path / "ko", tmp_path / "en", tmp_path / "parallel.jsonl"
    page(korean, "a.md", KOREAN)
    page(english, "a.md", ENGLISH)
    for site in ("one", "two", "one"):
        asked = ["--site", site, "--korean", str(korean), "--english", str(english)]
        assert main([*asked, "--out", str(out)]) == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["site"] for row in rows] == ["two", "one"]
