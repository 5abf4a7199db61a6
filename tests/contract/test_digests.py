"""What every keeper of digests does: the fake and the database, through the same expectations."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from support.builders import a_digest, a_record
from support.fakes import FakeDigests

from core.ports import Digests
from storage.digests import SqlDigests


@pytest.fixture
def digests(keeper: AsyncEngine | None) -> Digests:
    return FakeDigests() if keeper is None else SqlDigests(keeper)


async def test_what_was_added_comes_back_equal(digests: Digests) -> None:
    record = a_record(digest=a_digest(summary="연결 풀은 연결을 재사용합니다. \U0001f680"))
    await digests.add(record, content_hash="a" * 64)
    assert await digests.get(record.id) == record


async def test_what_was_never_added_is_none(digests: Digests) -> None:
    assert await digests.get("f" * 24) is None


async def test_adding_again_replaces(digests: Digests) -> None:
    await digests.add(a_record(digest=a_digest(summary="old")), content_hash="a" * 64)
    await digests.add(a_record(digest=a_digest(summary="new")), content_hash="a" * 64)
    assert await digests.get(a_record().id) == a_record(digest=a_digest(summary="new"))
    assert len(await digests.recent(10)) == 1


async def test_one_text_may_have_several_digests(digests: Digests) -> None:
    await digests.add(a_record(id="1" * 24), content_hash="a" * 64)
    await digests.add(a_record(id="2" * 24), content_hash="a" * 64)
    assert await digests.get("1" * 24) == a_record(id="1" * 24)
    assert await digests.get("2" * 24) == a_record(id="2" * 24)


async def test_recent_gives_the_newest_first_and_no_more_than_asked(digests: Digests) -> None:
    for number in "123":
        await digests.add(a_record(id=number * 24), content_hash=number * 64)
    assert [record.id[0] for record in await digests.recent(2)] == ["3", "2"]


async def test_a_digest_made_again_is_recent_again(digests: Digests) -> None:
    for number in "121":
        await digests.add(a_record(id=number * 24), content_hash=number * 64)
    assert [record.id[0] for record in await digests.recent(9)] == ["1", "2"]


async def test_recent_is_empty_at_first(digests: Digests) -> None:
    assert await digests.recent(5) == []


async def test_a_verdict_needs_its_digest(digests: Digests) -> None:
    assert await digests.add_verdict("f" * 24, "good", by="dana") is False
    await digests.add(a_record(), content_hash="a" * 64)
    assert await digests.add_verdict(a_record().id, "good", by="dana") is True
    assert await digests.add_verdict(a_record().id, "too_hard", by="dana") is True
    assert await digests.add_verdict(a_record().id, "too_easy", by="dana") is True


async def test_a_digest_with_verdicts_can_be_made_again(digests: Digests) -> None:
    await digests.add(a_record(), content_hash="a" * 64)
    await digests.add_verdict(a_record().id, "bad", by="dana")
    await digests.add(a_record(digest=a_digest(summary="new")), content_hash="a" * 64)
    kept = await digests.get(a_record().id)
    assert kept is not None
    assert kept.digest.summary == "new"


async def test_questions_are_kept_with_the_digest(digests: Digests) -> None:
    await digests.add(a_record(), content_hash="a" * 64)
    await digests.add_questions(a_record().id, ["Why two per core?", "커넥션 풀은 왜 쓰나요?"])
    kept = await digests.get(a_record().id)
    assert kept is not None
    assert kept.details.questions == ("Why two per core?", "커넥션 풀은 왜 쓰나요?")
    assert kept.digest == a_record().digest


async def test_questions_of_an_unknown_digest_are_forgotten(digests: Digests) -> None:
    await digests.add_questions("f" * 24, ["Why?"])
    assert await digests.get("f" * 24) is None


async def test_whatever_a_page_put_into_a_title_can_be_kept(digests: Digests) -> None:
    odd = a_record().article.model_copy(update={"title": "nothing \0 here"})
    await digests.add(a_record(article=odd), content_hash="a" * 64)
    assert await digests.get(a_record().id) == a_record(article=odd)
