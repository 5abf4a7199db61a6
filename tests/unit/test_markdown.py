from __future__ import annotations

import time

import pytest

from core.article import Article
from core.chunks import cut
from core.web.blocks import markdown_of
from core.web.markdown import Text, read_markdown


def content(text: str) -> str:
    return markdown_of(read_markdown(text).blocks)


def kinds(text: str) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in read_markdown(text).blocks]


SOURCES = "\n\n## 참고\n\n[1] [AWS SSO](https://a.b)\n[2-1] https://c.d\n"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("AWS SSO[[1]](https://a.b/c/) 및 VPN[[2]](https://a.b)을", "AWS SSO 및 VPN을"),
        ("적재합니다.[[4]](https://a.b/#what-is) 아자르는", "적재합니다. 아자르는"),
        (
            "CPython implementation [[0-2]](https://a.b/C_(x))을 쓴다.",
            "CPython implementation을 쓴다.",
        ),
        ("연구들[[1](https://a.b), [2](https://c.d)]이 있다.", "연구들이 있다."),
        (
            "As [[3]](https://a.b) shows, and in [[4]](https://a.b).",
            "As [3] shows, and in [4].",
        ),
        ("삭제하는 방식이죠 [1, 2-1].", "삭제하는 방식이죠."),
        ("See [2019](https://a.b) and arr[7] of [9].", "See 2019 and arr[7] of [9]."),
        ("repository[^scope] for October[^1].", "repository for October."),
        ("소개합니다.<sup>1</sup> O(n<sup>2</sup>) 시간", "소개합니다. O(n2) 시간"),
    ],
)
def test_marks_of_notes_and_sources_are_no_text(written: str, read: str) -> None:
    assert content(written + SOURCES).split("\n\n")[0] == read


def test_a_list_of_sources_is_read_line_by_line_without_bare_addresses() -> None:
    assert content("Text.[1]" + SOURCES) == "Text.\n\n## 참고\n\n[1] AWS SSO"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Please welcome [Boxy] and [Léo Lanteri].", "Please welcome Boxy and Léo Lanteri."),
        ("[`sparse`][sparse] and [Sparse][] are ready.", "`sparse` and Sparse are ready."),
        ("[`extern { [x] }` blocks (#13)][sparse].", "`extern { [x] }` blocks (#13)."),
        ("The [`Option::take`] macro.", "The `Option::take` macro."),
        ("[From<`[T; N]`>](https://a.b/(T,)) is new.", "From<`[T; N]`> is new."),
        ("A [draft] and matrix[i][j] stay.", "A [draft] and matrix[i][j] stay."),
    ],
)
def test_links_by_name_lose_their_brackets_if_the_name_is_defined(written: str, read: str) -> None:
    text = f"""{written}

[boxy]: https://a.b
[léo lanteri]: https://a.b
[sparse]: <https://a.b> "title"
[`Option::take`]: https://a.b
"""
    assert content(text).split("\n\n")[0] == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('[Periphery](https://a.b){:target="_blank"}라는 도구', "Periphery라는 도구"),
        ('그림 1. 구조\n{: style="text-align: center;" .wide}', "그림 1. 구조"),
        ('![x]({{"/a.png" | absolute_url}}){: height="250px" .center-image }\n본문', "본문"),
        ("글 {% include a.html %}과 {{ site.url }}{{ page.x | upper }} 끝", "글 과 끝"),
        ("Print with {:?} or {{ name }}.", "Print with {:?} or {{ name }}."),
        ("a<br>b<br/>\nc", "a b c"),
        ("before <!-- hidden\n\nhidden --> after", "before after"),
        ("Use `<!-- x -->` and `{/* y */}`.", "Use `<!-- x -->` and `{/* y */}`."),
        ("deprecated. {'\\n\\n'} See {\" \"}more", "deprecated. See more"),
        ("See \\#t-compiler \\> x\\!", "See #t-compiler > x!"),
        ("a&nbsp;b &amp; &lt;main&gt;", "a b & `<main>`"),
        ("~~지운 글~~과 **굵은 글**이다", "지운 글과 굵은 글이다"),
        ("one line \\\nand another", "one line and another"),
    ],
)
def test_words_to_a_generator_are_no_text(written: str, read: str) -> None:
    assert content(written) == read


@pytest.mark.parametrize(
    "tag", ["<Intro>", '<Note kind="x">', "<br>", ":::tip", ":::", "[!NOTE]", "<p align=center>"]
)
def test_a_line_that_is_no_text_divides_paragraphs(tag: str) -> None:
    assert content(f"One.\n{tag}\nTwo.") == "One.\n\nTwo."


def test_headings_lose_the_names_of_their_addresses() -> None:
    text = "# T\n\n## A {#some-id}\n\n## B {/*b-id*/}\n\n## C#\n\n## D ##\n"
    assert [text for _, text in kinds(text)] == ["A", "B", "C#", "D"]


def test_code_in_tags_is_code() -> None:
    text = """{% highlight go %}
x := [1](2) // {% raw %}
{% endhighlight %}

<TerminalBlock>

npm install

</TerminalBlock>

<pre><code>a &lt; b</code></pre>"""
    assert kinds(text) == [
        ("code", "x := [1](2) // {% raw %}"),
        ("code", "npm install"),
        ("code", "a < b"),
    ]


def test_scripts_footnotes_and_imports_leave_nothing() -> None:
    text = """import X from './x'

Text[^1].

<script>
alert(1)

</script>

[^1]: A note
goes on.

    And on.

End."""
    assert kinds(text) == [("paragraph", "Text."), ("paragraph", "End.")]


def test_what_is_quoted_is_read_as_what_it_is() -> None:
    text = "Lead.\n> A `T` satisfies `C` if\n>\n> - `T` implements `C`; or\n> - it can\n>   be written.\n>\n> ```\n> > x\n> ```\nEnd."
    assert kinds(text) == [
        ("paragraph", "Lead."),
        ("paragraph", "A `T` satisfies `C` if"),
        ("item", "`T` implements `C`; or"),
        ("item", "it can be written."),
        ("code", "> x"),
        ("paragraph", "End."),
    ]


def test_what_is_indented_below_an_item_belongs_to_the_list() -> None:
    text = "말.\n\n- #### 제목\n\n    설명이다.\n\n- item\n\n      code\n\n  ```js\n  let x\n    y\n  ```\n\nin\n2019. It was so."
    assert kinds(text) == [
        ("paragraph", "말."),
        ("heading", "제목"),
        ("paragraph", "설명이다."),
        ("item", "item"),
        ("code", "code"),
        ("code", "let x\n  y"),
        ("paragraph", "in 2019. It was so."),
    ]


def test_a_table_needs_no_bars_at_its_edges() -> None:
    assert kinds("a | b\n--|--\n1 | 2\n\nText | more.") == [
        ("row", "a | b"),
        ("row", "1 | 2"),
        ("paragraph", "Text | more."),
    ]


def test_an_admonition_s_indent_is_no_code() -> None:
    assert kinds('!!! note "Title"\n    It is so.\n\n    More.\n\nEnd.') == [
        ("paragraph", "It is so."),
        ("paragraph", "More."),
        ("paragraph", "End."),
    ]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("## 명령어 Cycle\n\n본문이다.\n\n#### Fetch", "명령어 Cycle"),
        ("### HTTP & HTTPS\n\ntext", "HTTP & HTTPS"),
        ("Queues\n======\n\ntext", "Queues"),
        ("Queues\n---\n\ntext", "Queues"),
        ("\n<br>\n\n## 제목\n\ntext", "제목"),
        ("## Introduction\n\ntext", None),
        ("text\n\n## Later\n\ntext", None),
        ("## Above\n\n# Title\n\ntext", "Title"),
        ("\n---\ntitle: From the head\n---\n## First\n", "From the head"),
        ("---\ntitle: Rust: a tour\n---\ntext", "Rust: a tour"),
        (
            '+++\npath = "2016/08/18/x"\ntitle = "Rust \\"1.11\\""\naliases = [\n  "a",\n]\n[extra]\nx = 1\n+++\ntext',
            'Rust "1.11"',
        ),
    ],
)
def test_the_title_is_the_head_s_or_the_first_heading(text: str, title: str | None) -> None:
    assert read_markdown(text).title == title


def test_a_first_heading_is_not_said_twice() -> None:
    assert kinds("## 제목\n\n본문이다.") == [("paragraph", "본문이다.")]


def test_jekyll_s_tags_are_divided_by_spaces() -> None:
    head = "---\ntags: aws sso\nexcerpt: 짧은 말\n---\n본문이다."
    assert read_markdown(head) == Text(read_markdown("본문이다.").blocks, tags=("aws", "sso"))


def test_sentences_are_quotations_of_what_was_read() -> None:
    text = "React는 `if` 문, `&&` 및 `? :` 연산자와 같은 문법을 씁니다.[[1]](https://a.b) 다음 [문장](x)입니다."
    article = Article(content=content(text), title="t")
    found = [sentence.text for sentence in cut(article, 330).sentences]
    assert found == ["React는 if 문, && 및 ? : 연산자와 같은 문법을 씁니다.", "다음 문장입니다."]
    assert all(sentence in article.content.replace("`", "") for sentence in found)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "[[a]" * 9_000,
        "<pre>\n" * 9_000,
        "{/*" * 9_000,
        "[^1]: a\n" * 9_000,
        "*a " * 9_000,
        "[a](" * 9_000,
        "{: a=b " * 9_000,
        "`a ``" * 9_000,
        "~~~ `x\n" * 9_000,
    ],
)
def test_a_hostile_text_takes_no_longer(text: str) -> None:
    start = time.process_time()
    cut(Article(content=content(text) or "x", title="t", language="en"), 330)
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("fence", "language"),
    [("```js src/App.js", "js"), ("~~~ C++", "c++"), ("```{.python .line}", "python"), ("```", "")],
)
def test_a_fence_says_the_language_of_its_code(fence: str, language: str) -> None:
    text = f"# Code\n\nSome words.\n\n{fence}\nlet a = 1\n{fence[:3]}\n"
    code = read_markdown(text).blocks[-1]
    assert (code.kind, code.text, code.language) == ("code", "let a = 1", language)
    assert f"```{language}\nlet a = 1\n```" in markdown_of([code])
