"""Purse: what a persona that is made, or that greets, may cost, and has cost."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from bot.chat.accounts import Accounts
from bot.chat.base import Person, Place
from bot.chat.budgets import Budgets
from bot.chat.quotas import Quotas
from bot.chat.rights import Rights
from engine.conversation import Mode
from engine.observing import Request


class Purse:
    """Asks first whether there is enough left, and writes down what was spent.

    Args:
        rights: know the rules of a community.
        quotas: how many may be made.
        budgets: what may be spent.
        accounts: what was.
    """

    def __init__(
        self, rights: Rights, quotas: Quotas, budgets: Budgets, accounts: Accounts
    ) -> None:
        self._rights = rights
        self._quotas = quotas
        self._budgets = budgets
        self._accounts = accounts

    @contextlib.asynccontextmanager
    async def creation(
        self, place: Place, person: Person, *, words: bool, settled: bool = False
    ) -> AsyncIterator[Request]:
        """A persona, or a portrait, is being made for as long as the context lasts.

        Args:
            place: for which community.
            person: for whom.
            words: the language model is asked for it.
            settled: another process has asked before whether there is enough left.

        Raises:
            QuotaError: not today; says until when.
        """
        async with self._accounts.serving("creation", place, person) as request:
            if not settled:
                left = await self._budgets.left(place, person, await self._rights.policy(place))
                left.require("portrait")
                if words:
                    left.require_words()
            yield request

    async def charge(self, place: Place, person: Person, work: str) -> None:
        """Counts a creation, once however often it is begun.

        Raises:
            QuotaError: no more today; says until when.
        """
        await self._quotas.charge(place, person, "creation", work)

    @contextlib.asynccontextmanager
    async def greeting(self, place: Place, person: Person, mode: Mode) -> AsyncIterator[Request]:
        """A persona says its greeting for as long as the context lasts.

        Raises:
            QuotaError: not today; says until when.
        """
        left = await self._budgets.left(place, person, await self._rights.policy(place))
        left.require("speech")
        if mode == "clip":
            left.require("clip")
        async with self._accounts.serving("greeting", place, person) as request:
            yield request
