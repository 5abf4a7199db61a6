"""What people do in the test's Slack reaches a real slack-bolt, and its answers reach them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient
from support.slack_kit import actions, button, marked, options, overflow, section, words
from support.slack_listening import Bot, connected, listening_bot
from support.slack_server import SlackServer, slack_server
from support.slack_world import Json


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with slack_server() as server:
        server.pacing = None
        server.deliveries.ack_within = 1.0
        server.deliveries.retry_after = (0.0, 0.05, 0.1)
        yield server


@pytest.fixture
def bot(slack: SlackServer) -> Bot:
    return listening_bot(slack)


async def test_a_command_is_answered_by_the_ack_and_five_times_more(
    slack: SlackServer, bot: Bot
) -> None:
    statuses: list[tuple[int, str]] = []

    @bot.app.command("/digest")
    async def on_command(ack: Any, command: Json) -> None:
        await ack(f"heard {command['text']}")
        webhook = AsyncWebhookClient(command["response_url"])
        for number in range(6):
            replaces = number == 1
            answer = await webhook.send(text=str(number), replace_original=replaces)
            statuses.append((answer.status_code, answer.body))

    channel = slack.channel("C1")
    async with connected(bot):
        asked = await slack.command("/digest", "this", user="U1", channel=channel)
        await slack.until(lambda: len(statuses) == 6)
    assert [status for status, _ in statuses] == [200] * 5 + [404]
    assert "used_url" in statuses[-1][1]
    assert len(asked.messages) == 5  # one of the five replaced another message
    assert {each.ephemeral_for for each in asked.messages} == {"U1"}
    assert not slack.failures


async def test_a_command_without_an_ack_fails_for_the_person(slack: SlackServer, bot: Bot) -> None:
    slack.deliveries.ack_within = 0.1

    @bot.app.command("/digest")
    async def on_command() -> None:
        return None

    async with connected(bot):
        asked = await slack.command("/digest", "x", user="U1", channel=slack.channel("C1"))
    assert not asked.acked
    assert slack.failures == ["/digest x: operation_timeout"]
    assert len(slack.attempts) == 1  # nobody tries again for a person


async def test_buttons_menus_and_shortcuts_say_where_they_are(slack: SlackServer, bot: Bot) -> None:
    seen: list[Json] = []

    async def on_action(ack: Any, body: Json) -> None:
        await ack()
        seen.append(body)

    for name in ("go", "more"):
        bot.app.action(name)(on_action)
    bot.app.shortcut("digest_this")(on_action)
    channel = slack.channel("C1")
    async with connected(bot):
        blocks = [*section(text=marked("a")), *actions(button(value="7"), overflow(options(2)))]
        sent = await bot.app.client.chat_postMessage(channel="C1", text="a", blocks=blocks)
        message = channel.messages[str(sent["ts"])]
        await slack.press(message, "go", user="U1")
        await slack.choose(message, "more", "v1", user="U2")
        await slack.shortcut("digest_this", message, user="U1")
        with pytest.raises(AssertionError, match="there is no gone here"):
            await slack.press(message, "gone", user="U1")
        await slack.until(lambda: len(seen) == 3)
    pressed, chosen, taken = seen
    assert (pressed["actions"][0]["value"], pressed["user"]["id"]) == ("7", "U1")
    assert pressed["container"]["message_ts"] == message.ts
    assert chosen["actions"][0]["selected_option"]["value"] == "v1"
    assert (taken["type"], taken["message"]["ts"]) == ("message_action", message.ts)


async def test_a_modal_goes_from_a_command_to_its_submission(slack: SlackServer, bot: Bot) -> None:
    state: list[Json] = []
    asked: Json = {"type": "plain_text_input", "action_id": "name"}
    view: Json = {
        "type": "modal",
        "callback_id": "settings",
        "title": words("Settings"),
        "submit": words("Save"),
        "blocks": [{"type": "input", "block_id": "n", "label": words("Name"), "element": asked}],
    }

    @bot.app.command("/digest")
    async def on_command(ack: Any, client: AsyncWebClient, command: Json) -> None:
        await ack()
        await client.views_open(trigger_id=command["trigger_id"], view=view)

    @bot.app.view("settings")
    async def on_submit(ack: Any, view: Json) -> None:
        values = view["state"]["values"]
        if values["n"]["name"]["value"] == "bad":
            await ack(response_action="errors", errors={"n": "no"})
            return
        await ack()
        state.append(values)

    async with connected(bot):
        await slack.command("/digest", user="U1", channel=slack.channel("C1"))
        shown = (await slack.until(slack.views))[0]
        with pytest.raises(AssertionError, match="must be filled in"):
            await slack.submit(shown)
        refused = await slack.submit(shown, {"name": "bad"})
        assert refused.answer == {"response_action": "errors", "errors": {"n": "no"}}
        assert slack.views() == [shown]
        await slack.submit(shown, {"name": "good"})
        await slack.until(lambda: state)
    assert state[0]["n"]["name"]["value"] == "good"
    assert slack.views() == []


async def test_a_list_is_filled_by_what_the_app_answers_and_only_by_that(
    slack: SlackServer, bot: Bot
) -> None:
    answers: dict[str, Json] = {"many": {"options": options(101)}, "few": {"options": options(2)}}
    told: list[Json] = []
    pick: Json = {"type": "multi_external_select", "action_id": "pick", "max_selected_items": 1}
    view: Json = {
        "type": "modal",
        "callback_id": "form",
        "title": words("Settings"),
        "submit": words("Save"),
        "blocks": [{"type": "input", "block_id": "p", "label": words("Pick"), "element": pick}],
    }

    @bot.app.command("/digest")
    async def on_command(ack: Any, client: AsyncWebClient, command: Json) -> None:
        await ack()
        await client.views_open(trigger_id=command["trigger_id"], view=view)

    @bot.app.options("pick")
    async def on_letters(ack: Any, payload: Json) -> None:
        told.append(payload)
        await ack(answers[payload["value"]])

    @bot.app.view("form")
    async def on_submit(ack: Any, body: Json) -> None:
        await ack()
        told.append(body["view"]["state"]["values"])

    async with connected(bot):
        await slack.command("/digest", user="U1", channel=slack.channel("C1"))
        shown = (await slack.until(slack.views))[0]
        with pytest.raises(AssertionError, match="before 3 letters"):
            await slack.suggest(shown, "pick", "fe")
        assert (await slack.suggest(shown, "pick", "many")).options == []
        assert len(slack.failures) == 1
        with pytest.raises(AssertionError, match="has no option v1"):
            await slack.submit(shown, {"pick": ["v1"]})
        assert (await slack.suggest(shown, "pick", "few")).values == ["v0", "v1"]
        with pytest.raises(AssertionError, match="takes 1 at most"):
            await slack.submit(shown, {"pick": ["v0", "v1"]})
        await slack.submit(shown, {"pick": ["v1"]})
    asked, state = told[1], told[2]
    assert (asked["type"], asked["value"]) == ("block_suggestion", "few")
    assert (asked["action_id"], asked["block_id"]) == ("pick", "p")
    assert asked["container"] == {"type": "view", "view_id": shown.id}
    assert "trigger_id" not in asked
    assert state["p"]["pick"]["selected_options"] == options(2)[1:]


async def test_an_ephemeral_answer_is_replaced_through_its_response_url(
    slack: SlackServer, bot: Bot
) -> None:
    @bot.app.action("go")
    async def on_press(ack: Any, body: Json, respond: AsyncRespond) -> None:
        await ack()
        assert "message" not in body
        await respond("done", replace_original=True)

    channel = slack.channel("C1")
    async with connected(bot):
        await bot.app.client.chat_postEphemeral(
            channel="C1", user="U1", text="a", blocks=actions(button())
        )
        message = slack.ephemeral(channel, "U1")[0]
        await slack.press(message, "go", user="U1")
        await slack.until(lambda: message.text == "done")
    assert (message.versions, message.blocks) == (["a"], [])
    assert slack.ephemeral(channel, "U1") == [message]


async def test_an_answer_with_bad_blocks_is_refused(slack: SlackServer, bot: Bot) -> None:
    place = slack.response_urls.new(slack.team, slack.channel("C1"), "U1")
    webhook = AsyncWebhookClient(slack.response_urls.address(place))
    answer = await webhook.send(text="a", blocks=actions(button(text=words("a" * 76))))
    assert (answer.status_code, "invalid_blocks" in answer.body) == (400, True)
    place.expires = 0.0
    late = await webhook.send(text="a")
    assert (late.status_code, "expired_url" in late.body) == (404, True)


async def test_a_home_tab_knows_what_it_showed(slack: SlackServer, bot: Bot) -> None:
    home = {"type": "home", "blocks": section(text=marked("a"))}
    async with connected(bot):
        await slack.open_home("U1")
        await slack.until(lambda: len(bot.events) == 1)
        await bot.app.client.views_publish(user_id="U1", view=home)
        await slack.open_home("U1")
        await slack.until(lambda: len(bot.events) == 2)
    assert "view" not in bot.events[0]
    assert bot.events[1]["view"]["blocks"] == home["blocks"]
