"""Chooses who paints."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.portrait.base import PortraitGenerator
from engine.portrait.settings import PortraitSettings

if TYPE_CHECKING:
    from engine.embedding import Embedder
    from engine.models.store import ModelStore
    from engine.portrait.diffusion.generator import DiffusionGenerator
    from engine.portrait.diffusion.hub import HubStore
    from engine.portrait.gate import FaceGate
    from engine.portrait.images.generator import ImagesGenerator
    from engine.portrait.safety import ImageSafety
    from personas.recipes import Weights
    from personas.styles import Style, StyleCatalogue

EMBEDDING = "minilm-l6-int8"


def all_styles(settings: PortraitSettings) -> StyleCatalogue:
    """Every look there is, those of the settings included, whether it can be painted or not."""
    from personas.styles import load_styles

    return load_styles().extended(settings.own_styles())


def open_hub(settings: PortraitSettings, *, offline: bool = False) -> HubStore:
    """Where weights of looks are."""
    from engine.portrait.diffusion.hub import HubStore

    return HubStore(download=settings.diffusion.download, offline=offline)


def open_styles(settings: PortraitSettings, *, offline: bool = False) -> StyleCatalogue:
    """The looks that can be painted here; opens no model.

    Args:
        settings: who paints.
        offline: never use the network for weights.
    """
    styles = all_styles(settings)
    drawn = [style.name for style in styles.all() if style.recipe is None]
    painted: list[str] = []
    if uses_images(settings):
        painted = [style.name for style in styles.all() if style.recipe is not None]
    elif settings.generator != "illustrated":
        hub = open_hub(settings, offline=offline)
        for style in styles.all():
            if style.recipe is None:
                continue
            needed = style.recipe.weights(styles.family(style.recipe.family))
            if settings.diffusion.download or all(hub.has(weights) for weights in needed):
                painted.append(style.name)
        # Asked last, because finding a GPU takes seconds where there may be one.
        painted = painted if painted and uses_diffusion(settings) else []
    return styles.available([*painted, *drawn], painted)


def weights_of(settings: PortraitSettings, style: Style) -> list[Weights]:
    """All that a diffused look needs, its ControlNet included; nothing for one that is drawn."""
    if style.recipe is None:
        return []
    family = all_styles(settings).family(style.recipe.family)
    control = settings.diffusion.control.own() or family.control
    return [*style.recipe.weights(family), *([control] if control is not None else [])]


def uses_images(settings: PortraitSettings) -> bool:
    """Whether an endpoint paints."""
    return settings.generator == "images"


def uses_diffusion(settings: PortraitSettings) -> bool:
    """Whether diffusion models are run here, if there are weights."""
    from engine.portrait.diffusion.device import has_gpu, is_installed

    if settings.generator == "diffusion":
        return is_installed()
    wanted = settings.generator == "auto" and is_installed()
    return wanted and (settings.diffusion.on_cpu or has_gpu())


def open_portrait_generator(
    settings: PortraitSettings,
    store: ModelStore,
    *,
    needs_landmarks: bool = False,
    keep_faces: bool = False,
    offline: bool = False,
) -> PortraitGenerator:
    """The portrait generator that `settings` ask for; nothing is loaded before it is used.

    Args:
        settings: who paints.
        store: where models and art are.
        needs_landmarks: the talking head can only use faces that a detector finds.
        keep_faces: it moves the face of an uploaded photo as it is.
        offline: never use the network for weights.

    Raises:
        UnavailableError: the embedding model has not been fetched; the message names the command.
    """
    from engine.portrait.gate import FaceGate
    from engine.portrait.illustrated.art.library import ArtLibrary
    from engine.portrait.illustrated.generator import IllustratedGenerator
    from engine.portrait.landmarks.base import open_landmarkers, second_opinions
    from engine.portrait.mixture import PortraitMixture
    from engine.portrait.safety import open_safety

    styles = all_styles(settings)
    sentences = open_sentences(store)
    library = ArtLibrary(store, sentences)
    landmarkers = open_landmarkers() if settings.landmarks else ()
    drawn = IllustratedGenerator(library, styles, settings.size, landmarkers, keep_faces=keep_faces)
    if not uses_images(settings) and not uses_diffusion(settings):
        return drawn
    gate = FaceGate(open_landmarkers(), second_opinions(), strict=needs_landmarks)
    safety = open_safety() if settings.diffusion.safety else None
    painter: PortraitGenerator
    if uses_images(settings):
        painter = open_images(settings, styles, gate, safety)
    else:
        hub = open_hub(settings, offline=offline)
        painter = open_diffusion(settings, styles, hub, gate, safety, lambda: sentences)
    threshold = settings.diffusion.safety_threshold
    return PortraitMixture([painter, drawn], styles, safety, threshold)


def open_sentences(store: ModelStore) -> Embedder:
    """The model of what sentences mean; nothing is loaded before it is used.

    Raises:
        UnavailableError: it has not been fetched; the message names the command.
    """
    from engine.embedding import MiniLmEmbedder

    return MiniLmEmbedder(store.path(EMBEDDING))


def open_diffusion(
    settings: PortraitSettings,
    styles: StyleCatalogue,
    hub: HubStore,
    gate: FaceGate,
    safety: ImageSafety | None,
    sentences: Callable[[], Embedder] | None = None,
) -> DiffusionGenerator:
    """The generator that runs diffusion models; no model is loaded before it is used."""
    from engine.portrait.diffusion.generator import DiffusionGenerator
    from engine.portrait.diffusion.painter import Painter

    painter = Painter(styles, hub, settings.diffusion, sentences)
    return DiffusionGenerator(styles, hub, painter, gate, safety, settings.diffusion, settings.size)


def open_images(
    settings: PortraitSettings,
    styles: StyleCatalogue,
    gate: FaceGate,
    safety: ImageSafety | None,
) -> ImagesGenerator:
    """The generator that asks an endpoint for pictures."""
    from engine.portrait.images.client import ImagesClient
    from engine.portrait.images.generator import ImagesGenerator

    threshold = settings.diffusion.safety_threshold
    client = ImagesClient(settings.images)
    return ImagesGenerator(client, styles, gate, settings.images, settings.size, safety, threshold)
