"""Personas to store, with some kilobytes for a picture."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from personas.persona import (
    ArtCredit,
    Exchange,
    FaceGeometry,
    FaceLook,
    Layers,
    MediaKey,
    Persona,
    Personality,
    Portrait,
    Voice,
)
from storage.store import Storage


def geometry() -> FaceGeometry:
    return FaceGeometry(
        source="drawn",
        left_eye=(200.0, 220.0),
        right_eye=(312.0, 220.0),
        eye_radius=26.0,
        nose=(256.0, 262.0),
        mouth=(256.0, 320.5),
        mouth_width=90.0,
        centre=(256.0, 270.0),
        width=240.0,
        height=280.0,
        roll=0.1,
    )


def build(
    id: str,
    image: MediaKey,
    *,
    layers: Layers | None = None,
    name: str = "Grumbel",
    slug: str = "grumbel",
    gallery: str = "terminal",
    **more: Any,
) -> Persona:
    """A persona whose media have been put."""
    values = {
        "id": id,
        "slug": slug,
        "gallery": gallery,
        "creator": "42",
        "description": "a grumpy old lighthouse that loves poetry",
        "personality": Personality(
            name=name,
            kind="lighthouse",
            tagline="Shines, complains, rhymes.",
            character=f"You are {name}, an old lighthouse. {name} loves poetry.",
            speaking_style="Short, salty sentences.",
            greeting=f"What now? I am {name}.",
            examples=(Exchange(user="Hi!", reply=f"{name} is busy."),),
            mood="grumpy",
            age="old",
        ),
        "portrait": Portrait(
            image=image,
            size=(512, 512),
            generator="illustrated 1",
            style="flat",
            seed=7,
            geometry=geometry(),
            look=FaceLook(blush="#ff8080"),
            layers=layers,
            credits=(ArtCredit(title="Lighthouse", author="Somebody", licence="CC BY 4.0"),),
        ),
        "voice": Voice(engine="hibari", preset="old-man", pitch=0.8),
        "seed": 7,
        "model": "scripted",
        "created_at": datetime(2026, 5, 1, 12, tzinfo=UTC),
    }
    return Persona.model_validate({**values, **more})


async def put_and_build(storage: Storage, id: str, seed: int = 0, **more: Any) -> Persona:
    """A persona with a picture and layers of its own, put but not added."""
    noise = random.Random(f"{id} {seed}")
    image, layer = [
        await storage.media.put(noise.randbytes(noise.randrange(2_000, 9_000)), ".png")
        for _ in range(2)
    ]
    return build(id, image, layers=Layers(background=layer, body=layer), **more)


async def add(storage: Storage, id: str, **more: Any) -> Persona:
    """A stored persona."""
    return await storage.personas.add(await put_and_build(storage, id, **more))
