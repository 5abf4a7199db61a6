"""Which terms a digest explains, and with which sentence."""

from __future__ import annotations

import pytest
from support.builders import an_article

from core.article import Language
from core.chunks import Document, cut
from core.judging import glossary
from core.judging.abbreviations import Pair, pairs
from core.judging.defining import defines
from core.judging.definitions import DEFINES, definitional
from core.judging.terms import Explained, explained, is_new

GOOD_EN = [
    ("GOMAXPROCS", "GOMAXPROCS is a parallelism limit."),
    ("Delve", "Delve is a debugger for Go on x86 supporting both Linux and macOS."),
    ("Shift-Left", "Shift-Left refers to moving testing earlier in the development process."),
    ("Elasticsearch", "Elasticsearch is a NoSQL database, search, and analytics engine."),
    ("reserved domain", "A reserved domain is a domain name that you can reserve in a landscape."),
    ("RMM", "The RMM is the software component of Arm CCA that is responsible for Realms."),
    (
        "Throttling",
        "Throttling is a blunt mechanism for restricting containers that would otherwise exceed their "
        "CPU limit: it pauses execution for the remainder of the throttling period.",
    ),
]
GOOD_KO = [
    ("CDN", "CDN은 정적 콘텐츠를 전송할 때 사용하는 지리적으로 분산된 서버의 네트워크다."),
    (
        "periphery",
        "periphery는 프로젝트에서 사용되지 않는 코드들을 검출해 내는 라이브러리입니다.",
    ),
    ("Effect", "Effect는 React 패러다임에서 벗어날 수 있는 탈출구입니다."),
    ("Actions Runner", "Actions Runner는 Github Actions를 실제로 돌리는 프로그램을 말합니다."),
    ("파드", "파드는 쿠버네티스에서 만들 수 있는 가장 작은 배포 단위다."),
    ("이중 연결 리스트", "컴퓨터공학에서 이중 연결 리스트는 링크된 노드로 구성된 구조입니다."),
    ("Hooks", "React에서 use로 시작하는 함수를 Hooks라고 합니다."),
]
BAD_EN = [
    ("CPU profiling", "CPU profiling is really a must-have tool for every developer."),
    ("weighted average", "A weighted average is a very common indicator used by traders."),
    ("Rust", "With direct access to hardware, Rust is an ideal language for embedded development."),
    ("body", "A body is an instance of any of the following types."),
    ("comparable", "We call these types strictly comparable."),
    ("flight recorder", "The flight recorder is just the latest addition to the toolbox for Go."),
    ("React", "The React team is excited to announce the release of the React Compiler Beta."),
    ("Qt", "Qt is a framework for the Qt development environment."),
    ("Cargo", "Cargo is a new feature for Cargo that allows Cargo to access the index over HTTP."),
    ("second", "The second is a stop function that should be called when we are done."),
    ("Error handling", "Error handling is a high priority issue for the community."),
    ("Open source", "Open source is a huge part of that."),
    ("service", "Services were a new concept in Docker 1.12."),
    ("Boxy", "Boxy is also a frequent contributor to discussions and meetings."),
    ("counter", "In this example, counter is a variable that holds the number of clicks."),
    ("system allocator", "The system allocator is a more reasonable default choice."),
]
BAD_KO = [
    ("종료 코드", "종료 코드는 파드 상태의 lastState에 남으므로 가장 먼저 확인할 값이다."),
    ("릴리즈", "마이너 릴리즈는 릴리즈의 가장 흔한 유형입니다."),
    ("채널", "최신 채널은 안정적인 시맨틱 버전 React 릴리즈를 위한 채널입니다."),
    ("테스트", "시퀀스 테스트는 가장 기본적인 테스트입니다."),
    ("Actions", "Github Actions는 빌드와 배포까지 자동화 할 수 있는 강력한 CI/CD 도구입니다."),
    (
        "연구",
        "한쪽 연구는 클린셋을 얻을 수 있다고 가정하는 연구들이었고, 다른 한쪽은 아니었습니다.",
    ),
    ("goto문", "goto문은 크게 도움이 되지 않는 구현 방식이기 때문에 그런 것이었다."),
    (
        "인터럽트",
        "즉, 인터럽트는 발생시기를 예측하기 힘든 경우에 가장 빠르게 대응할 수 있는 방법이다.",
    ),
    (
        "Python",
        "Python은 배우기 쉽고, 오픈소스 생태계가 상당히 발전해있는 좋은 언어입니다.",
    ),
    ("멘탈 모델", "멘탈 모델은 State를 변경할 때마다 React가 다시 렌더링한다는 것입니다."),
    ("forwardRef", "forwardRef는 향후 릴리스에서 사용 중단될 예정입니다."),
    ("거리", "A에서 F까지의 거리는 0m + 14m = 14m입니다."),
    ("Effect", "이 Effect는 ref를 사용하는 컴포넌트입니다."),
]


def english(content: str) -> Document:
    return cut(an_article(content=content, title=None, language="en"), 330)


def korean(content: str) -> Document:
    return cut(an_article(content=content, title=None, language="ko"), 330)


def terms(document: Document, *candidates: str) -> dict[str, Explained]:
    return {one.term: one for one in explained(document, candidates, 6, document.language)}


@pytest.mark.parametrize(("term", "sentence"), GOOD_EN)
def test_a_sentence_that_says_what_a_term_is_stands_alone(term: str, sentence: str) -> None:
    assert defines(sentence, [term], "en")


@pytest.mark.parametrize(("term", "sentence"), GOOD_KO)
def test_a_korean_sentence_that_says_what_a_term_is_stands_alone(term: str, sentence: str) -> None:
    assert defines(sentence, [term], "ko")


@pytest.mark.parametrize(("term", "sentence"), BAD_EN)
def test_a_verdict_a_story_and_a_circle_are_no_definitions(term: str, sentence: str) -> None:
    assert not defines(sentence, [term], "en")
    assert terms(english(f"{sentence} {term} here, {term} there, {term}."), term).get(term) is None


@pytest.mark.parametrize(("term", "sentence"), BAD_KO)
def test_what_is_said_of_a_narrower_term_or_judged_is_no_korean_definition(
    term: str, sentence: str
) -> None:
    assert not defines(sentence, [term], "ko")
    assert term not in terms(korean(sentence), term)


def test_an_addition_is_a_remark_for_explain_too() -> None:
    sentence = "The flight recorder is just the latest addition to the Go toolbox."
    assert definitional(sentence, ["flight recorder"], "en") < DEFINES


def test_the_best_definition_is_shown_not_the_first() -> None:
    best = "Sysbox is a container runtime that runs systemd in containers."
    document = english(f"Sysbox, a tool of Nestybox, starts them. {best} It is quick.")
    assert terms(document, "Sysbox")["Sysbox"].explanation == best


def test_a_korean_article_introduces_terms_by_saying_what_they_are() -> None:
    sentence = (
        "Github Actions는 Github Repository와 연동되어 배포까지 자동화 할 수 있는 도구입니다."
    )
    found = terms(
        korean(f"{sentence} Github Actions를 켭니다. 이제 Github Actions가 돕니다."), "Actions"
    )
    assert found["Github Actions"].explanation == sentence
    assert "Actions" not in found


def test_a_korean_word_that_is_used_once_is_not_introduced() -> None:
    assert not terms(korean("샤딩은 큰 데이터베이스를 작은 단위로 나누는 기술을 말한다. 끝이다."))


def test_a_korean_article_introduces_short_forms() -> None:
    text = "이 글은 검색 증강 생성(RAG)을 다룹니다. RAG를 쓰면 답이 좋아집니다. RAG가 찾아 줍니다."
    assert terms(korean(text))["RAG"].explanation.startswith("검색 증강 생성. 이 글은")


def test_a_word_beside_a_name_in_brackets_is_no_long_form() -> None:
    text = "하층부의 컴포넌트 (ProductRow)부터 만듭니다. ProductRow는 둡니다. ProductRow를 씁니다."
    assert "ProductRow" not in terms(korean(text))


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        (
            "Create a new certificate and a certificate signing request (CSR) for it.",
            Pair("CSR", "certificate signing request"),
        ),
        (
            "It opens the WindowsPerf Windows Performance Analyzer (WPA).",
            Pair("WPA", "Windows Performance Analyzer"),
        ),
        ("고수준 Python 내장 도메인 특화 언어(DSL)를 컴파일한다.", Pair("DSL", "도메인 특화 언어")),
        ("각 스트리밍 멀티프로세서(SM)는 연산한다.", Pair("SM", "스트리밍 멀티프로세서")),
        ("CDN(콘텐츠 전송 네트워크)을 쓴다.", Pair("CDN", "콘텐츠 전송 네트워크")),
    ],
)
def test_a_long_form_is_no_longer_and_no_shorter_than_it_is(text: str, pair: Pair) -> None:
    assert list(pairs(text)) == [pair]


def test_what_stands_before_a_short_form_with_a_particle_is_no_name() -> None:
    assert not list(pairs("입력부터 다음 페인트까지(INP) 잰다."))


def test_the_expansion_of_a_certificate_request_is_only_that() -> None:
    text = "Create a new certificate and a certificate signing request (CSR) to obtain it."
    assert terms(english(text))["CSR"].explanation == f"certificate signing request. {text}"


def test_a_short_form_in_a_caption_is_shown_without_the_caption() -> None:
    caption = "그림 3. 마이크로서비스 아키텍처 (MSA)."
    text = f"MSA로 옮겼습니다. MSA는 쉽지 않았습니다. 그림을 봅니다. {caption}"
    assert terms(korean(text))["MSA"].explanation == "마이크로서비스 아키텍처."


@pytest.mark.parametrize(
    ("content", "candidates"),
    [
        (
            "CI ran. CI failed. CI passed. Continuous integration is slow.",
            ["continuous integration"],
        ),
        ("You debug it. Debugging helps. Debugging ends. Debugging again.", ["debug", "debugging"]),
        ("We use machine learning (ML). ML is hard. Machine learning runs.", ["machine learning"]),
        ("A virtualization layer. Virtualization. Virtualization costs.", ["virtualization"]),
    ],
)
def test_two_names_of_one_thing_are_one_term(content: str, candidates: list[str]) -> None:
    assert len(explained(english(content), candidates, 6, "en")) == 1


def test_two_scripts_of_one_entry_are_one_term() -> None:
    content = "마이크로서비스를 쓴다. 마이크로서비스가 많다. 마이크로서비스다. microservice 하나를 고친다."
    assert len(explained(korean(content), ["microservice", "마이크로서비스"], 6, "ko")) == 1


def test_an_ordinary_word_means_what_the_glossary_does_in_its_field_only() -> None:
    text = (
        "A node has two children. The node is moved. Each node is red. The container holds nodes."
    )
    assert not terms(english(text), "node", "container")
    field = "Kubernetes runs it. Kubernetes stops it. Docker builds it."
    assert terms(english(f"{text} {field}"), "node")["node"].origin == "glossary"


def test_an_operator_of_a_language_is_none_of_kubernetes() -> None:
    text = "The operator adds. An operator compares. Each operator binds. Operators are overloaded."
    assert not terms(english(text), "operator")


def test_node_js_is_no_node() -> None:
    cloud = "Docker, the cloud and Kubernetes."
    assert not terms(
        english(f"{cloud} Node.js starts. Node.js waits. Node.js ends. A Node.js app.")
    )


def test_a_service_is_no_term_of_the_glossary() -> None:
    text = (
        "The service starts. Our services stop. A service in the cloud, on Docker and Kubernetes."
    )
    assert "service" not in "".join(terms(english(text), "service", "services"))
    assert "서비스" not in terms(korean("서비스를 켠다. 서비스를 끈다. 서비스가 돈다."), "서비스")


_REMARKS = (
    "definition",
    "opinion",
    "please",
    "note that",
    "유의",
    "참조하",
    "의견",
    "Take ",
    "Let's",
)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_entry_of_the_glossary_defines_something(language: Language) -> None:
    names = glossary.names(language)
    assert len(names) > 20
    for name in (
        one for one in names if one != "CD"
    ):  # delivery to most; the glossary has deployment
        entry = glossary.lookup(name, language)
        assert entry is not None, name
        said = entry.explanation.replace("the definition of", "")
        assert len(said) > 40, name
        assert not any(remark in said for remark in _REMARKS), name


def test_an_entry_begins_with_what_it_is_by_either_name() -> None:
    entry = glossary.lookup("DBaaS", "en")
    assert entry is not None
    assert entry.explanation.startswith("Database-as-a-Service (DBaaS) is a service managed by")


def test_a_name_with_underscores_is_found_and_defined() -> None:
    content = "The target_abi is a field that names the ABI. Each target has a target_abi."
    found = explained(english(content), ["target_abi"], 3, "en")
    assert [term.term for term in found] == ["target_abi"]


def test_the_model_s_term_is_new_under_no_name_of_one_that_is_there() -> None:
    known = [Explained("ML", "Machine Learning. We use Machine Learning (ML).", "article")]
    assert not is_new("machine learning", known)
    assert not is_new("ml", known)
    assert is_new("learning rate", known)
