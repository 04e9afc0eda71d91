"""GalleryRepository: the rules that communities have set for their galleries."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import ValidationError
from sqlalchemy import delete, select, update

from personas.errors import UnavailableError
from personas.gallery import Policy, unique_slug
from storage import tables as t
from storage.collector import Collector
from storage.database import Database, insert_missing
from storage.outages import retried
from storage.personas import media_of_personas


class GalleryRepository:
    """Galleries by their id, such as `terminal` or `discord:42`."""

    def __init__(self, database: Database, collector: Collector) -> None:
        self._database = database
        self._collector = collector

    @retried
    async def list(self) -> list[str]:
        """The ids of all galleries that have had a persona or rules of their own."""
        async with self._database.reading() as connection:
            return list(await connection.scalars(select(t.gallery.c.id).order_by(t.gallery.c.id)))

    @retried
    async def policy(self, gallery: str) -> Policy:
        """What the community allows; the usual rules where it has set none."""
        async with self._database.reading() as connection:
            stored = await connection.scalar(
                select(t.gallery.c.policy).where(t.gallery.c.id == gallery)
            )
        try:
            return Policy.model_validate(stored or {})
        except ValidationError as error:
            raise UnavailableError("The rules of this gallery cannot be read.") from error

    @retried
    async def set_policy(self, gallery: str, policy: Policy) -> None:
        """Replaces the rules of a gallery."""
        body = policy.model_dump(mode="json", exclude_defaults=True)
        async with self._database.writing() as connection:
            row = {"id": gallery, "policy": body, "created_at": datetime.now(UTC)}
            if not await insert_missing(connection, t.gallery, row):
                await connection.execute(
                    update(t.gallery).where(t.gallery.c.id == gallery).values(policy=body)
                )

    @retried
    async def move(self, old: str, new: str) -> None:
        """Gives a gallery another id, as when a chat gets another number.

        Where both have personas, those of the old one join those of the new; the rules of the
        old one hold.
        """
        p, g = t.persona.c, t.gallery.c
        async with self._database.writing() as connection:
            u = t.unfinished
            await connection.execute(update(u).where(u.c.gallery == old).values(gallery=new))
            rules = await connection.scalar(select(g.policy).where(g.id == old))
            if rules is None:
                return
            row = {"id": new, "policy": rules, "created_at": datetime.now(UTC)}
            if not await insert_missing(connection, t.gallery, row):
                await connection.execute(update(t.gallery).where(g.id == new).values(policy=rules))
            taken = set(await connection.scalars(select(p.slug).where(p.gallery == new)))
            theirs = select(p.id, p.body).where(p.gallery == old).with_for_update()
            moving = await connection.execute(theirs)
            for persona_id, body in moving.all():
                slug = unique_slug(body["slug"], taken)
                taken.add(slug)
                body = {**body, "gallery": new, "slug": slug}
                values = {"gallery": new, "slug": slug, "body": body}
                await connection.execute(
                    update(t.persona).where(p.id == persona_id).values(**values)
                )
            await connection.execute(delete(t.gallery).where(g.id == old))

    @retried
    async def delete(self, gallery: str) -> None:
        """Deletes a gallery with its personas, their conversations and media."""
        async with self._database.writing() as connection:
            theirs = select(t.persona.c.id).where(t.persona.c.gallery == gallery)
            keys = await media_of_personas(connection, theirs)
            await connection.execute(delete(t.gallery).where(t.gallery.c.id == gallery))
        await self._collector.collect(keys)
