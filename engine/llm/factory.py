"""Chooses the language model: a configured endpoint, else the best that this machine can run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from engine.llm.base import LanguageModel
from engine.llm.settings import LanguageModelSettings
from engine.machine import available_memory
from engine.models.catalogue import Catalogue, ModelEntry, Purpose
from engine.observing import NOBODY, Observer
from personas.errors import InvalidInputError, UnavailableError

WORTH_FETCHING = ("qwen2.5-coder-1.5b", "smollm2-135m")
"""What is fetched where nothing was chosen, best first; small enough not to ask before. The last
one is for machines on which no other fits."""

ELBOW_ROOM = 2
"""A model is only fetched unasked where this many times the memory that it needs is free."""


class ModelFiles(Protocol):
    """What is needed of the model store."""

    @property
    def catalogue(self) -> Catalogue:
        """What there is."""

    def has(self, name: str) -> bool:
        """Whether the model is here, whole."""

    def path(self, name: str) -> Path:
        """Its file; NotFoundError or UnavailableError where it is not here."""


def open_language_model(
    settings: LanguageModelSettings, store: ModelFiles, observer: Observer = NOBODY
) -> LanguageModel:
    """The language model that `settings` ask for. Nothing is started before it is used.

    Args:
        settings: which one, and how it runs.
        store: models that were fetched.
        observer: told how it works, and of its tokens.

    Raises:
        InvalidInputError: the settings contradict each other.
        UnavailableError: the model has not been fetched; the message names the command.
        NotFoundError: no model has that name.
    """
    url = settings.base_url or os.environ.get("OPENAI_BASE_URL", "")
    key = settings.api_key.get_secret_value() or os.environ.get("OPENAI_API_KEY", "")
    if uses_endpoint(settings):
        from engine.llm.openai import OPENAI_URL, OpenAIModel

        if not url and not key:
            raise InvalidInputError(
                "The language model's backend is openai, but there is neither an api_key nor a "
                'base_url. Set one of them, or backend = "local".'
            )
        if url and "://" not in url:
            raise InvalidInputError(
                f"base_url must begin with http:// or https://, not {url[:60]!r}."
            )
        return OpenAIModel(
            base_url=url or OPENAI_URL,
            api_key=key,
            model=settings.model,
            timeout=settings.timeout,
            retries=settings.retries,
            context_tokens=settings.context_tokens,
            observer=observer,
        )

    from engine.llm.llamacpp import LlamaOptions
    from engine.llm.local import LocalModel

    options = LlamaOptions(
        context_tokens=settings.context_tokens,
        threads=settings.threads,
        parallel=settings.parallel,
        states=settings.prompts_folder.expanduser().absolute() if settings.prompts_mb else None,
    )
    states_bytes = settings.prompts_mb << 20
    if settings.model_file is not None:
        return LocalModel(
            settings.model_file, options=options, states_bytes=states_bytes, observer=observer
        )
    name = choose_local_model(store, wanted=settings.model or None)
    if not store.has(name):
        raise UnavailableError(
            f"The language model {name} is not on this machine yet. "
            f"Fetch it with: chatanything models pull {name}"
        )
    return LocalModel(store.path(name), name, options, states_bytes=states_bytes, observer=observer)


def uses_endpoint(settings: LanguageModelSettings) -> bool:
    """Whether these settings, with the environment, mean an endpoint and no model of our own."""
    if settings.backend != "auto":
        return settings.backend == "openai"
    if settings.model_file is not None:
        return False
    return bool(
        settings.base_url
        or settings.api_key.get_secret_value()
        or os.environ.get("OPENAI_BASE_URL")
        or os.environ.get("OPENAI_API_KEY")
    )


def choose_local_model(
    store: ModelFiles, memory_bytes: int | None = None, wanted: str | None = None
) -> str:
    """The catalogue name of the local model to use: the best that is here and fits in memory.

    Where none is here, the one that `best_local_model` would fetch.

    Args:
        store: tells which are here.
        memory_bytes: memory that may be used; measured when None.
        wanted: the name in the settings, if any: taken at its word.
    """
    if wanted:
        return wanted
    memory = available_memory() if memory_bytes is None else memory_bytes
    here = _fitting_here(store, memory)
    return here[0].name if here else best_local_model(store, memory)


def best_local_model(store: ModelFiles, memory_bytes: int | None = None) -> str:
    """The best local model for this machine, whether it has to be fetched first or not.

    Args:
        store: tells which are here.
        memory_bytes: memory that may be used; measured when None.
    """
    memory = available_memory() if memory_bytes is None else memory_bytes
    entries = [store.catalogue.get(name) for name in WORTH_FETCHING]
    roomy = [e for e in entries if memory >= ELBOW_ROOM * (e.minimum_memory or 0)] or entries[-1:]
    return max(_fitting_here(store, memory) + roomy, key=lambda entry: entry.rank).name


def _fitting_here(store: ModelFiles, memory: int) -> list[ModelEntry]:
    """The models that are here and fit, best first."""
    entries = store.catalogue.of(Purpose.LANGUAGE_MODEL)
    return [e for e in entries if memory >= (e.minimum_memory or 0) and store.has(e.name)]
