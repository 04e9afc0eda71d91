"""Settings: config.toml and the environment, validated; mistakes are named with line and remedy.

Every room owns the settings it needs; this module only puts them together. The order of
precedence is environment (`CHATANYTHING_SPEECH__MAX_SECONDS=20`), then the file, then defaults.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin
from urllib.parse import unquote, urlsplit

import platformdirs
from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bot.chat.settings import BudgetSettings, ChatSettings
from bot.discord.settings import DiscordSettings
from bot.logs import without_credentials
from bot.operating.settings import OperatingSettings
from bot.telegram.settings import TelegramSettings
from bot.variables import CONFIG_VARIABLE, PREFIX, SEPARATOR, Variables
from engine.hearing.settings import HearingSettings
from engine.jobs.settings import JobSettings
from engine.llm.settings import LanguageModelSettings
from engine.models.settings import ModelStoreSettings
from engine.portrait.settings import PortraitSettings
from engine.settings import ConversationSettings
from engine.speech.settings import SpeechSettings
from engine.talkinghead.settings import TalkingHeadSettings
from personas.errors import InvalidInputError
from storage.settings import StorageSettings

SECRET_VARIABLES = (
    "DISCORD_TOKEN",
    "TELEGRAM_TOKEN",
    "OPENAI_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "PGPASSWORD",
)
"""Variables of the environment with secrets that are not in the settings."""


class Settings(BaseSettings):
    """All options of the program; see config.example.toml."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=SEPARATOR,
        extra="forbid",
        hide_input_in_errors=True,  # a wrong value may be a secret, and errors are logged
    )

    language_model: LanguageModelSettings = Field(
        default_factory=LanguageModelSettings, description="Who writes the words."
    )
    portrait: PortraitSettings = Field(
        default_factory=PortraitSettings, description="Who draws the faces."
    )
    speech: SpeechSettings = Field(default_factory=SpeechSettings, description="Who speaks.")
    hearing: HearingSettings = Field(
        default_factory=HearingSettings, description="Who listens to voice messages."
    )
    talking_head: TalkingHeadSettings = Field(
        default_factory=TalkingHeadSettings,
        description="Who moves the face, and how it is encoded.",
    )
    conversation: ConversationSettings = Field(
        default_factory=ConversationSettings, description="How a message is answered."
    )
    jobs: JobSettings = Field(
        default_factory=JobSettings,
        description="Where heavy work is done: portraits, voices and clips.",
    )
    chat: ChatSettings = Field(
        default_factory=ChatSettings, description="How much people may use, on every chat platform."
    )
    budget: BudgetSettings = Field(
        default_factory=BudgetSettings,
        description="What people may cost a day: clips become voices, voices text, before it ends.",
    )
    discord: DiscordSettings = Field(
        default_factory=DiscordSettings, description="Personas on Discord."
    )
    telegram: TelegramSettings = Field(
        default_factory=TelegramSettings, description="The bot on Telegram."
    )
    storage: StorageSettings = Field(
        default_factory=StorageSettings, description="Where personas, turns and clips are kept."
    )
    models: ModelStoreSettings = Field(
        default_factory=ModelStoreSettings, description="Where fetched models and art are kept."
    )
    operating: OperatingSettings = Field(
        default_factory=OperatingSettings, description="Health, metrics, logs and traces."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which `load` hands in as initial values."""
        return env_settings, init_settings


def config_file(given: Path | None = None) -> Path | None:
    """The file to read: the one given, else the variable's, else ./config.toml, else the user's.

    Raises:
        InvalidInputError: a file was named and is not there.
    """
    named = given or (Path(value) if (value := os.environ.get(CONFIG_VARIABLE)) else None)
    if named is not None:
        if not named.is_file():
            raise InvalidInputError(f"There is no configuration file {named}.")
        return named
    usual = (Path("config.toml"), platformdirs.user_config_path("chatanything") / "config.toml")
    return next((path for path in usual if path.is_file()), None)


def load(path: Path | None = None) -> Settings:
    """Reads the settings.

    Args:
        path: a configuration file; None looks in the usual places, and none is needed.

    Raises:
        InvalidInputError: a key or value is wrong; says which, where, and what would be right.
    """
    file = config_file(path)
    text = ""
    values: dict[str, Any] = {}
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8-sig")  # some editors begin with a mark
            values = tomllib.loads(text)
        except UnicodeDecodeError as error:
            raise InvalidInputError(f"{file} is not UTF-8 text.") from error
        except OSError as error:
            raise InvalidInputError(f"{file} cannot be read: {error.strerror}.") from error
        except tomllib.TOMLDecodeError as error:
            raise InvalidInputError(f"{file} is not valid TOML: {error}.") from error
    variables = Variables()
    problems = variables.strangers(list(_options(Settings)))
    try:
        settings = Settings(**values)
    except SettingsError as error:  # a variable is no JSON
        problems += variables.not_json(_wants_json) or [f"{error}."]
    except ValidationError as error:
        problems += [_explain(problem, file, text, variables) for problem in error.errors()]
    if problems:
        # Not while the error is handled: it holds every value that was given, and would be logged.
        raise InvalidInputError("\n".join(problems))
    return settings


def secrets(settings: BaseModel) -> list[str]:
    """Every secret in some settings, and in the environment; they must be in no log."""
    found = [os.environ.get(name, "") for name in SECRET_VARIABLES]
    found += _secrets_of(settings)
    return [secret for secret in dict.fromkeys(found) if secret]


def _secrets_of(value: object) -> Iterator[str]:
    """The secrets in a setting: what is marked as one, and passwords of addresses."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_of(getattr(value, name))
    elif isinstance(value, tuple | list | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _secrets_of(item)
    elif isinstance(value, SecretStr):
        yield value.get_secret_value()
        yield from _secrets_of(value.get_secret_value())
    elif isinstance(value, str) and "://" in value:
        # Of a database, a proxy, a mirror: whoever uses it may repeat only a part of it.
        with contextlib.suppress(ValueError):
            password = urlsplit(value).password or ""
            yield from (password, unquote(password))


def _explain(problem: ErrorDetails, file: Path | None, text: str, variables: Variables) -> str:
    """One sentence about one wrong key or value."""
    keys = [str(part) for part in problem["loc"]]
    name = ".".join(keys)
    if set_by := variables.that_sets(keys):
        where = f"environment variable {set_by}"
    else:  # of a table, the file may set one half and the environment the other
        line = line_of(text, keys)
        places = [f"{file}, line {line}"] if line else []
        places += [f"environment variable {one}" for one in variables.below(keys)]
        where = " and ".join(places)
    if problem["type"] == "extra_forbidden":
        known = _known_keys(keys[:-1])
        near = difflib.get_close_matches(keys[-1], known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}."
        return f"{where}: there is no option {name}; {hint}"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {name}: {message}{_given(problem, keys)}."


def _given(problem: ErrorDetails, keys: list[str]) -> str:
    """The wrong value, unless it is a secret, or a table that may hold one."""
    if _is_secret(keys) or _model_at(keys) is not None or isinstance(problem["input"], dict):
        return ""
    return f" (given: {without_credentials(repr(problem['input']))[:60]})"


def _model_at(keys: list[str]) -> type[BaseModel] | None:
    """The settings class that holds what `keys` lead to."""
    model: type[BaseModel] = Settings
    named = False
    for key in keys:
        if named:  # tables by name: the key is a name, and what it holds is known
            named = False
            continue
        field = model.model_fields.get(key)
        annotation = field.annotation if field else None
        if get_origin(annotation) is dict:
            annotation, named = get_args(annotation)[1], True
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return None
        model = annotation
    return model


def _options(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys of every option."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _options(inner, (*above, name))
        else:
            yield (*above, name)


def _wants_json(keys: Sequence[str]) -> bool:
    """Whether an option is a list or a table, which variables give as JSON."""
    *above, name = keys
    model = _model_at(above)
    field = model.model_fields.get(name) if model else None
    inner = field.annotation if field else None
    is_table = isinstance(inner, type) and issubclass(inner, BaseModel)
    return is_table or get_origin(inner) in (tuple, dict)


def _known_keys(keys: list[str]) -> list[str]:
    model = _model_at(keys)
    return sorted(model.model_fields) if model else []


def _is_secret(keys: list[str]) -> bool:
    model = _model_at(keys[:-1])
    field = model.model_fields.get(keys[-1]) if model and keys else None
    return field is not None and "SecretStr" in str(field.annotation)


def line_of(text: str, keys: list[str]) -> int | None:
    """The line, from 1, on which a dotted key is set in TOML text; else that of its table."""
    table: list[str] = []
    best: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line):
            table = [part.strip().strip("\"'") for part in header[1].split(".")]
            if table == keys[: len(table)]:
                best = number
        elif assignment := re.match(r"\s*([A-Za-z0-9_.\"'-]+)\s*=", line):
            path = table + [part.strip("\"'") for part in assignment[1].split(".")]
            if path == keys[: len(path)]:
                return number
    return best


def example() -> str:
    """The text of config.example.toml: every option with its default, commented out."""
    lines = [
        "# ChatAnything: every option with its default. Nothing needs to be set.",
        "# Copy to config.toml and remove the # before a key to change it. Each option can also be",
        "# set in the environment as CHATANYTHING_<TABLE>__<KEY>: CHATANYTHING_SPEECH__THREADS=2.",
        "# Lists are JSON there: CHATANYTHING_DISCORD__SHARD_IDS=[0,1].",
    ]
    for table, field in Settings.model_fields.items():
        model = _model_at([table])
        assert model is not None
        lines += ["", f"# {field.description}", *_example_table(table, model)]
    return "\n".join(lines) + "\n"


def _example_table(name: str, model: type[BaseModel]) -> list[str]:
    """The lines of one table, its own tables after its keys."""
    lines, tables = [f"[{name}]"], []
    for key, option in model.model_fields.items():
        default = option.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, BaseModel):
            tables += ["", *_example_table(f"{name}.{key}", type(default))]
            continue
        lines += [f"# {line}" for line in _wrap(_sentence(option.description or ""))]
        # A folder differs from machine to machine; the example shows the usual one.
        shown = option.examples[0] if option.examples else default
        lines.append(f"# {key} = {_toml(shown)}")
    return lines + tables


def _sentence(text: str) -> str:
    starts_with_a_key = re.match(r"\w+:", text)
    return (text[:1] if starts_with_a_key else text[:1].upper()) + text[1:].rstrip(".") + "."


def _wrap(text: str, width: int = 96) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)


def _toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Enum):
        value = value.value
    if value is None or value is PydanticUndefined or value == "":
        return '""'
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, tuple | list | set | frozenset):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict) and not value:
        return "{}"
    return json.dumps(value, ensure_ascii=False)
