"""Posts from checkouts: what their authors say of them, and only where that says something."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from core.errors import SettingsError
from training.config import read
from training.sets.posts import Posts, Site, build, clone, described, main, rows

TEXT = "A pool keeps connections open so that nobody waits for a new one. " * 14
SAID = "Why a pool of database connections makes requests faster"


def site(**more: object) -> Site:
    given = {"name": "a/blog", "commit": "0" * 40, "folders": ["posts"], "license": "MIT"}
    return Site.model_validate(given | more)


def leave(checkouts: Path, name: str, said: str = SAID, text: str = TEXT, **head: str) -> None:
    path = checkouts / "a/blog" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {"title": "Pools", "description": said} | head
    lines = "\n".join(f"{key}: {json.dumps(value)}" for key, value in fields.items())
    path.write_text(f"---\n{lines}\n---\n\n{text}\n", encoding="utf-8")


def found(checkouts: Path, **more: object) -> list[str]:
    made = rows(site(**more), checkouts / "a/blog")
    return [str(row["id"]).removeprefix("a/blog:posts/") for row in made]


def test_a_post_is_a_row_as_the_data_folder_has_them(tmp_path: Path) -> None:
    leave(tmp_path, "posts/2024/pools.md", text=f"# Pools\n\n{TEXT}\n\n```go\nopen()\n```")
    (row,) = rows(site(), tmp_path / "a/blog")
    assert row["id"] == "a/blog:posts/2024/pools.md"
    assert row["url"].endswith("/a/blog/blob/" + "0" * 40 + "/posts/2024/pools.md")
    assert (row["title"], row["summary"], row["language"]) == ("Pools", SAID, "en")
    assert (row["source"], row["license"]) == ("a/blog", "MIT")
    assert row["content"].startswith("A pool keeps connections open")
    assert SAID not in row["content"]
    assert "```go\nopen()" in row["content"]


def test_what_says_nothing_is_left_out(tmp_path: Path) -> None:
    leave(tmp_path, "posts/good.md")
    leave(tmp_path, "posts/short.md", text="A pool keeps connections open.")
    leave(tmp_path, "posts/few-words.md", said="On pools")
    leave(tmp_path, "posts/the-title.md", said="About the pools, and pools of pools, again")
    leave(tmp_path, "posts/quoted.md", said="A pool keeps connections open so that nobody waits")
    leave(
        tmp_path, "posts/korean.md", text="풀은 연결을 열어 두어 아무도 기다리지 않게 한다. " * 30
    )
    leave(tmp_path, "posts/picture.png")
    leave(tmp_path, "posts/old/good.md")
    leave(tmp_path, "other/good.md")
    assert found(tmp_path, skip=["posts/old"]) == ["good.md"]


def test_of_posts_from_one_mould_two_are_taken(tmp_path: Path) -> None:
    for number in range(5):
        said = f"We just pushed version 1.{number}.0, which fixes several bugs of the last one"
        leave(tmp_path, f"posts/{number}.md", said=said)
    assert found(tmp_path) == ["0.md", "1.md"]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"excerpt": "<p>How we made <b>Flink</b> ten times faster &amp; smaller</p>"}, "How we made Flink ten times faster & smaller"),
        ({"subhead": "What [the pool](https://a.b/c) does for *all*\n of your requests"}, "What the pool does for *all* of your requests"),
        ({"description": "Short", "teaser": "A longer one that says what it is about"}, "A longer one that says what it is about"),
        ({"description": "Short"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_what_an_author_says_is_plain_text(head: dict[str, str], said: str) -> None:
    assert described(head) == said


def test_sites_to_measure_with_go_to_a_file_of_their_own(tmp_path: Path) -> None:
    leave(tmp_path, "posts/a.md")
    leave(tmp_path, "talks/b.md")
    given = Posts(sites=(site(), site(folders=["talks"], held=True)))
    files = [tmp_path / name for name in ("posts.jsonl", "held.jsonl", "levels.jsonl")]
    counts = build(given, tmp_path, *files)
    assert counts == {"a/blog": 1, "a/blog (held out)": 1}
    taught, held = (
        json.loads((tmp_path / name).read_text("utf-8")) for name in ("posts.jsonl", "held.jsonl")
    )
    assert (taught["id"], held["id"]) == ("a/blog:posts/a.md", "a/blog:talks/b.md")


def test_texts_that_only_tell_how_hard_they_are_need_no_description(tmp_path: Path) -> None:
    leave(tmp_path, "posts/a.md", said="")
    leave(tmp_path, "posts/b.md")
    given = Posts(sites=(site(levels=True),))
    files = [tmp_path / name for name in ("posts.jsonl", "held.jsonl", "levels.jsonl")]
    assert build(given, tmp_path, *files) == {"a/blog (levels)": 2}
    rows_of = [json.loads(line) for line in files[2].read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows_of] == ["a/blog:posts/a.md", "a/blog:posts/b.md"]
    assert "summary" not in rows_of[0]
    given = Posts(sites=(site(levels=True, language="ko"),))
    assert build(given, tmp_path, *files) == {"a/blog (levels)": 0}


def test_a_missing_checkout_is_named_before_anything_is_read(tmp_path: Path) -> None:
    leave(tmp_path, "posts/a.md")
    given = Posts(sites=(site(), site(name="b/site")))
    with pytest.raises(SettingsError, match=r"git clone https://github.com/b/site .*b/site"):
        build(given, tmp_path, *(tmp_path / f"{name}.jsonl" for name in ("posts", "held", "l")))
    assert not (tmp_path / "posts.jsonl").exists()


def test_a_clone_has_the_folders_of_its_commit(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    leave(origin, "posts/a.md")
    leave(origin, "other/b.md")
    leave(origin, "README.md")

    def git(*arguments: str) -> str:
        named = ("-c", "user.name=a", "-c", "user.email=a@b.example")
        asked = ["git", "-C", str(origin / "a/blog"), *named, *arguments]
        return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    git("config", "uploadpack.allowFilter", "true")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    commit = git("rev-parse", "HEAD")
    leave(origin, "posts/later.md")
    git("add", ".")
    git("commit", "--quiet", "-m", "two")
    clone(site(commit=commit), tmp_path / "checkouts/a/blog", f"{origin.as_uri()}/")
    assert found(tmp_path / "checkouts") == ["a.md"]
    assert not (tmp_path / "checkouts/a/blog/other").exists()


def test_a_clone_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"git clone failed: .*nowhere"):
        clone(site(), tmp_path / "a", f"{(tmp_path / 'nowhere').as_uri()}/")


def test_the_shipped_list_reads_and_names_no_site_for_others_only(tmp_path: Path) -> None:
    sites = read(Path("config/training/posts.yaml"), Posts).sites
    assert all(one.held or "NC" not in one.license for one in sites)
    assert {one.held for one in sites} == {True, False}
    with pytest.raises(SettingsError, match="no such folder"):
        main(["--checkouts", str(tmp_path), "--out", str(tmp_path / "out.jsonl")])
