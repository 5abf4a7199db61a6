"""What a term means: from articles within reach, from the glossary, or not at all."""

from __future__ import annotations

import pytest
from support.little_library import LittleLibrary

from core.article import Article, Language
from core.explaining import Explainer, Explanation, Unknown
from core.judging import glossary
from core.judging.glossary import Entry
from core.library import Channels, Everything
from core.ports import Digests

POOLS = Article(
    title="Connection pools",
    url="https://blog.example.com/pools",
    content=(
        "A service that talks to a database needs connections. "
        "A connection pool is a cache of open connections that requests borrow and return. "
        "It saves the cost of opening one for every request. "
        "We had to tune ours twice before the pager fell silent."
    ),
)
LOGS = Article(
    title="How databases survive a crash",
    url="https://db.example.com/wal",
    content=(
        "Databases promise to keep what they have confirmed. "
        "Most of them use write-ahead logging (WAL) for that. "
        "WAL means that a change is written to a log before the data pages are touched. "
        "After a crash the log is read again from the last checkpoint."
    ),
)
KOREAN = Article(
    title="쿠버네티스를 들여온 이야기",
    url="https://tech.example.kr/k8s",
    content=(
        "우리 팀은 작년에 쿠버네티스를 들여왔습니다. "
        "쿠버네티스는 컨테이너의 배포와 확장을 자동으로 관리하는 플랫폼입니다. "
        "파드가 죽으면 쿠버네티스가 새로 띄워 줍니다."
    ),
)


def nothing(term: str, language: Language) -> Entry | None:
    return None


def an_explainer(library: LittleLibrary, *, bundled: bool = False) -> Explainer:
    digests: Digests = library.digests
    names = [*glossary.names("ko"), *glossary.names("en")] if bundled else []
    return Explainer(library, digests, None, glossary.lookup if bundled else nothing, lambda: names)


async def explained(
    library: LittleLibrary, typed: str, wanted: Language = "en", *, bundled: bool = False
) -> Explanation:
    found = await an_explainer(library, bundled=bundled).explain(typed, wanted, Everything())
    assert isinstance(found, Explanation), found
    return found


async def unknown(library: LittleLibrary, typed: str, *, bundled: bool = False) -> Unknown:
    found = await an_explainer(library, bundled=bundled).explain(typed, "en", Everything())
    assert isinstance(found, Unknown), found
    return found


@pytest.mark.parametrize(
    "typed",
    ["connection pool", "Connection Pools", "connection-pool", "what is a connection pool?"],
)
async def test_a_term_is_explained_in_the_words_of_the_article_that_defines_it(typed: str) -> None:
    library = LittleLibrary()
    await library.read(POOLS)
    found = await explained(library, typed)
    assert found.explanation == (
        "A connection pool is a cache of open connections that requests borrow and return. "
        "It saves the cost of opening one for every request."
    )
    assert (found.origin, found.said[0].kind) == ("article", "definition")
    assert found.said[0].article is not None
    assert found.said[0].article.link == "https://blog.example.com/pools"
    assert found.article is not None
    assert found.article.title == "Connection pools"


async def test_an_article_that_is_called_as_the_term_is_quoted_from_its_beginning() -> None:
    library = LittleLibrary()
    await library.read(
        Article(
            title="Service Mesh",
            url="https://mesh.example.com/",
            content=(
                "Services that talk to each other need encryption, retries and metrics. "
                "A mesh adds them to every connection without changing the services themselves. "
                "Its proxies stand beside each service and are told centrally what to do. "
                "A service mesh is a layer that some teams come to regret."
            ),
        )
    )
    found = await explained(library, "service mesh")
    assert found.explanation.startswith("Services that talk to each other need encryption")
    assert found.explanation.endswith("told centrally what to do.")
    assert found.said[0].kind == "definition"


@pytest.mark.parametrize(
    "story",
    [
        "Last year we moved everything to a service mesh and nothing was the same again.",
        "In this post you will see what happened after the migration had been finished.",
    ],
)
async def test_a_story_that_is_called_as_the_term_says_nothing_of_it_by_its_beginning(
    story: str,
) -> None:
    library = LittleLibrary()
    definition = "A service mesh is a layer of proxies that carries the traffic between services."
    content = f"{story} The pager was loud for many weeks and many nights. {definition}"
    await library.read(Article(title="Service Mesh", url="https://a.example.com/", content=content))
    found = await explained(library, "service mesh")
    assert found.explanation.startswith(definition)


async def test_in_korean_the_beginning_is_told_as_well() -> None:
    library = LittleLibrary()
    await library.read(
        Article(
            title="서비스 메시 (Service Mesh)",
            url="https://mesh.example.kr/",
            content=(
                "서비스 사이의 모든 통신에 암호화와 재시도를 더하는 계층을 가리킨다. "
                "각 서비스 곁에 놓인 프록시가 통신을 대신 맡는다. "
                "애플리케이션의 코드는 바꾸지 않아도 된다. "
                "도입한 뒤에 후회하는 팀도 있다."
            ),
        )
    )
    found = await explained(library, "서비스 메시", "ko")
    assert found.explanation.startswith("서비스 사이의 모든 통신에")
    assert found.explanation.endswith("바꾸지 않아도 된다.")


@pytest.mark.parametrize("typed", ["WAL", "write-ahead logging", "write ahead log", "WAL이란?"])
async def test_a_short_form_is_known_by_its_long_one_and_the_other_way_round(typed: str) -> None:
    library = LittleLibrary()
    await library.read(LOGS)
    found = await explained(library, typed)
    assert "a change is written to a log before" in found.explanation


async def test_a_short_form_that_only_an_article_explains_is_known_as_well() -> None:
    library = LittleLibrary()
    text = (
        "Our Quorum Lease Protocol (QLP) took a year. "
        "The Quorum Lease Protocol is a protocol by which readers hold leases of a quorum."
    )
    await library.read(Article(title="Leases", url="https://a.example/q", content=text))
    found = await explained(library, "qlp")
    assert found.explanation.startswith("The Quorum Lease Protocol is a protocol")
    assert found.term == "Quorum Lease Protocol"


@pytest.mark.parametrize(
    "typed", ["쿠버네티스", "쿠버네티스란 무엇인가요?", "쿠버네티스가 뭐야", "k8s", "Kubernetes"]
)
async def test_korean_particles_and_other_spellings_lead_to_the_same_term(typed: str) -> None:
    library = LittleLibrary()
    await library.read(KOREAN)
    found = await explained(library, typed, "ko")
    assert "자동으로 관리하는 플랫폼입니다." in found.explanation
    assert found.term == "Kubernetes"
    assert "쿠버네티스" in found.names


async def test_a_spelling_by_sound_that_no_table_has_finds_what_articles_call_by_its_name() -> None:
    library = LittleLibrary()
    text = "Zookeeper is a service that keeps configuration for distributed programs."
    article = Article(title="Zookeeper", url="https://a.example/z", content=text)
    await library.read(article, keywords=["Zookeeper"])
    found = await explained(library, "주키퍼", "ko")
    assert found.term == "Zookeeper"


async def test_several_meanings_are_offered_and_the_one_that_was_read_is_explained() -> None:
    library = LittleLibrary()
    await library.read(
        Article(
            title="Shipping daily",
            url="https://a.example/cd",
            content=(
                "Continuous deployment (CD) took us a year. "
                "Continuous deployment is a practice in which every change that passes is released."
            ),
        )
    )
    await library.read(
        Article(
            title="Ready to ship",
            url="https://a.example/cdel",
            content="Continuous delivery means that software can be released at any time.",
        )
    )
    found = await explained(library, "CD")
    assert found.term == "continuous deployment"
    assert found.senses == ("continuous delivery",)


async def test_the_glossary_answers_where_articles_do_not_and_is_credited() -> None:
    found = await explained(LittleLibrary(), "서비스 메시란?", "ko", bundled=True)
    assert found.origin == "glossary"
    assert found.credit == glossary.CREDIT
    assert found.language == "ko"


async def test_articles_go_before_the_glossary_and_both_are_told_apart() -> None:
    library = LittleLibrary()
    await library.read(
        Article(
            title="Pods",
            url="https://a.example/pods",
            content="A pod is a set of containers that our scheduler places together.",
        )
    )
    found = await explained(library, "pods", bundled=True)
    assert [one.origin for one in found.said] == ["article", "glossary"]
    assert found.said[1].credit == glossary.CREDIT


async def test_a_term_that_is_only_used_is_shown_in_use_and_not_as_a_definition() -> None:
    library = LittleLibrary()
    await library.read(
        Article(title="Night", url="https://a.example/n", content="We moved our jobs to Frobtune.")
    )
    found = await explained(library, "Frobtune")
    assert [one.kind for one in found.said] == ["use"]


async def test_the_easier_article_is_named_and_quoted() -> None:
    library = LittleLibrary()
    for title, said, hard in (
        ("Hard", "A monad is a monoid in the category of endofunctors over types.", 5.0),
        ("Easy", "A monad is a pattern that chains steps one after the other.", 1.5),
    ):
        article = Article(title=title, url=f"https://a.example/{title}", content=said)
        await library.read(article, difficulty=hard, keywords=["functor"])
    found = await explained(library, "monad")
    assert found.easiest is not None
    assert (found.easiest.title, found.easiest.label) == ("Easy", "beginner")
    assert found.explanation.startswith("A monad is a pattern")
    assert found.related == ("functor",)


async def test_what_was_read_elsewhere_is_not_known_here() -> None:
    library = LittleLibrary()
    await library.read(POOLS, channels=["C1"])
    explainer = an_explainer(library)
    here = Channels("slack", "T1", frozenset({"C1"}))
    for elsewhere in (
        Channels("slack", "T1", frozenset({"C2"})),
        Channels("slack", "T1", frozenset()),
        Channels("slack", "T2", frozenset({"C1"})),
        Channels("discord", "T1", frozenset({"C1"})),
    ):
        assert isinstance(await explainer.explain("connection pool", "en", elsewhere), Unknown)
        assert await explainer.known("con", elsewhere) == []
    assert isinstance(await explainer.explain("connection pool", "en", here), Explanation)


MADE_UP = (
    "blorptide flimbus quaxel snorvane gribbletron wuzzlecast plimfork zorbique trandlemesh "
    "vexophore quindlebox frabjule morpwright glintaphor drobnick skevvle hurplenode crantzip "
    "yobblecache fizzwarden kubernoodles dockeroo graphquibble reactonium sqlurp terrafirma-grid "
    "pythonesque-db gitwhirl apifold lambdoria tokenmarsh shardlight cachelotus queuebert podzilla "
    "meshuga-proxy istioid helmsley-chart grpcake wasmoid 쿠버누들스 블로프타이드 퀙셀로프 모프라이트 데이터깨비 "
    "캐시로터스 토큰마시 샤드라이트 큐버트엔진 메시우가"
).split()


def test_there_are_fifty_made_up_terms() -> None:
    assert len(set(MADE_UP)) == 50


@pytest.mark.parametrize("made_up", MADE_UP)
async def test_a_term_that_nobody_has_used_is_never_explained(made_up: str) -> None:
    library = LittleLibrary()
    for article in (POOLS, LOGS, KOREAN):
        await library.read(article, keywords=["Kubernetes", "Docker", "cache", "token"])
    for typed in (made_up, f"what is {made_up}?", f"{made_up}란 무엇인가요?"):
        found = await unknown(library, typed, bundled=True)
        known = await an_explainer(library, bundled=True).known("", Everything())
        assert set(found.near) <= set(known)


async def test_a_misspelled_term_is_unknown_and_what_may_have_been_meant_is_offered() -> None:
    library = LittleLibrary()
    await library.read(KOREAN, keywords=["Kubernetes"])
    assert "Kubernetes" in (await unknown(library, "Kuberntes")).near
    assert (await unknown(library, "완전히 다른 것")).near == ()


@pytest.mark.parametrize("typed", ["", "   ", "???", "\u202e"])
async def test_nothing_is_no_term(typed: str) -> None:
    assert (await unknown(LittleLibrary(), typed)).near == ()
