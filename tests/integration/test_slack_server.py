"""The test's Slack refuses what Slack refuses: its Web API, asked by the real slack_sdk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from support.slack_faults import Delayed, Dropped, HttpError, Pacing, RateLimited, Refused
from support.slack_kit import button, letters, marked, section, words
from support.slack_server import SlackServer, slack_server
from support.slack_world import Json


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        server.pacing = None
        yield server


@pytest.fixture
def client(slack: SlackServer) -> AsyncWebClient:
    return asking(slack, slack.bot_token)


def asking(slack: SlackServer, token: str | None) -> AsyncWebClient:
    """A client that repeats nothing by itself."""
    return AsyncWebClient(token=token, base_url=slack.api_url, retry_handlers=[])


async def refusal(client: AsyncWebClient, method: str, **arguments: Any) -> Json:
    """The answer of a call that must be refused."""
    with pytest.raises(SlackApiError) as caught:
        await client.api_call(method, json=arguments)
    answer = caught.value.response.data
    assert isinstance(answer, dict)
    return answer


# --- who asks


@pytest.mark.parametrize(
    ("token", "error"),
    [
        (None, "not_authed"),
        ("xoxb-wrong", "invalid_auth"),
        ("xapp-1-A0SMART-of-the-app", "not_allowed_token_type"),
    ],
)
async def test_a_wrong_token_is_refused(slack: SlackServer, token: str | None, error: str) -> None:
    assert (await refusal(asking(slack, token), "auth.test"))["error"] == error


async def test_a_bot_token_opens_no_socket(slack: SlackServer, client: AsyncWebClient) -> None:
    answer = await refusal(client, "apps.connections.open")
    assert answer["error"] == "not_allowed_token_type"
    assert (await refusal(asking(slack, "xapp-no"), "apps.connections.open"))["error"] == (
        "invalid_auth"
    )


async def test_a_method_that_does_not_exist_is_refused(client: AsyncWebClient) -> None:
    assert (await refusal(client, "chat.shout"))["error"] == "unknown_method"


async def test_a_missing_scope_is_named(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.team.scopes -= {"groups:history"}
    slack.channel("C1")
    slack.channel("G1", kind="group")
    answer = await refusal(client, "conversations.history", channel="G1")
    assert (answer["error"], answer["needed"]) == ("missing_scope", "groups:history")
    assert "groups:history" not in answer["provided"].split(",")
    assert (await client.conversations_history(channel="C1"))["messages"] == []


async def test_a_removed_app_has_a_dead_token(slack: SlackServer, client: AsyncWebClient) -> None:
    await slack.uninstall()
    assert (await refusal(client, "auth.test"))["error"] == "account_inactive"
    slack.revoke_token()
    assert (await refusal(client, "auth.test"))["error"] == "token_revoked"


@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated")  # slack_sdk 3.48 on aiohttp 3.14
async def test_an_app_is_installed_once_with_each_code(slack: SlackServer) -> None:
    code = slack.grant("T2")
    client = asking(slack, None)
    wrong = {"client_id": slack.client_id, "client_secret": "no", "code": code}
    with pytest.raises(SlackApiError, match="bad_client_secret"):
        await client.oauth_v2_access(**wrong)
    right = {**wrong, "client_secret": slack.client_secret}
    installed = await client.oauth_v2_access(**right)
    assert installed["team"]["id"] == "T2"
    me = await asking(slack, installed["access_token"]).auth_test()
    assert (me["team_id"], me["bot_id"]) == ("T2", slack.workspace("T2").bot_id)
    with pytest.raises(SlackApiError, match="invalid_code"):
        await client.oauth_v2_access(**right)


# --- messages


LONG_BLOCKS = [block for _ in range(5) for block in section(text=marked(letters(2900)))]
POSTS: list[tuple[str, Json]] = [
    ("channel_not_found", {"channel": "C9", "text": "a"}),
    ("channel_not_found", {"channel": "GSECRET", "text": "a"}),
    ("not_in_channel", {"channel": "CAWAY", "text": "a"}),
    ("is_archived", {"channel": "COLD", "text": "a"}),
    ("thread_not_found", {"channel": "C1", "text": "a", "thread_ts": "1.000001"}),
    ("no_text", {"channel": "C1"}),
    ("msg_too_long", {"channel": "C1", "text": letters(40_001)}),
    ("msg_blocks_too_long", {"channel": "C1", "text": "a", "blocks": LONG_BLOCKS}),
    ("invalid_blocks_format", {"channel": "C1", "text": "a", "blocks": "{"}),
    ("invalid_metadata_format", {"channel": "C1", "text": "a", "metadata": {"event_type": "a"}}),
    ("invalid_arguments", {"text": "a"}),
]


@pytest.mark.parametrize(("error", "arguments"), POSTS, ids=lambda value: str(value)[:40])
async def test_a_post_is_refused(
    slack: SlackServer, client: AsyncWebClient, error: str, arguments: Json
) -> None:
    slack.channel("C1")
    slack.channel("CAWAY", bot=False)
    slack.channel("GSECRET", bot=False, kind="group")
    await slack.archive(slack.channel("COLD"))
    assert (await refusal(client, "chat.postMessage", **arguments))["error"] == error
    assert not list(slack.team.all_messages())


async def test_blocks_are_refused_with_slacks_words(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    slack.channel("C1")
    blocks = section(text=marked(letters(3001)))
    answer = await refusal(client, "chat.postMessage", channel="C1", blocks=blocks)
    assert answer["error"] == "invalid_blocks"
    assert answer["errors"] == [
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    ]


async def test_forms_and_json_say_the_same(slack: SlackServer, client: AsyncWebClient) -> None:
    channel = slack.channel("C1")
    form = {"channel": "C1", "text": "a", "blocks": '[{"type": "divider"}]'}
    await client.api_call("chat.postMessage", data=form)
    await client.chat_postMessage(channel="C1", text="a", blocks=[{"type": "divider"}])
    first, second = channel.messages.values()
    assert first.blocks == second.blocks == [{"type": "divider"}]
    assert first.ts < second.ts


async def test_metadata_is_returned_only_when_asked_for(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    channel = slack.channel("C1")
    ts = await slack.say(channel, user="U1", text="a")
    metadata = {"event_type": "digest", "event_payload": {"delivery": "7"}}
    await client.chat_postMessage(channel="C1", thread_ts=ts, text="b", metadata=metadata)
    silent = await client.conversations_replies(channel="C1", ts=ts)
    told = await client.conversations_replies(channel="C1", ts=ts, include_all_metadata=True)
    assert "metadata" not in silent["messages"][1]
    assert told["messages"][1]["metadata"] == metadata


async def test_only_own_standing_messages_are_updated(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    channel = slack.channel("C1")
    theirs = await slack.say(channel, user="U1", text="a")
    own = (await client.chat_postMessage(channel="C1", text="b"))["ts"]

    async def refused(**arguments: Any) -> str:
        answer = await refusal(client, "chat.update", channel="C1", **arguments)
        return str(answer["error"])

    assert await refused(ts=theirs, text="c") == "cant_update_message"
    assert await refused(ts="1.000001", text="c") == "message_not_found"
    assert await refused(ts=own, text=letters(4001)) == "msg_too_long"
    assert await refused(ts=own) == "no_text"
    await client.chat_update(channel="C1", ts=own, text=letters(4000))
    assert channel.messages[own].versions == ["b"]
    await client.chat_delete(channel="C1", ts=own)
    assert await refused(ts=own, text="c") == "message_not_found"
    assert (await refusal(client, "chat.delete", channel="C1", ts=theirs))["error"] == (
        "cant_delete_message"
    )


async def test_an_ephemeral_message_cannot_be_updated(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    channel = slack.channel("C1")
    sent = await client.chat_postEphemeral(channel="C1", user="U1", text="a")
    ts = sent["message_ts"]
    assert [each.text for each in slack.ephemeral(channel, "U1")] == ["a"]
    answer = await refusal(client, "chat.update", channel="C1", ts=ts, text="b")
    assert answer["error"] == "message_not_found"
    outside = await refusal(client, "chat.postEphemeral", channel="C1", user="U9", text="a")
    assert outside["error"] == "user_not_in_channel"


async def test_a_deleted_message_with_replies_leaves_a_tombstone(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    channel = slack.channel("C1")
    ts = await slack.say(channel, user="U1", text="a")
    await client.chat_postMessage(channel="C1", thread_ts=ts, text="b")
    await slack.delete(channel, ts)
    first, second = (await client.conversations_replies(channel="C1", ts=ts))["messages"]
    assert (first["subtype"], second["text"]) == ("tombstone", "b")
    lonely = await slack.say(channel, user="U1", text="c")
    await slack.delete(channel, lonely)
    answer = await refusal(client, "conversations.replies", channel="C1", ts=lonely)
    assert answer["error"] == "thread_not_found"


async def test_history_comes_in_pages_from_the_newest(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    channel = slack.channel("C1")
    for text in "abc":
        await slack.say(channel, user="U1", text=text)
    pages = []
    async for page in await client.conversations_history(channel="C1", limit=2):
        pages.append([each["text"] for each in page["messages"]])  # noqa: PERF401 - page is reused
    assert pages == [["c", "b"], ["a"]]


async def test_people_and_places_are_described(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.channel("C1", creator="U7")
    slack.user("U7", locale="ko-KR", is_admin=True)
    asked = (await client.users_info(user="U7", include_locale=True))["user"]
    assert (asked["locale"], asked["tz"], asked["is_admin"]) == ("ko-KR", "Asia/Seoul", True)
    assert "locale" not in (await client.users_info(user="U7"))["user"]
    assert (await client.conversations_info(channel="C1"))["channel"]["creator"] == "U7"
    members = (await client.conversations_members(channel="C1"))["members"]
    assert members == sorted(["U7", slack.team.bot_user])
    mine = (await client.users_conversations(types="public_channel"))["channels"]
    assert [each["id"] for each in mine] == ["C1"]
    assert (await client.team_info())["team"]["id"] == "T1"
    assert (await refusal(client, "users.info", user="U9"))["error"] == "user_not_found"


async def test_a_reaction_stands_once(slack: SlackServer, client: AsyncWebClient) -> None:
    channel = slack.channel("C1")
    ts = await slack.say(channel, user="U1", text="a")
    await client.reactions_add(channel="C1", timestamp=ts, name="eyes")
    answer = await refusal(client, "reactions.add", channel="C1", timestamp=ts, name="eyes")
    assert answer["error"] == "already_reacted"
    got = await client.reactions_get(channel="C1", timestamp=ts)
    assert got["message"]["reactions"][0]["name"] == "eyes"


# --- views

MODAL: Json = {"type": "modal", "title": words("a"), "blocks": []}


async def test_a_trigger_opens_one_view_and_soon(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    trigger = slack.trigger("U1")
    await client.views_open(trigger_id=trigger, view=MODAL)
    again = await refusal(client, "views.open", trigger_id=trigger, view=MODAL)
    assert again["error"] == "exchanged_trigger_id"
    slack.trigger_seconds = 0.0
    late = await refusal(client, "views.open", trigger_id=slack.trigger("U1"), view=MODAL)
    assert late["error"] == "expired_trigger_id"
    assert [view.user for view in slack.views()] == ["U1"]


async def test_a_view_is_checked_and_kept_up_to_date(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    bad = {**MODAL, "title": words(letters(25))}
    answer = await refusal(client, "views.open", trigger_id=slack.trigger("U1"), view=bad)
    assert answer["error"] == "invalid_arguments"
    assert answer["errors"] == ["must be less than 25 characters [json-pointer:/view/title/text]"]
    opened = (await client.views_open(trigger_id=slack.trigger("U1"), view=MODAL))["view"]
    new = {**MODAL, "title": words("b")}
    await client.views_update(view_id=opened["id"], hash=opened["hash"], view=new)
    stale = {"view_id": opened["id"], "hash": opened["hash"], "view": new}
    assert (await refusal(client, "views.update", **stale))["error"] == "hash_conflict"
    assert (await refusal(client, "views.update", view_id="V9", view=new))["error"] == "not_found"


async def test_a_home_tab_is_published_for_a_person(
    slack: SlackServer, client: AsyncWebClient
) -> None:
    slack.user("U1")
    home: Json = {"type": "home", "blocks": section(text=marked("a"), accessory=button())}
    await client.views_publish(user_id="U1", view=home)
    shown = slack.home("U1")
    assert shown is not None
    assert shown.content == home
    answer = await refusal(client, "views.publish", user_id="U1", view=MODAL)
    assert answer["error"] == "invalid_arguments"


# --- troubles


async def test_posts_are_paced_by_channel(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.pacing = Pacing(per_second=0.5, burst=2)
    slack.channel("C1")
    slack.channel("C2")
    for _ in range(2):
        await client.chat_postMessage(channel="C1", text="a")
    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel="C1", text="a")
    response = caught.value.response
    assert (response.status_code, response.headers["Retry-After"]) == (429, "2")
    assert response["error"] == "ratelimited"
    await client.chat_postMessage(channel="C2", text="a")
    assert len(list(slack.team.all_messages())) == 3


@pytest.mark.parametrize(
    ("fault", "posted"),
    [
        (RateLimited(2), 0),
        (Refused("internal_error"), 0),
        (Refused("internal_error", after_write=True), 1),
        (HttpError(500), 0),
        (HttpError(502, after_write=True), 1),
        (Dropped(after_write=False), 0),
        (Dropped(after_write=True), 1),
    ],
    ids=str,
)
async def test_a_scripted_trouble_comes_as_often_as_asked(
    slack: SlackServer, client: AsyncWebClient, fault: Any, posted: int
) -> None:
    slack.channel("C1")
    slack.fail_next("chat.postMessage", times=2, with_=fault)
    for _ in range(2):
        with pytest.raises((SlackApiError, aiohttp.ClientError)):
            await client.chat_postMessage(channel="C1", text="a")
    assert len(list(slack.team.all_messages())) == 2 * posted
    await client.chat_postMessage(channel="C1", text="a")
    assert len(list(slack.team.all_messages())) == 2 * posted + 1
    assert [call.ok for call in slack.calls("chat.postMessage")] == [False, False, True]


async def test_an_answer_may_come_late(slack: SlackServer, client: AsyncWebClient) -> None:
    slack.fail_next("*", with_=Delayed(0.05))
    await client.auth_test()
    call = slack.calls("auth.test")[0]
    assert call.ok
    assert call.seconds >= 0.05


async def ask_a_broken_world() -> None:
    async with slack_server() as slack:
        slack.channel("C1").messages = cast(Any, None)
        with pytest.raises(SlackApiError):
            await asking(slack, slack.bot_token).conversations_history(channel="C1")


async def test_a_mistake_of_the_server_fails_the_test() -> None:
    with pytest.raises(ExceptionGroup, match="made mistakes") as caught:
        await ask_a_broken_world()
    assert isinstance(caught.value.exceptions[0], AttributeError)
