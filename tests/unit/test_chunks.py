from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import an_article

from core.chunks import blocks, cut
from core.markup import plain

ARTICLE = """Lead paragraph. It has two sentences.

# First heading

- an item that ends.
- another

```go
if x { return }
```

Second Heading
--------------

| a | b |

    indented := code

After the code. 1. not a list.
"""


def test_each_piece_of_markdown_is_recognised() -> None:
    found = [(block.kind, block.text, block.section) for block in blocks(ARTICLE)]
    assert found == [
        ("paragraph", "Lead paragraph. It has two sentences.", 0),
        ("heading", "First heading", 1),
        ("item", "an item that ends.", 1),
        ("item", "another", 1),
        ("code", "if x { return }", 1),
        ("heading", "Second Heading", 2),
        ("table", "a | b", 2),
        ("code", "    indented := code", 2),
        ("paragraph", "After the code. 1. not a list.", 2),
    ]


def test_a_fence_names_its_language() -> None:
    assert blocks("```Python\nx\n```")[0].info == "python"


def test_a_fence_that_never_ends_keeps_its_code() -> None:
    assert [b.kind for b in blocks("text\n\n```\ncode\nmore")] == ["paragraph", "code"]


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("see [the docs](https://a.b/c) for `x`", "see the docs for x"),
        ("**bold** and *slanted* and 2*3*4", "bold and slanted and 2*3*4"),
        ("![alt](x.png)caption", "caption"),
        ("*React의 규칙*이라고", "React의 규칙이라고"),
        ("`__init__` takes `*args` and `*more`", "__init__ takes *args and *more"),
        ("`[a](b)` is [a](b)", "[a](b) is a"),
        ("SSO[[1]](https://a.b/c/) 및 VPN[^2]을", "SSO 및 VPN을"),
        ("snake_case_name stays", "snake_case_name stays"),
    ],
)
def test_markup_goes_and_words_stay(markdown: str, text: str) -> None:
    assert plain(markdown) == text


def test_a_heading_keeps_the_sharp_of_its_name() -> None:
    assert [b.text for b in blocks("## What is C#\n\n## Closed ##")] == ["What is C#", "Closed"]


def test_the_items_of_a_quoted_list_are_items_and_parts_of_one_sentence() -> None:
    content = "> A type satisfies C if\n>\n> - `T` implements all of C; or\n> - it can be written in another way.\n"
    found = cut(an_article(content=content, language="en"), 100).sentences
    assert [(s.kind, s.text, s.whole) for s in found] == [
        ("paragraph", "A type satisfies C if", False),
        ("item", "T implements all of C; or", False),
        ("item", "it can be written in another way.", False),
    ]


def test_a_sentence_may_begin_with_code_and_does_not_end_in_it() -> None:
    content = "Call `a. B()` once. `b()` follows it."
    found = cut(an_article(content=content, language="en"), 100).sentences
    assert [s.text for s in found] == ["Call a. B() once.", "b() follows it."]


def test_every_sentence_is_in_exactly_one_part() -> None:
    article = an_article(
        content="\n\n".join(f"# H{n}\n\n" + "One two three four five. " * 40 for n in range(9))
    )
    document = cut(article, 120)
    covered = [i for part in document.parts for i in range(part.start, part.end)]
    assert covered == list(range(len(document.sentences)))


def test_parts_end_at_headings_where_one_is_near() -> None:
    section = "# Heading\n\n" + "One two three four five six seven eight. " * 12
    document = cut(an_article(content="\n\n".join([section] * 3)), 120)
    assert [part.words for part in document.parts] == [96, 96, 96]


@given(st.integers(50, 400), st.lists(st.integers(1, 90), min_size=1, max_size=30))
def test_no_part_is_longer_than_asked_unless_one_sentence_is(size: int, lengths: list[int]) -> None:
    content = " ".join("Word " + "word " * (n - 1) + "end." for n in lengths)
    document = cut(an_article(content=content, language="en"), size)
    longest = max(len(s.text.split()) for s in document.sentences)
    assert all(part.words <= max(size, longest) for part in document.parts)


@given(st.text(max_size=400).filter(lambda text: text.strip() != ""))
def test_any_text_can_be_cut(text: str) -> None:
    document = cut(an_article(content=text, language="en"), 100)
    assert document.words >= 0
