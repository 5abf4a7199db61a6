"""What names an article's matter and tells nothing of it."""

from __future__ import annotations

import pytest

from core.judging.headings import is_fragment, is_heading


@pytest.mark.parametrize(
    "said",
    [
        "How to use Broadcast State in Apache Flink.",
        "Learn how to deploy functions with faasd.",
        "An introduction to Flink's built-in monitoring system.",
        "A basic tutorial introduction to gRPC in Node.",
        "Best practices for securing what Linkerd taps.",
        "Known limitations and details of the PHP agent.",
        "Introducing the inspector, a visual tool for configurations.",
        "Discover how to deploy functions.",
        "Split a Python function into files.",
        "Store the rest of it in a file.",
        "What the scheduler does at night.",
        "A round up of the audio updates.",
        "Explains how and when to cancel calls.",
        "This guide will help you to create a volume.",
        "This post describes how to connect a virtual machine.",
        "In this tutorial, you learn how to leverage some features.",
    ],
)
def test_headings_frames_and_invitations_tell_nothing(said: str) -> None:
    assert is_heading(said)


@pytest.mark.parametrize(
    "said",
    [
        "Access control lists are kept beside each file.",
        "Process isolation keeps one tab from reading another.",
        "Scaling a database is harder than scaling a server.",
        "Go 1.5 is the first step toward a new collector.",
        "An implementation of Web Animations has landed in Blink.",
        "Store buffers hide the time that a write takes.",
        "This article introduces three optimizations of a collector.",
        "The page cache shows how much memory is left.",
        "Vitess introduces a new way to run schema migrations.",
    ],
)
def test_a_sentence_about_something_is_none(said: str) -> None:
    assert not is_heading(said)


@pytest.mark.parametrize(
    "said",
    [
        "Low-latency techniques in Flink.",
        "OpenFaaS dashboard showing the replicas of a function.",
        "VtctldServer, the new API for performing operations with components.",
        "Over 50 million downloads from Docker Hub.",
    ],
)
def test_a_sentence_without_a_verb_is_a_fragment(said: str) -> None:
    assert is_fragment(said)


@pytest.mark.parametrize(
    "said",
    [
        "The scheduler decides how many tasks run at once.",
        "Raft elects at most one leader by vote.",
        "Pods restart when their containers crash.",
        "It's now easier to write tests.",
        "Access is denied to everybody else.",
    ],
)
def test_a_sentence_with_a_verb_is_none(said: str) -> None:
    assert not is_fragment(said)
