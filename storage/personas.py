"""PersonaRepository: whole personas in, whole personas out."""

from __future__ import annotations

import builtins
import difflib
import logging
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, or_, select, union, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from personas.errors import InvalidInputError, NotFoundError, UnavailableError
from personas.gallery import unique_slug
from personas.persona import MediaKey, Persona
from storage import tables as t
from storage.claims import drop_claim
from storage.collector import Collector
from storage.database import Database, insert_missing
from storage.media import MediaStore
from storage.outages import retried
from storage.owners import Owners

log = logging.getLogger(__name__)

_LIKELY = 5  # how many near names an error message tells
_NEAREST_AMONG = 2_000  # names that are compared to find them
_GONE = "This persona does not exist any more."


class PersonaRepository:
    """The personas of all galleries."""

    def __init__(
        self, database: Database, media: MediaStore, collector: Collector, owners: Owners
    ) -> None:
        self._database = database
        self._media = media
        self._collector = collector
        self._owners = owners

    @retried
    async def add(self, persona: Persona) -> Persona:
        """Stores a persona, its media having been put before; both or nothing.

        Returns:
            The persona as stored: its slug is unique in the gallery (lighthouse, lighthouse-2).
            Adding the same id again returns what is stored.

        Raises:
            NotFoundError: one of its media is not there.
        """
        stored = await self.by_id(persona.id)
        if stored is not None:
            return stored
        keys = media_of(persona)
        await self._media.require(keys)
        async with self._database.writing() as connection:
            await _lock_gallery(connection, persona.gallery)
            body = await connection.scalar(
                select(t.persona.c.body).where(t.persona.c.id == persona.id)
            )
            if body is not None:
                return _read(body)
            slug = unique_slug(persona.slug, await _slugs(connection, persona.gallery))
            persona = persona.model_copy(update={"slug": slug})
            await connection.execute(insert(t.persona).values(**_row(persona)))
            await _refer(connection, persona.id, keys)
            await self._take_over(connection, keys)
        return persona

    @retried
    async def by_id(self, persona_id: str) -> Persona | None:
        """The persona with this id, in whatever gallery."""
        async with self._database.reading() as connection:
            body = await connection.scalar(
                select(t.persona.c.body).where(t.persona.c.id == persona_id)
            )
        return None if body is None else _read(body)

    @retried
    async def by_ids(self, persona_ids: Iterable[str]) -> dict[str, Persona]:
        """The personas with these ids, by id; one that is not there is left out."""
        wanted = t.persona.c.id.in_(list(persona_ids))
        async with self._database.reading() as connection:
            rows = await connection.execute(select(t.persona.c.id, t.persona.c.body).where(wanted))
            return {row.id: _read(row.body) for row in rows}

    @retried
    async def get(
        self,
        gallery: str,
        name: str,
        *,
        loosely: bool = False,
        creator: str | None = None,
        adult: bool | None = None,
    ) -> Persona:
        """The persona that people mean by `name`.

        Args:
            gallery: where to look.
            name: its slug, id or name, in any case, or the unique beginning of one.
            loosely: words that only one persona's kind, tagline or description has will do, too.
            creator: only those that this member made; others are not even told of.
            adult: only those that are, or are not, for adults; likewise.

        Raises:
            NotFoundError: there is none; the message tells the nearest.
            InvalidInputError: it could be several; the message tells which.
        """
        folded = fold(name)
        if not folded:
            raise InvalidInputError("Say which persona: give its name.")
        p = t.persona.c
        ways: tuple[ColumnElement[bool], ...] = (
            p.slug == folded,
            p.id == name.strip(),
            p.folded_name == folded,
            or_(
                p.slug.startswith(folded, autoescape=True),
                p.folded_name.startswith(folded, autoescape=True),
            ),
            *([and_(*_matching(gallery, name))] if loosely else []),
        )
        seen = _matching(gallery, "", creator, adult)
        async with self._database.reading() as connection:
            for way in ways:
                query = select(p.slug, p.body).where(*seen, way)
                found = (await connection.execute(query.order_by(p.slug).limit(_LIKELY))).all()
                if len(found) == 1:
                    return _read(found[0].body)
                if found:
                    slugs = ", ".join(row.slug for row in found)
                    raise InvalidInputError(f"{_quote(name)} could be: {slugs}. Say which.")
            names = select(p.slug, p.folded_name).where(*seen)
            rows = (await connection.execute(names.limit(_NEAREST_AMONG))).all()
        raise NotFoundError(_nobody(name, [(row.slug, row.folded_name) for row in rows]))

    @retried
    async def list(
        self,
        gallery: str,
        *,
        search: str = "",
        creator: str | None = None,
        adult: bool | None = None,
        limit: int = 100,
        offset: int = 0,
        newest_first: bool = False,
    ) -> list[Persona]:
        """The personas of a gallery, oldest first.

        Args:
            gallery: its id.
            search: words that name, kind, tagline or description must have, in any case.
            creator: only those that this member made.
            adult: only those that are, or are not, for adults.
            limit: how many at most.
            offset: how many to pass over.
            newest_first: in the other order.
        """
        p = t.persona.c
        query = select(p.id, p.body).where(*_matching(gallery, search, creator, adult))
        order = (p.created_at.desc(), p.id.desc()) if newest_first else (p.created_at, p.id)
        query = query.order_by(*order).limit(max(limit, 0)).offset(max(offset, 0))
        personas = []
        async with self._database.reading() as connection:
            for row in await connection.execute(query):
                try:
                    personas.append(_read(row.body))
                except UnavailableError:
                    log.exception("Persona %s cannot be read", row.id)
        return personas

    @retried
    async def count(
        self,
        gallery: str,
        *,
        search: str = "",
        creator: str | None = None,
        adult: bool | None = None,
    ) -> int:
        """How many personas `list` would give without limit."""
        query = select(func.count()).select_from(t.persona)
        query = query.where(*_matching(gallery, search, creator, adult))
        async with self._database.reading() as connection:
            return await connection.scalar(query) or 0

    @retried
    async def change(self, persona_id: str, how: Callable[[Persona], Persona]) -> Persona:
        """Changes a stored persona, wherever it lives by now; unused media are deleted.

        Args:
            persona_id: who.
            how: gives the changed persona of the stored one, with media that were put before. The
                last time it is asked, nobody else changes the persona until that is stored.

        Raises:
            NotFoundError: it is not stored, or one of its media is not there.
        """
        stored = await self.by_id(persona_id)
        if stored is None:
            raise NotFoundError(_GONE)
        await self._media.require(media_of(how(stored)))
        me = t.persona.c.id == persona_id
        async with self._database.writing() as connection:
            body = await connection.scalar(select(t.persona.c.body).where(me).with_for_update())
            if body is None:
                raise NotFoundError(_GONE)
            before = _read(body)
            persona = how(before)
            if persona.slug != before.slug:
                await _lock_gallery(connection, before.gallery)
                taken = await _slugs(connection, before.gallery)
                slug = unique_slug(persona.slug, taken - {before.slug})
                persona = persona.model_copy(update={"slug": slug})
            await connection.execute(update(t.persona).where(me).values(**_row(persona)))
            dropped = await self._refer_anew(connection, persona)
        await self._collector.collect(dropped)
        return persona

    @retried
    async def delete(self, gallery: str, persona_id: str) -> None:
        """Deletes a persona with its conversations and clips, and its media unless shared.

        Raises:
            NotFoundError: it is not in this gallery.
        """
        async with self._database.writing() as connection:
            mine = (t.persona.c.id == persona_id, t.persona.c.gallery == gallery)
            keys = await media_of_personas(connection, select(t.persona.c.id).where(*mine))
            result = await connection.execute(delete(t.persona).where(*mine))
            if not result.rowcount:
                raise NotFoundError(_GONE)
        await self._collector.collect(keys)

    async def _refer_anew(self, connection: AsyncConnection, persona: Persona) -> set[MediaKey]:
        """Refers to the media of a changed persona; those that it refers to no more."""
        keys, pm = media_of(persona), t.persona_medium
        mine = pm.c.persona == persona.id
        before = set(await connection.scalars(select(pm.c.medium).where(mine)))
        if added := keys - before:
            await _refer(connection, persona.id, added)
            await self._take_over(connection, added)
        if dropped := before - keys:
            await connection.execute(delete(pm).where(mine, pm.c.medium.in_(dropped)))
        return dropped

    async def _take_over(self, connection: AsyncConnection, keys: Iterable[MediaKey]) -> None:
        """The persona now refers to the media: the claims of who put them end."""
        for key in keys:
            await drop_claim(connection, key, self._owners.id)


def media_of(persona: Persona) -> set[MediaKey]:
    """All media that a persona refers to."""
    keys = {persona.portrait.image}
    if persona.portrait.layers is not None:
        keys |= {persona.portrait.layers.background, persona.portrait.layers.body}
    return keys


async def media_of_personas(
    connection: AsyncConnection, ids: Select[tuple[str]]
) -> builtins.list[MediaKey]:
    """All media of some personas and of their conversations."""
    theirs = select(t.persona_medium.c.medium).where(t.persona_medium.c.persona.in_(ids))
    clips = (
        select(t.turn.c.clip)
        .join(t.conversation, t.conversation.c.id == t.turn.c.conversation)
        .where(t.conversation.c.persona.in_(ids), t.turn.c.clip.is_not(None))
    )
    return list(await connection.scalars(union(theirs, clips)))


def fold(text: str) -> str:
    """Text as it is compared: case, width and accents' encoding do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _row(persona: Persona) -> dict[str, Any]:
    p = persona.personality
    return {
        "id": persona.id,
        "gallery": persona.gallery,
        "slug": persona.slug,
        "folded_name": fold(p.name),
        "folded_text": fold(f"{p.name} {persona.slug} {p.kind} {p.tagline} {persona.description}"),
        "body": persona.model_dump(mode="json"),
        "created_at": persona.created_at,
    }


def _read(body: Any) -> Persona:
    try:
        return Persona.model_validate(body)
    except ValidationError as error:
        raise UnavailableError(
            "This persona cannot be read; its stored data is damaged."
        ) from error


async def _lock_gallery(connection: AsyncConnection, gallery: str) -> None:
    """Makes the gallery if need be, and lets nobody else change its slugs before we commit."""
    ours = select(t.gallery.c.id).where(t.gallery.c.id == gallery).with_for_update()
    if await connection.scalar(ours) is None:
        row = {"id": gallery, "policy": {}, "created_at": datetime.now(UTC)}
        await insert_missing(connection, t.gallery, row)
        await connection.execute(ours)


async def _slugs(connection: AsyncConnection, gallery: str) -> set[str]:
    return set(
        await connection.scalars(select(t.persona.c.slug).where(t.persona.c.gallery == gallery))
    )


async def _refer(connection: AsyncConnection, persona_id: str, keys: set[MediaKey]) -> None:
    rows = [{"persona": persona_id, "medium": key} for key in sorted(keys)]
    try:
        await connection.execute(insert(t.persona_medium), rows)
    except IntegrityError as error:
        raise NotFoundError("The portrait of this persona is not kept any more.") from error


def _matching(
    gallery: str, search: str, creator: str | None = None, adult: bool | None = None
) -> builtins.list[ColumnElement[bool]]:
    words = [t.persona.c.folded_text.contains(w, autoescape=True) for w in fold(search).split()]
    made = [t.persona.c.body["creator"].as_string() == creator] if creator is not None else []
    is_adult = t.persona.c.body["adult"].as_boolean()
    # Personas that were stored before there was such a thing say nothing about it.
    for_adults = (
        [is_adult.is_(True) if adult else is_adult.is_not(True)] if adult is not None else []
    )
    return [t.persona.c.gallery == gallery, *words, *made, *for_adults]


def _quote(name: str) -> str:
    shown = " ".join(name.split())
    return f'"{shown[:60]}..."' if len(shown) > 60 else f'"{shown}"'


def _nobody(name: str, known: builtins.list[tuple[str, str]]) -> str:
    if not known:
        return f"There is no persona called {_quote(name)}; there is none yet. Create one."
    slug_of = {folded: slug for slug, folded in known} | {slug: slug for slug, _ in known}
    near = difflib.get_close_matches(fold(name)[:60], slug_of, n=3, cutoff=0.5)
    if not near:
        return f"There is no persona called {_quote(name)}. The list shows who is there."
    slugs = " or ".join(dict.fromkeys(slug_of[one] for one in near))
    return f"There is no persona called {_quote(name)}. Did you mean {slugs}?"
