"""The buttons under an answer: Stop while it is written, then Regenerate, Reply and Delete.

They know by the message they are on which answer is meant, and the chat decides who may.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import discord

from bot.discord.buttons import Form, Press, view_of
from bot.discord.context import MUTE, context_of, say
from bot.discord.faces import Faces
from bot.discord.names import quotable
from bot.discord.places import asked_by
from bot.discord.speakers import NOBODY
from bot.discord.stage import Buttons, Stage
from bot.discord.webhooks import Webhooks
from personas.errors import InvalidInputError
from personas.persona import Persona

if TYPE_CHECKING:
    from bot.discord.settings import DiscordSettings
    from storage.media import MediaStore

Act = Literal["stop", "again", "reply", "delete"]


_LOOKS: Final[dict[str, tuple[str, str, discord.ButtonStyle]]] = {
    "stop": ("Stop", "⏹️", discord.ButtonStyle.secondary),
    "again": ("Regenerate", "🔁", discord.ButtonStyle.secondary),
    "reply": ("Reply", "💬", discord.ButtonStyle.primary),
    "delete": ("Delete", "🗑️", discord.ButtonStyle.secondary),
}


def answer_view(buttons: Buttons, answer: str = "", *, reply: bool) -> discord.ui.View | None:
    """The view of a message of an answer.

    Args:
        buttons: which.
        answer: by which the message is found again; empty: it need not be.
        reply: whether people need a button to reply, because replies cannot be read here.
    """
    if buttons is Buttons.WRITING:
        return view_of(AnswerButton("stop", answer))
    if buttons is Buttons.DONE:
        acts: tuple[Act, ...] = ("reply", "again", "delete") if reply else ("again", "delete")
        return view_of(*(AnswerButton(act, answer) for act in acts))
    return None


def open_stage(client: discord.Client, settings: DiscordSettings, media: MediaStore) -> Stage:
    """A stage as the settings want it, with these buttons under the answers.

    Args:
        client: speaks.
        settings: of the adapter.
        media: where portraits are.
    """
    as_persona = settings.speak_as == "persona"
    # Replies to a webhook's message are not for the bot, so they are not shown to it.
    unheard = as_persona and not settings.message_content
    return Stage(
        client,
        Webhooks(client),
        Faces(client, media, settings.faces),
        as_persona=as_persona,
        reply_button=unheard,
        buttons=partial(answer_view, reply=unheard),
    )


class AnswerButton(
    Press, template=r"ca:answer:(?P<act>stop|again|reply|delete)(?::(?P<answer>[0-9a-f]+))?"
):
    """One of the buttons under an answer."""

    def __init__(self, act: Act, answer: str = "") -> None:
        label, emoji, style = _LOOKS[act]
        id = f"ca:answer:{act}:{answer}" if answer else f"ca:answer:{act}"
        super().__init__(discord.ui.Button(label=label, emoji=emoji, style=style, custom_id=id))
        self._act = act

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str]
    ) -> AnswerButton:
        """The button that was pressed."""
        return cls(match["act"], match["answer"] or "")  # type: ignore[arg-type]

    async def pressed(self, interaction: discord.Interaction[Any]) -> None:
        """Stops, has another answer, replies or deletes."""
        assert interaction.message is not None
        context, (place, person) = context_of(interaction), asked_by(interaction)
        message = str(interaction.message.id)
        if self._act == "reply":
            persona, _ = await context.chat.replies.who(place, person, message)
            await interaction.response.send_modal(ReplyForm(persona))
            return
        await interaction.response.defer()
        if self._act == "stop":
            if not await context.chat.replies.stop(place, person, message):
                await say(interaction, "It has said all it wants to say already.")
        elif self._act == "again":
            channel = channel_of(interaction)
            opener = context.opener(channel, lambda reason: say(interaction, reason))
            await context.chat.replies.regenerate(place, person, message, opener)
        else:
            gone = await context.chat.replies.remove(place, person, message)
            await context.stage.withdraw(channel_of(interaction), (*gone.messages, *gone.files))


class ReplyForm(Form):
    """What somebody wants to say to a persona."""

    def __init__(self, persona: Persona) -> None:
        super().__init__(title=f"To {persona.personality.name}"[:45], timeout=3_600)
        self._persona = persona
        self.words: discord.ui.TextInput[Any] = discord.ui.TextInput(
            style=discord.TextStyle.paragraph, max_length=2_000
        )
        self.add_item(discord.ui.Label(text="What do you say?", component=self.words))

    async def submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Says it where all can see it, and lets the persona answer."""
        await put_question(interaction, self._persona, self.words.value)


async def put_question(interaction: discord.Interaction[Any], persona: Persona, text: str) -> None:
    """Shows what somebody asks a persona, and lets it answer in the channel.

    Raises:
        ChatAnythingError: there is no answer; the sentence is for who asked.
    """
    context, (place, person) = context_of(interaction), asked_by(interaction)
    channel = writable_channel_of(interaction)
    shown = " ".join(text.split())[:1_500]
    name = quotable(persona.personality.name)
    asked = await interaction.response.send_message(
        f"-# {quotable(person.name)} to {name}\n> {quotable(shown)}"[:2_000],
        allowed_mentions=NOBODY,
        suppress_embeds=True,
    )
    opener = context.opener(channel, lambda reason: say(interaction, reason))
    await context.chat.replies.ask(
        place, person, persona, text, str(asked.message_id or interaction.id), opener
    )


def channel_of(interaction: discord.Interaction[Any]) -> discord.abc.MessageableChannel:
    """The channel in which an interaction happens."""
    channel = interaction.channel
    assert channel is not None and not isinstance(
        channel, discord.ForumChannel | discord.CategoryChannel
    )
    return channel


def writable_channel_of(interaction: discord.Interaction[Any]) -> discord.abc.MessageableChannel:
    """The channel in which an interaction happens, where personas can speak.

    Raises:
        InvalidInputError: they cannot; says what to do.
    """
    channel, may = channel_of(interaction), interaction.app_permissions
    in_thread = isinstance(channel, discord.Thread)
    writes = may.send_messages_in_threads if in_thread else may.send_messages
    # Through a webhook they speak where the bot itself may not.
    has_webhooks = context_of(interaction).stage.as_persona and may.manage_webhooks
    if interaction.guild_id is None or writes or has_webhooks:
        return channel
    raise InvalidInputError(MUTE)
