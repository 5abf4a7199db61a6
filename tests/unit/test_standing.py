"""Which sentences may stand in a digest by themselves."""

from __future__ import annotations

import pytest

from core.judging.standing import alone, announces, beside, denies


@pytest.mark.parametrize(
    "text",
    [
        "This article describes the deadcode command.",
        "In this paper, we propose a factorization.",
        "In this post, we show how a pool is sized.",
        "A pool keeps connections open.",
        "To solve a performance problem, PostgreSQL supports index-only scans.",
        "Two threads may read the same value and see the old one.",
        "There is a remote code execution vulnerability in React Server Components.",
        "Go 1.18 is a massive release that includes new features.",
        "Nextcloud, Itanium and Thesaurus are names.",
        "Shadow DOM is ideal for sharing elements within a large organization.",
        "Product owners are responsible for maintaining an ordered backlog.",
        "이 글에서는 왜 Jenkins의 CI를 옮겼는지 다룹니다.",
        "이번 포스트에서는 데이터 저장소 기술을 다룹니다.",
        "AWS SSO는 사용자의 신원을 중앙 관리하는 도구입니다.",
        "이벤트는 Kafka로 전송됩니다.",
        "React는 전달한 의존성 배열을 살펴봅니다.",
        "컴포넌트는 이벤트 구독을 위해 Effect를 사용합니다.",
        "이미지를 압축하면 전송이 빨라집니다.",
    ],
)
def test_what_tells_something_by_itself(text: str) -> None:
    assert alone(text)


@pytest.mark.parametrize(
    "text",
    [
        # leans on a neighbour
        "This is why it fails.",
        "They are called pods.",
        "To solve this problem, PostgreSQL supports index-only scans.",
        "Furthermore, we introduce a normalization.",
        "In this case null is returned.",
        "If these two requirements are met, an index-only scan is possible.",
        "이 테스트를 실행한 후 로그를 확인합니다.",
        "이를 위해 큐를 추가했습니다.",
        "그 결과 지연이 줄었습니다.",
        "특히, 서버는 느립니다.",
        # sends the reader elsewhere
        "The release notes have more details about generics.",
        "Please read the Go 1.24 release notes for the complete and detailed information.",
        "See the project's documentation for the options.",
        "The GOMAXPROCS documentation covers the details of the new behavior.",
        "자세한 내용은 문서를 참고하세요.",
        # points at something beside it
        "The following table lists the options.",
        "다음과 같이 &&를 사용하면 조건부로 렌더링할 수 있습니다.",
        # greets, calls, supposes, walks on
        "Hello again from the Rust Leadership Council!",
        "Welcome to the second blog post in the series.",
        "If a member is interested, just let us know on Zulip.",
        "Suppose you have a list of people.",
        "In this section, you run the benchmark.",
        "Go back to the Logging page and search for the path.",
        "On the Java Applications page, deploy the WAR file and start the application.",
        "You will need to install Qt on your machine.",
        "You can leave feedback on the internals thread.",
        "안녕하세요, DevOps 팀의 Sammie입니다.",
        "여러 개의 Item을 렌더링하는 컴포넌트가 있다고 가정해봅시다.",
        "다음 글에서는 배포를 다룹니다.",
        "Let’s look at one of the important modules: the socket module.",
        "We have already seen some attributes of Response.",
        "Example 2 illustrates how to modify the font size.",
        # is torn out of a list: no subject, or no verb
        "Helps bring in different people who may not have contributed otherwise.",
        "To my team at Behance for allowing me to spend time on Babel.",
        "Cloudflare for providing the infrastructure that serves the website.",
        # is no prose
        '^ "Introduction to Mozilla Source Code".',
        "(The gopher has no name.)",
        "Why is it slow?",
        "The function $$f(t)$$ is the derivative.",
        "AWS SSO[[1]](https://example.org/sso) is used.",
    ],
)
def test_what_tells_nothing_without_its_neighbours(text: str) -> None:
    assert not alone(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("이 글에서는 GitOps를 도입해 권한을 관리한 경험을 공유합니다.", True),
        ("이번 포스트에서는 머신러닝 데이터 저장소 기술을 다루어보려 합니다.", True),
        ("Kafka를 활용해 CDC Platform을 개발한 경험을 공유합니다.", True),
        ("이 글을 통해 이 과정을 소개드리고자 합니다.", False),
        ("이 글에서는 푸리에 급수의 자세한 성질을 다루지 않겠습니다.", False),
        ("이 글에서는 무엇을 어떻게 설명하는 것이 좋을까요?", False),
        ("다음 글에서는 Kubernetes 배포 방법을 소개합니다.", False),
        ("AWS SSO는 사용자의 신원을 중앙 관리하는 도구입니다.", False),
        ("이 글은 그런 일이 생기는 이유를 실행 계획을 읽는 순서에 따라 설명한다.", False),
    ],
)
def test_what_an_author_announces(text: str, told: bool) -> None:
    assert announces(text) == told


def test_what_begins_with_what_is_not_so() -> None:
    assert denies("Write-ahead logging does not make a database fast by magic.")
    assert denies("The pool doesn’t close connections.")
    assert not denies("A pool keeps open the connections which its own clients did not close.")


def test_which_parts_are_beside_the_matter() -> None:
    assert all(map(beside, ["Prerequisites", "References", "5. Acknowledgments", "참고 문헌"]))
    assert not any(map(beside, ["", "Reference counting", "Before and after", "Results"]))
