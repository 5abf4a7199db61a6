"""Posts and pages whose authors say in their head what they are about, from checkouts of sites.

    python -m training posts --clone --checkouts checkouts --out runs/posts.jsonl

Rows as the data folder has them: {"id", "url", "language", "title", "content", "summary", "source",
"license"}, to be given to `python -m training examples --more`. The text is read as the service reads
Markdown. Sites that are told to be held out go to a file of their own (`--held`), to measure with.
--clone gets with git what is not below --checkouts yet: of each site of `config/training/posts.yaml`
the folders of its commit, a few hundred MB in all. Otherwise nothing is asked of the network.
Sites whose texts are only told how hard they are need no description; theirs go to a third file
(`--levels`), for `python -m training difficulty`.
"""

from __future__ import annotations

import argparse
import html
import logging
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from core.article import Article, Language, Page
from core.errors import NothingToRead, SettingsError
from core.language import detect, words
from core.settings import WebSettings
from core.web.answers import MARKDOWN
from core.web.extract import Extractor
from core.web.front_matter import front_matter, one
from training.config import Part, read
from training.lines import bar, leave

log = logging.getLogger("training.sets.posts")

# Fields of a head in which sites say what a text is about, the likeliest to be a sentence first.
_FIELDS = ("description", "excerpt", "summary", "subhead", "teaser")
_FILES = (".md", ".mdx", ".markdown")
# Fewer words are no post, no sentence, or only the title once more.
_POST, _SENTENCE, _BESIDE_THE_TITLE = 150, 6, 3
# So few words may tell how hard they are.
_TEXT = 60
# "We just pushed ESLint v1.7.0, …" stands in hundreds of posts; of one such mould so many are taken.
_OF_ONE_MOULD = 2
_ORIGIN = "https://github.com/"
_TAG = re.compile(r"<[^<>]+>")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_NUMBER = re.compile(r"v?\d[\w.]*")


class Site(Part):
    """`name`: owner and repository, and its folder below the checkouts. `folders`: where its texts
    lie. `held`: nothing is learned from it. `levels`: nor is it asked what its authors say; only how
    hard its texts are is compared."""

    name: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    commit: str = Field(pattern=r"^[0-9a-f]{12,40}$")
    folders: tuple[str, ...] = Field(min_length=1)
    skip: tuple[str, ...] = Field((), description="Folders below these that are left out")
    license: str = Field(min_length=2)
    language: Language = "en"
    held: bool = False
    levels: bool = False


class Posts(Part):
    sites: tuple[Site, ...] = Field(min_length=1)


def described(head: dict[str, Any]) -> str:
    """What the author says, as plain text; "" where it is too short to be a sentence."""
    for field in _FIELDS:
        said = html.unescape(_LINK.sub(r"\1", _TAG.sub("", one(head, field) or "")))
        said = " ".join(said.split()).strip("*_ ")
        if len(said.split()) >= _SENTENCE:
            return said
    return ""


def post(body: bytes) -> tuple[Article, Language, str] | None:
    """A text, its language and what its author says of it; None where that is nothing, or stands in
    the text."""
    head, _ = front_matter(body.decode(errors="replace"))
    said = described(head)
    if not said or head.get("draft") is True:
        return None
    article = _extracted(body, _POST)
    if article is None:
        return None
    language = detect(article.content)
    new = set(words(said, language)) - set(words(article.title or "", language))
    repeated = said.rstrip(".") in " ".join(article.content.split())
    return None if len(new) < _BESIDE_THE_TITLE or repeated else (article, language, said)


def _extracted(body: bytes, least: int) -> Article | None:
    """As the service reads it; None where it has fewer words."""
    try:
        article = Extractor(WebSettings())(Page(url="", body=body, content_type=MARKDOWN))
    except NothingToRead:
        return None
    return article if article.title and len(article.content.split()) >= least else None


def rows(site: Site, checkout: Path) -> Iterator[dict[str, Any]]:
    """Sorted by path."""
    moulds: Counter[str] = Counter()
    for path in _files(site, checkout):
        found = post(path.read_bytes())
        if found is None:
            continue
        article, written_in, said = found
        mould = _NUMBER.sub("0", said.lower())[:60]
        moulds[mould] += 1
        if moulds[mould] > _OF_ONE_MOULD or written_in != site.language:
            continue
        yield {**_row(site, path.relative_to(checkout), article), "summary": said}


def texts(site: Site, checkout: Path) -> Iterator[dict[str, Any]]:
    """Every text of the site's language, whatever its author says of it; sorted by path."""
    for path in _files(site, checkout):
        article = _extracted(path.read_bytes(), _TEXT)
        if article is not None and detect(article.content) == site.language:
            yield _row(site, path.relative_to(checkout), article)


def _row(site: Site, path: Path, article: Article) -> dict[str, Any]:
    return {
        "id": f"{site.name}:{path}",
        "url": f"{_ORIGIN}{site.name}/blob/{site.commit}/{path}",
        "language": site.language,
        "title": article.title,
        "content": article.content,
        "source": site.name,
        "license": site.license,
    }


def _check(site: Site, checkout: Path) -> None:
    missing = [name for name in site.folders if not (checkout / name).is_dir()]
    if missing:
        raise SettingsError(
            [
                f"{checkout / name}: there is no such folder; --clone gets it, or git clone "
                f"{_ORIGIN}{site.name} {checkout}, at {site.commit}"
                for name in missing
            ]
        )


def _files(site: Site, checkout: Path) -> list[Path]:
    files = {
        path
        for folder in site.folders
        for path in (checkout / folder).rglob("*")
        if path.suffix in _FILES and path.is_file()
    }
    left_out = [checkout / name for name in site.skip]
    return sorted(path for path in files if not any(one in path.parents for one in left_out))


def clone(site: Site, checkout: Path, origin: str = _ORIGIN) -> None:
    """The site's folders as they were at its commit. Raises SettingsError where git fails."""
    log.info("git clone %s%s", origin, site.name)
    sparse = ("--filter=blob:none", "--no-checkout", "--sparse")
    _git("clone", "--quiet", *sparse, f"{origin}{site.name}", str(checkout))
    _git("-C", str(checkout), "sparse-checkout", "set", *site.folders)
    _git("-C", str(checkout), "checkout", "--quiet", site.commit)


def _git(*arguments: str) -> None:
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    except OSError as error:
        raise SettingsError([f"git cannot be run ({error})"]) from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        raise SettingsError([f"git {arguments[0]} failed: {said}"])


def build(posts: Posts, checkouts: Path, out: Path, held: Path, levels: Path) -> Counter[str]:
    """How many rows each site gave. Raises SettingsError where a checkout is missing."""
    for site in posts.sites:
        _check(site, checkouts / site.name)
    found: dict[Path, list[dict[str, Any]]] = {out: [], held: [], levels: []}
    counts: Counter[str] = Counter()
    with bar() as shown:
        for site in shown.track(posts.sites, description="sites"):
            checkout = checkouts / site.name
            made = list(texts(site, checkout) if site.levels else rows(site, checkout))
            found[levels if site.levels else held if site.held else out] += made
            apart = " (levels)" if site.levels else " (held out)" if site.held else ""
            counts[f"{site.name}{apart}"] = len(made)
    for path, mine in found.items():
        leave(mine, path)
    return counts


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training posts",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, default=Path("config/training/posts.yaml"))
    parser.add_argument("--checkouts", type=Path, required=True, help="owner/repository below it")
    parser.add_argument("--clone", action="store_true", help="get what is missing there")
    parser.add_argument("--out", type=Path, default=Path("runs/posts.jsonl"))
    parser.add_argument("--held", type=Path, default=Path("runs/posts.held.jsonl"))
    parser.add_argument("--levels", type=Path, default=Path("runs/posts.levels.jsonl"))
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    files = asked.out, asked.held, asked.levels
    for name, count in build(read(asked.config, Posts), asked.checkouts, *files).items():
        log.info("%-45s %5d", name, count)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
