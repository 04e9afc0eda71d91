"""How the Discord adapter is set up."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Snowflake = Annotated[int, Field(gt=0, lt=2**63)]


class DiscordSettings(BaseModel):
    """Options of the section `[discord]`."""

    model_config = ConfigDict(extra="forbid")

    token: SecretStr = Field(
        default=SecretStr(""),
        description="of the bot, from the page Bot of the Discord developer portal. Empty: the "
        "environment variable DISCORD_TOKEN; without either there is no Discord",
    )
    message_content: bool = Field(
        default=False,
        description="read all messages of a channel, which names and trigger words need. The "
        "privileged intent of that name must be switched on in the developer portal. Without it "
        "personas hear mentions of the bot, slash commands, the Reply button and private messages",
    )
    speak_as: Literal["persona", "bot"] = Field(
        default="persona",
        description="persona: each with its own name and face, through a webhook of the "
        "channel; bot: with the bot's, their name above the text",
    )
    shard_count: int = Field(
        default=0, ge=0, le=100_000, description="of the whole bot; 0: as many as Discord advises"
    )
    shard_ids: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        default=(), description="the shards that this process runs; empty: all"
    )
    sync_commands: bool = Field(
        default=True, description="tell Discord of the slash commands at each start"
    )
    sync_guilds: tuple[Snowflake, ...] = Field(
        default=(),
        description="register them in these servers only, where they show at once: for trying "
        "things out; empty: everywhere",
    )
    faces: int = Field(
        default=1_900,
        ge=0,
        le=2_000,
        description="faces kept as emoji of the application, of which Discord allows 2000; the "
        "one not used for longest goes first. 0: personas speak without a face",
    )
    shutdown_seconds: float = Field(
        default=20.0,
        ge=0,
        le=600,
        description="how long the end waits for answers that are being made",
    )

    @model_validator(mode="after")
    def _shards_fit(self) -> Self:
        if any(shard >= (self.shard_count or 1) for shard in self.shard_ids):
            raise ValueError("shard_ids: shards count from 0, and shard_count says how many")
        return self
