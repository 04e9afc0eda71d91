"""Beginning and ending talks, and letting a persona be heard."""

from __future__ import annotations

from bot.chat.base import Activity, Before
from bot.telegram.cards import actions, introduction
from bot.telegram.formatting import Rich, harmless
from bot.telegram.keys import key, pack, rows
from bot.telegram.visit import Visit
from engine.events import ClipReady, SpeechReady
from personas.errors import InvalidInputError
from personas.persona import Persona


async def target(visit: Visit, words: str = "") -> Persona:
    """Whom a command is about: who is named, replied to, or the only one around.

    Raises:
        ChatAnythingError: it could be several, or nobody; says which.
    """
    chat = visit.desk.chat
    if words.strip():
        return await chat.gallery.get(visit.place, visit.person, words.strip())
    replied = visit.message.reply_to_message if visit.message is not None else None
    if replied is not None and replied.from_user and replied.from_user.id == visit.desk.bot.id:
        persona, _ = await chat.replies.who(visit.place, visit.person, str(replied.message_id))
        return persona
    here = [one.persona for one in await chat.rooms.here(visit.place, visit.person)]
    if not here:
        page = await chat.gallery.page(visit.place, visit.person, size=2)
        here = list(page.personas)
    if len(here) == 1:
        return here[0]
    if not here:
        raise InvalidInputError("Nobody lives here yet. Describe somebody with /create.")
    names = ", ".join(one.personality.name for one in here[:5])
    raise InvalidInputError(f"Whom do you mean? Put a name behind the command: {names}.")


async def talk(visit: Visit, persona: Persona) -> None:
    """Lets a persona live here; in a private chat, alone.

    Raises:
        ChatAnythingError: it may not, or nothing can be written here.
    """
    chat, gone = visit.desk.chat, []
    if visit.place.private:
        here = await chat.rooms.here(visit.place, visit.person, inherited=False)
        gone = [one.persona for one in here if one.persona.id != persona.id]
    await chat.rooms.settle(visit.place, visit.person, persona)
    for other in gone:
        await chat.rooms.leave(visit.place, visit.person, other)
    who = persona.personality
    greeting = Rich().add(harmless(who.name), "bold").add("\n").add(harmless(who.greeting))
    sent = await visit.say(greeting, rows([key("🔊 Hear", "hear", pack(persona.id))]))
    await visit.belongs_to(persona, sent)


async def stop(visit: Visit, words: str) -> None:
    """Stops what is being answered; else lets somebody, or everybody, leave.

    Raises:
        ChatAnythingError: that is not theirs to say.
    """
    chat = visit.desk.chat
    if not words.strip():
        if await chat.replies.stop(visit.place, visit.person):
            await visit.say("Stopped.")
            return
        left = await chat.rooms.leave(visit.place, visit.person)
        gone = "Everybody has left." if left != 1 else "They have left."
        await visit.say(
            f"{gone} /talk brings somebody back." if left else "Nobody was talking here."
        )
        return
    persona = await chat.gallery.get(visit.place, visit.person, words.strip())
    left = await chat.rooms.leave(visit.place, visit.person, persona)
    name = persona.personality.name
    await visit.say(f"{name} has left. /talk brings them back." if left else f"{name} is not here.")


async def hear(visit: Visit, persona: Persona) -> None:
    """Lets a persona say its greeting, as a clip where it can.

    Raises:
        ChatAnythingError: it cannot speak, or nothing can be sent here.
    """
    opener = visit.desk.opener(visit.spot, visit.place, visit.person)
    outlet = await opener(persona, Before())
    mode = await visit.desk.chat.rooms.mode(visit.place)
    voiced = "voice" if mode == "voice" else "clip"
    doing = Activity.FILMING if voiced == "clip" else Activity.SPEAKING
    async with outlet.activity(doing):
        events = await visit.desk.chat.gallery.greet(
            visit.place, visit.person, persona, "voice" if voiced == "voice" else "clip"
        )
    clips = [event.clip for event in events if isinstance(event, ClipReady)]
    speeches = [event.speech for event in events if isinstance(event, SpeechReady)]
    if clips:
        await outlet.send_clip(clips[0])
    elif speeches:
        await outlet.send_voice(speeches[0])
    await visit.desk.chat.replies.posted(visit.place, persona, outlet.file_ids)


async def show(visit: Visit, persona: Persona, text: Rich | None = None) -> None:
    """Shows a persona's card.

    Raises:
        ChatAnythingError: nothing can be written here.
    """
    buttons = actions(persona, visit.spot, visit.desk.bot.username)
    await visit.show(persona, text or introduction(persona), buttons)
