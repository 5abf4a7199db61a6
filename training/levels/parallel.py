"""Pages that exist in Korean and English, from checkouts of documentation in Markdown.

    python -m training parallel --site vue --korean docs-ko/src --english docs/src --out runs/korean/parallel.jsonl

A page is paired with the one of the same path; both are cleaned alike (front matter, components,
anchors). Pages are added to what `--out` has of other sites. Nothing of a page ships:
`python -m training korean` fits numbers to them.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from training.lines import read

# Shorter pages are lists of links; Korean ones with less Hangul are not translated yet.
_ENGLISH, _HANGUL = 600, 200
_FRONT = re.compile(r"\A---\n(.*?)\n---\n", re.S)
_TITLE = re.compile(r"^title:\s*(.+)$", re.M)
_FIRST_HEADING = re.compile(r"\s*#\s+(.+)\n")
_LETTER = re.compile(r"[\uac00-\ud7a3]")
_FENCE = re.compile(r"\s*(```|~~~)")
_SKIPPED = re.compile(r"\s*(?:///|\{\*|:::|<!--|import )")
_ANCHOR = re.compile(r"\s*\{\s*/?\*?#[\w\-./]+\*?/?\s*\}|\[\[[\w-]+\]\]|\s*\{/\*.*?\*/\}")
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
log = logging.getLogger(__name__)


def cleaned(page: str) -> tuple[str, str]:
    """Title ("" where there is none) and light Markdown."""
    title = ""
    front = _FRONT.match(page)
    if front is not None:
        named = _TITLE.search(front[1])
        title = named[1].strip().strip("'\"") if named else ""
        page = page[front.end() :]
    text = "\n".join(_lines(page))
    first = _FIRST_HEADING.match(text)
    if first is not None:
        title, text = title or first[1].strip(), text[first.end() :]
    return title, re.sub(r"\n{3,}", "\n\n", text).strip()


def _lines(page: str) -> Iterator[str]:
    inside = False
    for line in page.splitlines():
        if _FENCE.match(line):
            inside = not inside
            yield re.sub(r"((?:```|~~~)\s*\w*).*", r"\1", line)
        elif inside:
            yield line
        elif not _SKIPPED.match(line):
            plain = _LINK.sub(r"\1", _IMAGE.sub("", _ANCHOR.sub("", line)))
            yield _TAG.sub("", plain)


def pairs(site: str, korean: Path, english: Path) -> Iterator[dict[str, Any]]:
    """Pages of the same path below the two folders, sorted."""
    for path in sorted(p for end in ("md", "mdx") for p in korean.rglob(f"*.{end}")):
        key = path.relative_to(korean)
        other = english / key
        if not other.is_file():
            continue
        (title, text), (titled, original) = (
            cleaned(one.read_text("utf-8")) for one in (path, other)
        )
        if len(original) >= _ENGLISH and len(_LETTER.findall(text)) >= _HANGUL:
            yield {
                "site": site,
                "key": str(key.with_suffix("")),
                "korean": {"title": title, "content": text},
                "english": {"title": titled, "content": original},
            }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training parallel", description=__doc__)
    parser.add_argument("--site", required=True)
    parser.add_argument("--korean", type=Path, required=True, help="a folder of Markdown pages")
    parser.add_argument("--english", type=Path, required=True, help="the same pages in English")
    parser.add_argument("--out", type=Path, default=Path("runs/korean/parallel.jsonl"))
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = list(pairs(asked.site, asked.korean, asked.english))
    before = [row for _, row in read(asked.out)] if asked.out.is_file() else []
    kept = [*(row for row in before if row["site"] != asked.site), *found]
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in kept)
    asked.out.write_text(lines + "\n", encoding="utf-8")
    log.info("%s: %d pages in both languages", asked.site, len(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
