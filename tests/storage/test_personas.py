"""Personas: stored whole, found by what people call them, deleted with all that is theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from personas.errors import InvalidInputError, NotFoundError
from personas.persona import ArtCredit, Persona
from storage.conversations import Turn
from storage.media import key_of
from storage.settings import StorageSettings
from storage.store import Storage
from tests.storage.examples import add, build, put_and_build
from tests.storage.looking import files


async def test_a_persona_comes_back_as_it_was(storage: Storage) -> None:
    persona = await put_and_build(storage, "a", card={"data": {"name": "Ω", "n": 1.5}})
    assert await storage.personas.add(persona) == persona
    assert await storage.personas.by_id("a") == persona
    assert await storage.personas.get("terminal", "grumbel") == persona


async def test_slugs_are_unique_in_a_gallery_and_only_there(storage: Storage) -> None:
    slugs = [(await add(storage, id)).slug for id in "abc"]
    assert slugs == ["grumbel", "grumbel-2", "grumbel-3"]
    assert (await add(storage, "d", gallery="discord:1")).slug == "grumbel"


async def test_adding_the_same_id_again_gives_what_is_stored(storage: Storage) -> None:
    first = await add(storage, "a")
    again = await storage.personas.add(build("a", first.portrait.image, name="Somebody else"))
    assert again == first
    assert await storage.personas.count("terminal") == 1


async def test_many_tasks_adding_at_once(storage: Storage) -> None:
    added = await asyncio.gather(*(add(storage, f"p{n}") for n in range(12)))
    assert len({persona.slug for persona in added}) == 12


@pytest.mark.parametrize(
    "name", ["leuchtturm", "LEUCHTTURM", "id-1", "Ölmø von Brück", "ÖLMØ  VON brück", "ölm", "leu"]
)
async def test_found_by_slug_id_name_or_their_beginning(storage: Storage, name: str) -> None:
    await add(storage, "id-1", name="Ölmø von Brück", slug="leuchtturm")
    await add(storage, "id-2", name="Teapot", slug="teapot")
    assert (await storage.personas.get("terminal", name)).id == "id-1"


async def test_who_is_not_found_has_near_names_in_the_message(storage: Storage) -> None:
    with pytest.raises(NotFoundError, match="there is none yet"):
        await storage.personas.get("terminal", "x")
    await add(storage, "a", slug="lighthouse", name="Grumbel")
    with pytest.raises(NotFoundError, match="Did you mean lighthouse"):
        await storage.personas.get("terminal", "lihgthouse")
    with pytest.raises(NotFoundError, match="Did you mean lighthouse"):
        await storage.personas.get("terminal", "Grumble")
    with pytest.raises(NotFoundError, match="The list"):
        await storage.personas.get("terminal", "zzz%_")
    with pytest.raises(NotFoundError):
        await storage.personas.get("discord:1", "lighthouse")


async def test_who_is_not_to_be_seen_is_neither_found_nor_told_of(storage: Storage) -> None:
    await add(storage, "id-1", name="Luna", slug="luna", creator="ana")
    await add(storage, "id-2", name="Luna", slug="luna", creator="ben", adult=True)
    for name in ("luna", "Luna", "lun", "lighthouse"):
        find = partial(storage.personas.get, "terminal", name, loosely=True)
        assert (await find(creator="ben")).id == (await find(adult=True)).id == "id-2"
        assert (await find(creator="ana")).id == (await find(adult=False)).id == "id-1"
    without: list[dict[str, Any]] = [{"creator": "ana"}, {"adult": False}]
    for them in without:
        with pytest.raises(NotFoundError):
            await storage.personas.get("terminal", "luna-2", **them)
        with pytest.raises(NotFoundError, match=r"Did you mean luna\?"):
            await storage.personas.get("terminal", "lunaa", **them)


async def test_what_could_be_several_is_asked_back(storage: Storage) -> None:
    await add(storage, "a", slug="tea-cup", name="Anna")
    await add(storage, "b", slug="tea-pot", name="Anna")
    for name in ("tea", "anna"):
        with pytest.raises(InvalidInputError, match="tea-cup, tea-pot"):
            await storage.personas.get("terminal", name)
    with pytest.raises(InvalidInputError):
        await storage.personas.get("terminal", "  ")


async def test_listing_searching_and_paging(storage: Storage) -> None:
    for n in range(5):
        await add(storage, f"p{n}", name=f"Näme {n}", slug=f"s{n}", description="100% ÉCLAIR")
    await add(storage, "other", gallery="telegram:-5")
    ids = [p.id for p in await storage.personas.list("terminal", limit=3, offset=1)]
    assert ids == ["p1", "p2", "p3"]
    assert await storage.personas.count("terminal") == 5
    assert [p.id for p in await storage.personas.list("terminal", search="näME 3")] == ["p3"]
    assert await storage.personas.count("terminal", search="éclair 100%") == 5
    assert await storage.personas.count("terminal", search="100_") == 0
    assert await storage.personas.list("terminal", search="'; DROP TABLE persona; --") == []


async def test_a_persona_needs_its_media(storage: Storage) -> None:
    with pytest.raises(NotFoundError):
        await storage.personas.add(build("a", key_of(b"never put", ".png")))
    with pytest.raises(NotFoundError):
        await storage.personas.add(build("a", "../../etc/passwd"))
    assert await storage.personas.by_id("a") is None
    assert await storage.personas.count("terminal") == 0


async def test_a_change_renames_and_drops_media_no_longer_used(
    settings: StorageSettings, storage: Storage
) -> None:
    await add(storage, "other", slug="taken")
    old = await add(storage, "a")
    new = await put_and_build(storage, "a", seed=2, slug="taken", name="Newname")
    updated = await storage.personas.change("a", lambda _: new)
    assert updated.slug == "taken-2"
    assert await storage.personas.get("terminal", "newname") == updated
    assert not await storage.media.exists(old.portrait.image)
    assert await storage.media.exists(new.portrait.image)
    assert len(files(settings)) == 4
    with pytest.raises(NotFoundError):
        await storage.personas.change("nobody", lambda stored: stored)
    missing = build("a", key_of(b"never put", ".png"))
    with pytest.raises(NotFoundError):
        await storage.personas.change("a", lambda _: missing)
    assert await storage.personas.by_id("a") == updated


async def test_changes_at_the_same_time_all_stay(storage: Storage) -> None:
    await add(storage, "a")

    def credited(name: str) -> Callable[[Persona], Persona]:
        credit = ArtCredit(title=name, author="Somebody", licence="CC0")

        def how(stored: Persona) -> Persona:
            credits = (*stored.portrait.credits, credit)
            portrait = stored.portrait.model_copy(update={"credits": credits})
            return stored.model_copy(update={"portrait": portrait})

        return how

    await asyncio.gather(*(storage.personas.change("a", credited(f"{n}")) for n in range(8)))
    stored = await storage.personas.by_id("a")
    assert stored is not None and len(stored.portrait.credits) == 1 + 8


async def test_who_is_changed_is_found_where_they_have_moved(storage: Storage) -> None:
    persona = await add(storage, "a", gallery="telegram:-5")
    await storage.galleries.move("telegram:-5", "telegram:-1005")
    changed = await storage.personas.change(
        persona.id, lambda stored: stored.model_copy(update={"description": "another"})
    )
    assert (changed.gallery, changed.description) == ("telegram:-1005", "another")
    assert await storage.personas.list("telegram:-1005") == [changed]


async def test_deleting_takes_conversations_clips_and_media_along(
    settings: StorageSettings, storage: Storage
) -> None:
    persona = await add(storage, "a")
    conversation = await storage.conversations.open(persona, "here")
    clip = await storage.media.put(b"clip", ".mp4")
    await storage.conversations.append(conversation.id, Turn(role="persona", text="Hm.", clip=clip))
    with pytest.raises(NotFoundError):
        await storage.personas.delete("discord:1", "a")  # another gallery's moderators
    await storage.personas.delete("terminal", "a")
    assert files(settings) == set()
    assert await storage.conversations.history(conversation.id) == []
    with pytest.raises(NotFoundError):
        await storage.personas.delete("terminal", "a")
    with pytest.raises(NotFoundError):
        await storage.conversations.open(persona, "here")
    with pytest.raises(NotFoundError):
        await storage.conversations.append(conversation.id, Turn(role="user", text="Hello?"))


async def test_shared_media_stay_until_the_last_persona_goes(
    settings: StorageSettings, storage: Storage
) -> None:
    persona = await add(storage, "a")
    copy = build("b", persona.portrait.image, gallery="discord:1")
    await storage.personas.add(copy)
    await storage.personas.delete("terminal", "a")
    assert files(settings) == {persona.portrait.image}
    await storage.personas.delete("discord:1", "b")
    assert files(settings) == set()


@hypothesis_settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(name="a\0b \\u0000")
@given(name=st.text(min_size=1, max_size=60, alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_name_can_be_stored_and_found(settings: StorageSettings, name: str) -> None:
    async def check() -> None:
        async with await Storage.open(settings) as storage:
            image = await storage.media.put(b"picture", ".png")
            added = await storage.personas.add(build("n", image, name=name, slug="ünïque one"))
            try:
                assert added.slug == "unique-one"
                found = await storage.personas.get("terminal", "unique-one")
                # PostgreSQL knows no NUL, so nobody keeps it.
                assert found.personality.name == name.replace("\0", "\ufffd")
                if name.split():
                    assert (await storage.personas.get("terminal", name)).id == "n"
                await storage.personas.list("terminal", creator="42", search=name)
            finally:
                await storage.personas.delete("terminal", "n")

    asyncio.run(check())


async def test_words_of_what_it_is_find_it_where_that_is_wanted(storage: Storage) -> None:
    await add(storage, "a")
    assert (await storage.personas.get("terminal", "old lighthouse", loosely=True)).id == "a"
    with pytest.raises(NotFoundError):
        await storage.personas.get("terminal", "old lighthouse")
    with pytest.raises(NotFoundError):
        await storage.personas.get("terminal", "teapot", loosely=True)
