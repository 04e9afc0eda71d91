"""Gallery: the personas of one community, and who may do what with them. Rules only, no I/O."""

from __future__ import annotations

import re
from collections.abc import Container
from enum import StrEnum
from typing import Literal

from pydantic import Field

from personas.errors import InvalidInputError
from personas.persona import Frozen, Persona, slugify

TERMINAL = "terminal"
"""The gallery of the person at the keyboard."""

_ID = re.compile(r"terminal|(discord|telegram):-?[0-9]{1,20}")
_MAX_SLUG = 40

Platform = Literal["terminal", "discord", "telegram"]


def gallery_id(platform: Platform, community: int | str | None = None) -> str:
    """The id of a gallery: `terminal`, `discord:<server>` or `telegram:<chat>`.

    Args:
        platform: where the community is.
        community: its number there; a private chat is a community of one.

    Raises:
        InvalidInputError: this is no gallery.
    """
    gallery = platform if community is None else f"{platform}:{community}"
    return check_gallery_id(gallery)


def check_gallery_id(gallery: str) -> str:
    """`gallery` itself, if it is the id of one.

    Raises:
        InvalidInputError: it is not.
    """
    if not _ID.fullmatch(gallery):
        raise InvalidInputError(
            f"{gallery[:60]!r} is not a gallery. Use terminal, discord:<server> or telegram:<chat>."
        )
    return gallery


def platform_of(gallery: str) -> Platform:
    """Where the community of a gallery is."""
    name = check_gallery_id(gallery).partition(":")[0]
    return "discord" if name == "discord" else "telegram" if name == "telegram" else "terminal"


class Action(StrEnum):
    """What somebody can want to do in a gallery."""

    VIEW = "view"
    TALK = "talk"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    EXPORT = "export"
    FORGET = "forget"
    SETTLE = "settle"
    SET_POLICY = "set_policy"


class Who(StrEnum):
    """Who may do something."""

    EVERYONE = "everyone"
    CREATOR = "creator"
    MODERATORS = "moderators"
    NOBODY = "nobody"


class Visibility(StrEnum):
    """Who sees the personas of a gallery."""

    COMMUNITY = "community"
    CREATOR = "creator"


class Trigger(StrEnum):
    """What a persona that lives in a channel answers there."""

    EVERYTHING = "everything"
    CALLED = "called"


class Hearing(StrEnum):
    """What becomes of voice messages."""

    ANSWER = "answer"
    TRANSCRIBE = "transcribe"
    OFF = "off"


class Member(Frozen):
    """Somebody who writes in a community."""

    id: str = Field(description="as the platform names them; the same as Persona.creator")
    is_moderator: bool = Field(default=False, description="may manage this community")
    is_member: bool = Field(default=True, description="belongs to the community of the gallery")


class Policy(Frozen):
    """What a community allows. Moderators may do all that anybody may."""

    create: Who = Who.EVERYONE
    edit: Who = Who.CREATOR
    delete: Who = Who.CREATOR
    export: Who = Who.EVERYONE
    forget: Who = Field(default=Who.EVERYONE, description="who may end a conversation's memory")
    settle: Who = Field(default=Who.EVERYONE, description="who may choose who lives in a channel")
    visibility: Visibility = Visibility.COMMUNITY
    max_personas: int = Field(default=500, ge=0, description="of the whole gallery")
    max_personas_each: int = Field(default=100, ge=0, description="made by one member")
    channels: tuple[str, ...] = Field(
        default=(), description="where personas may be used; empty: everywhere"
    )
    trigger: Trigger = Trigger.EVERYTHING
    mode: Literal["text", "voice", "clip"] | None = Field(
        default=None, description="what answers are where a channel has not chosen; None: as usual"
    )
    hearing: Hearing = Hearing.ANSWER
    clip_seconds: int | None = Field(
        default=None, ge=3, le=600, description="how much of an answer is spoken; None: as usual"
    )
    messages_each: int | None = Field(
        default=None, ge=0, description="messages of one member a day; None: as usual"
    )
    messages: int | None = Field(
        default=None, ge=0, description="messages of the community a day; None: as usual"
    )
    creations_each: int | None = Field(
        default=None, ge=0, description="personas made by one member a day; None: as usual"
    )
    creations: int | None = Field(
        default=None, ge=0, description="personas made by the community a day; None: as usual"
    )
    tokens_each: int | None = Field(
        default=None, ge=0, description="tokens that one member costs a day; None: as usual"
    )
    tokens: int | None = Field(
        default=None, ge=0, description="tokens that the community costs a day; None: as usual"
    )
    gpu_seconds_each: int | None = Field(
        default=None, ge=0, description="seconds of GPUs of one member a day; None: as usual"
    )
    gpu_seconds: int | None = Field(
        default=None, ge=0, description="seconds of GPUs of the community a day; None: as usual"
    )
    cpu_seconds_each: int | None = Field(
        default=None, ge=0, description="seconds of the CPU of one member a day; None: as usual"
    )
    cpu_seconds: int | None = Field(
        default=None, ge=0, description="seconds of the CPU of the community a day; None: as usual"
    )


class Verdict(Frozen):
    """Whether somebody may do something; where not, the reason, for people to read."""

    allowed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        """Whether it is allowed."""
        return self.allowed


_YES = Verdict(allowed=True)
_WORDS = {
    Action.CREATE: "create personas",
    Action.EDIT: "change this persona",
    Action.DELETE: "delete this persona",
    Action.EXPORT: "export this persona",
    Action.FORGET: "make this persona forget",
    Action.SETTLE: "choose who talks in a channel",
    Action.SET_POLICY: "change the rules",
}


def may(
    member: Member, action: Action, policy: Policy | None = None, persona: Persona | None = None
) -> Verdict:
    """Whether `member` may do `action` by `policy` (None: the usual one) with `persona`."""
    policy = policy or Policy()
    if not member.is_member:
        return _no("Only members of this community can do that.")
    if persona is not None and not _sees(member, policy, persona):
        return _no("There is no such persona here.")
    if action in (Action.VIEW, Action.TALK):
        return _YES
    rule = {
        Action.CREATE: policy.create,
        Action.EDIT: policy.edit,
        Action.DELETE: policy.delete,
        Action.EXPORT: policy.export,
        Action.FORGET: policy.forget,
        Action.SETTLE: policy.settle,
        Action.SET_POLICY: Who.MODERATORS,
    }[action]
    if rule is Who.NOBODY:
        return _no(f"Nobody can {_WORDS[action]} here.")
    if rule is Who.EVERYONE or member.is_moderator:
        return _YES
    if rule is Who.CREATOR and persona is not None and _made(member, persona):
        return _YES
    if rule is Who.MODERATORS or persona is None:
        return _no(f"Only moderators can {_WORDS[action]} here.")
    return _no(f"Only who made {persona.personality.name}, or a moderator, can do that.")


def may_create(
    member: Member, policy: Policy | None = None, *, in_gallery: int = 0, own: int = 0
) -> Verdict:
    """Whether `member` may create one more persona.

    Args:
        member: who asks.
        policy: of the gallery; None is the usual one.
        in_gallery: how many personas the gallery has.
        own: how many of them are this member's.
    """
    policy = policy or Policy()
    verdict = may(member, Action.CREATE, policy)
    if not verdict:
        return verdict
    if in_gallery >= policy.max_personas:
        return _no(f"This gallery is full: it holds {policy.max_personas} personas. Delete one.")
    if own >= policy.max_personas_each and not member.is_moderator:
        return _no(f"You have made {policy.max_personas_each} personas here. Delete one first.")
    return _YES


def unique_slug(slug: str, taken: Container[str]) -> str:
    """`slug`, or the first of slug-2, slug-3, ... that is not taken; at most 40 characters."""
    slug = slugify(slug)
    if slug not in taken:
        return slug
    number = 2
    while True:
        ending = f"-{number}"
        candidate = slug[: _MAX_SLUG - len(ending)].rstrip("-") + ending
        if candidate not in taken:
            return candidate
        number += 1


def _made(member: Member, persona: Persona) -> bool:
    return bool(member.id) and member.id == persona.creator


def _sees(member: Member, policy: Policy, persona: Persona) -> bool:
    everyone = policy.visibility is Visibility.COMMUNITY
    return everyone or member.is_moderator or _made(member, persona)


def _no(reason: str) -> Verdict:
    return Verdict(allowed=False, reason=reason)
