"""How the Telegram adapter is set up."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

TOKEN_VARIABLE = "TELEGRAM_TOKEN"
_PROXIES = ("http://", "https://", "socks5://", "socks5h://")


class WebhookSettings(BaseModel):
    """Options of the section `[telegram.webhook]`."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(
        default="",
        description="public https address at which Telegram delivers updates; empty: ask for them, "
        "which needs no address and no open port",
    )
    listen: str = Field(default="127.0.0.1", description="address on which this program listens")
    port: int = Field(
        default=8443, ge=1, le=65535, description="port on which this program listens"
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="what Telegram must send along with each update, so that nobody else can: 1 to "
        "256 letters, digits, _ and -. Empty: a new one each time",
    )
    connections: int = Field(
        default=40, ge=1, le=100, description="deliveries that Telegram makes at the same time"
    )

    @field_validator("url")
    @classmethod
    def _is_https(cls, url: str) -> str:
        if url and not url.startswith("https://"):
            raise ValueError("Telegram delivers to https addresses only")
        return url

    @field_validator("secret")
    @classmethod
    def _is_plain(cls, secret: SecretStr) -> SecretStr:
        value = secret.get_secret_value()
        plain = all(c.isascii() and (c.isalnum() or c in "_-") for c in value)
        if len(value) > 256 or not plain:
            raise ValueError("use at most 256 letters, digits, _ and -")
        return secret


class TelegramSettings(BaseModel):
    """Options of the section `[telegram]`."""

    model_config = ConfigDict(extra="forbid")

    token: SecretStr = Field(
        default=SecretStr(""),
        description="of the bot, from @BotFather. Empty: the environment variable "
        f"{TOKEN_VARIABLE}; without either there is no Telegram",
    )
    clips: str = Field(
        default="note",
        pattern="^(note|video)$",
        description="what a clip is where a chat has not chosen: note, round and up to a minute, "
        "or video",
    )
    server: str = Field(
        default="",
        description="address of a Bot API server of one's own, such as http://127.0.0.1:8081; "
        "empty: Telegram's",
    )
    file_limit: int = Field(
        default=50_000_000,
        ge=100_000,
        le=2_000_000_000,
        description="largest file that is sent, in bytes; a server of one's own takes up to 2 GB",
    )
    proxy: str = Field(default="", description="address of an http or socks5 proxy; empty: none")
    group_minutes: int = Field(
        default=15,
        ge=0,
        description="messages in groups that are older are not answered when the bot comes back; "
        "in private chats all are",
    )
    shutdown_seconds: float = Field(
        default=20.0,
        ge=0,
        le=600,
        description="how long the end waits for answers that are being made",
    )
    webhook: WebhookSettings = Field(
        default_factory=WebhookSettings, description="How updates come in."
    )

    @field_validator("proxy")
    @classmethod
    def _is_address(cls, proxy: str) -> str:
        if proxy and not proxy.startswith(_PROXIES):
            raise ValueError(f"write the whole address; it begins with {', '.join(_PROXIES)}")
        return proxy
