"""Commands, buttons, menus and forms on our own Discord, answered by discord.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import discord
import pytest
from discord import app_commands
from support.discord_clients import connected, reading_client
from support.discord_entities import EPHEMERAL, Channel, User
from support.discord_interactions import COMMAND, COMPONENT, MODAL_SUBMIT
from support.discord_people import visible_text
from support.discord_server import DiscordServer, discord_server

Answer = Callable[[discord.Interaction], Awaitable[object]]


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server() as server:
        yield server


@pytest.fixture
def channel(server: DiscordServer) -> Channel:
    return server.guild("G", locale="ko").text_channel("articles")


@pytest.fixture
def mina(server: DiscordServer) -> User:
    return server.user("Mina", locale="ko")


class Bot:
    """A client with one command, whose answer each test gives."""

    def __init__(self) -> None:
        self.client = reading_client()
        self.tree = app_commands.CommandTree(self.client)
        self.asked: list[discord.Interaction] = []
        self.refused: list[int] = []
        self.options: list[object] = []
        self.answer: Answer = say_hello
        digest = app_commands.Group(name="digest", description="Digests")

        @digest.command(name="link", description="Digest a link")
        @app_commands.describe(url="The address")
        async def link(
            interaction: discord.Interaction,
            url: app_commands.Range[str, 1, 300],
            reader: discord.Member | None = None,
        ) -> None:
            self.options += [url, reader]
            await self.respond(interaction)

        @link.autocomplete("url")
        async def known(
            interaction: discord.Interaction, current: str
        ) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=current + "!", value=current)]

        @digest.command(name="settings", description="What a channel wants")
        async def settings(interaction: discord.Interaction) -> None:
            await self.respond(interaction)

        @self.tree.context_menu(name="Digest this")
        async def digest_this(interaction: discord.Interaction, message: discord.Message) -> None:
            self.options.append(message.content)
            await self.respond(interaction)

        self.tree.add_command(digest)
        self.client.event(self.on_interaction)

    async def respond(self, interaction: discord.Interaction) -> None:
        self.asked.append(interaction)
        try:
            await self.answer(interaction)
        except discord.HTTPException as refused:
            self.refused.append(refused.code)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        kinds = {discord.InteractionType.component, discord.InteractionType.modal_submit}
        if interaction.type in kinds:
            await self.respond(interaction)


async def say_hello(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("hello", ephemeral=True)


async def defer(interaction: discord.Interaction) -> None:
    await interaction.response.defer(thinking=True)


@pytest.fixture
async def bot(server: DiscordServer, channel: Channel) -> AsyncIterator[Bot]:
    bot = Bot()
    async with connected(server, bot.client):
        await bot.tree.sync()
        yield bot


LINK = {"url": "https://example.org/a"}


async def test_a_command_is_answered_only_for_who_asked(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    asked = await server.slash(mina, channel, "digest", "link", {**LINK, "reader": mina})
    await server.until(lambda: asked.answered_after is not None)
    assert asked.answered_after is not None
    assert asked.answered_after < server.interactions.first_answer_within
    [answer] = asked.messages
    assert (answer.content, answer.only_for, answer.flags & EPHEMERAL) == ("hello", mina, EPHEMERAL)
    assert bot.options[0] == LINK["url"]
    assert (str(bot.asked[0].locale), str(bot.asked[0].guild_locale)) == ("ko", "ko")
    assert server.commands.syncs == 1


async def test_a_deferred_answer_is_edited_in_and_more_can_follow(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    bot.answer = defer
    asked = await server.slash(mina, channel, "digest", "settings")
    await server.until(lambda: asked.original)
    assert asked.messages == []
    await bot.asked[0].edit_original_response(content="done")
    await bot.asked[0].followup.send("more", ephemeral=True)
    assert [message.content for message in asked.messages] == ["done", "more"]
    assert [message.only_for for message in asked.messages] == [None, mina]
    assert (await bot.asked[0].original_response()).content == "done"
    await bot.asked[0].delete_original_response()
    assert [message.content for message in asked.messages] == ["more"]


async def test_the_first_follow_up_takes_the_place_of_what_is_loading(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    bot.answer = defer
    asked = await server.slash(mina, channel, "digest", "settings")
    await server.until(lambda: asked.original)
    await bot.asked[0].followup.send("done")
    assert asked.original is not None
    assert [message.content for message in server.messages(channel)] == ["done"]


async def test_an_answer_that_comes_too_late_is_unknown(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    server.interactions.first_answer_within = -1.0
    await server.slash(mina, channel, "digest", "settings")
    await server.until(lambda: bot.refused)
    assert bot.refused == [10062]
    assert server.messages(channel) == []


async def test_a_token_ends(server: DiscordServer, channel: Channel, mina: User, bot: Bot) -> None:
    bot.answer = defer
    asked = await server.slash(mina, channel, "digest", "settings")
    await server.until(lambda: asked.original)
    server.interactions.token_lasts = 0.0
    with pytest.raises(discord.HTTPException) as over:
        await bot.asked[0].edit_original_response(content="late")
    assert (over.value.status, over.value.code) == (401, 50027)


async def test_there_is_one_answer(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    async def twice(interaction: discord.Interaction) -> None:
        await say_hello(interaction)
        interaction.response._response_type = None  # discord.py would not even ask
        await say_hello(interaction)

    bot.answer = twice
    await server.slash(mina, channel, "digest", "settings")
    await server.until(lambda: bot.refused)
    assert bot.refused == [40060]


async def test_before_an_answer_there_is_nothing_to_follow(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    async def follow(interaction: discord.Interaction) -> None:
        await interaction.followup.send("first")

    bot.answer = follow
    await server.slash(mina, channel, "digest", "settings")
    await server.until(lambda: bot.refused)
    assert bot.refused == [10015]


async def test_typing_is_completed(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    asked = await server.autocomplete(mina, channel, "digest", "link", "url", "ko")
    choices = await server.until(lambda: asked.choices)
    assert choices == [{"name": "ko!", "value": "ko"}]


async def test_a_message_has_a_menu(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    said = await server.say(channel, mina, "https://example.org/a")
    asked = await server.context_menu(mina, said, "Digest this")
    await server.until(lambda: asked.messages)
    assert bot.options == ["https://example.org/a"]


def a_form() -> discord.ui.Modal:
    form = discord.ui.Modal(title="Settings", custom_id="settings")
    form.add_item(discord.ui.TextInput(label="Words", custom_id="words", max_length=10))
    return form


def a_view() -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Terms", custom_id="terms:1"))
    view.add_item(discord.ui.Button(label="Off", custom_id="off:1", disabled=True))
    options = [discord.SelectOption(label=one, value=one) for one in ("auto", "ask")]
    view.add_item(discord.ui.Select(custom_id="mode", options=options))
    return view


async def test_a_button_changes_its_message(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    async def change(interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(content="changed", view=None)

    place = bot.client.get_channel(channel.id)
    assert isinstance(place, discord.TextChannel)
    await place.send("first", view=a_view())
    [message] = server.messages(channel)
    bot.answer = change
    asked = await server.press(message, "Terms", mina)
    await server.until(lambda: asked.answer)
    assert (asked.kind, message.content, message.components) == (COMPONENT, "changed", [])
    assert "Terms" not in visible_text(message)


async def test_only_what_is_there_can_be_pressed_and_chosen(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    place = bot.client.get_channel(channel.id)
    assert isinstance(place, discord.TextChannel)
    await place.send("first", view=a_view())
    [message] = server.messages(channel)
    with pytest.raises(LookupError, match="disabled"):
        await server.press(message, "off:1", mina)
    with pytest.raises(LookupError, match="no 'else'"):
        await server.press(message, "else", mina)
    with pytest.raises(LookupError, match="not among"):
        await server.choose(message, "mode", "off", mina)
    with pytest.raises(ValueError, match="2 chosen"):
        await server.choose(message, "mode", ["auto", "ask"], mina)
    asked = await server.choose(message, "mode", "ask", mina)
    await server.until(lambda: asked.messages)
    assert bot.asked[0].data is not None
    assert bot.asked[0].data["values"] == ["ask"]  # type: ignore[typeddict-item]
    with pytest.raises(LookupError, match="does not see"):
        await server.press(asked.messages[0], "terms:1", server.user("Other"))


async def test_a_form_is_filled_in(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    async def show(interaction: discord.Interaction) -> None:
        if interaction.type is discord.InteractionType.modal_submit:
            await say_hello(interaction)
        else:
            await interaction.response.send_modal(a_form())

    bot.answer = show
    asked = await server.slash(mina, channel, "digest", "settings")
    await server.until(lambda: asked.modal)
    with pytest.raises(ValueError, match="wanted 1 to 10"):
        await server.submit(asked, {"words": "x" * 11})
    with pytest.raises(LookupError, match="other"):
        await server.submit(asked, {"words": "x", "other": "y"})
    submitted = await server.submit(asked, {"words": "three"})
    await server.until(lambda: submitted.messages)
    assert submitted.kind == MODAL_SUBMIT
    assert submitted.messages[0].content == "hello"


@pytest.mark.parametrize(
    ("title", "label", "taken"), [("t" * 45, "l" * 45, True), ("t" * 46, "l", False)]
)
async def test_a_form_has_limits(
    server: DiscordServer,
    channel: Channel,
    mina: User,
    bot: Bot,
    title: str,
    label: str,
    taken: bool,
) -> None:
    async def show(interaction: discord.Interaction) -> None:
        form = discord.ui.Modal(title=title, custom_id="f")
        form.add_item(discord.ui.TextInput(label=label))
        await interaction.response.send_modal(form)

    bot.answer = show
    asked = await server.slash(mina, channel, "digest", "settings")
    await server.until(lambda: asked.modal or bot.refused)
    assert bot.refused == ([] if taken else [50035])


async def test_a_command_takes_only_what_it_was_synced_with(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    for wrong in (
        server.slash(mina, channel, "digest", "other"),
        server.slash(mina, channel, "digest"),
        server.slash(mina, channel, "summary"),
        server.slash(mina, channel, "digest", "link", {**LINK, "more": "x"}),
    ):
        with pytest.raises(LookupError):
            await wrong
    for refused in ({}, {"url": ""}, {"url": 3}):
        with pytest.raises(ValueError, match=r"url|0 characters"):
            await server.slash(mina, channel, "digest", "link", refused)


async def test_who_may_not_use_a_command_is_not_offered_it(
    server: DiscordServer, channel: Channel, mina: User, bot: Bot
) -> None:
    @bot.tree.command(name="rules", description="Rules")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def rules(interaction: discord.Interaction) -> None:
        assert interaction.permissions.manage_guild
        await bot.respond(interaction)

    await bot.tree.sync()
    with pytest.raises(PermissionError):
        await server.slash(mina, channel, "rules")
    with pytest.raises(PermissionError):
        await server.slash(mina, server.world.direct(mina), "rules")
    assert channel.guild is not None
    channel.guild.grant(mina, "manage_guild")
    asked = await server.slash(mina, channel, "rules")
    await server.until(lambda: asked.messages)
    assert asked.kind == COMMAND


async def test_what_did_not_change_keeps_its_id_when_synced_again(
    server: DiscordServer, bot: Bot
) -> None:
    first = {command.name: command.id for command in await bot.tree.fetch_commands()}
    await bot.tree.sync()
    assert {command.name: command.id for command in await bot.tree.fetch_commands()} == first
    assert server.commands.syncs == 2


async def test_the_answer_to_a_command_in_a_direct_message_arrives(
    server: DiscordServer, mina: User, bot: Bot
) -> None:
    asked = await server.slash(mina, server.world.direct(mina), "digest", "settings")
    await server.until(lambda: asked.messages)
    assert bot.asked[0].user.id == mina.id
