"""Which scene stands behind a persona: one that suits who it is and lets it stand out."""

from __future__ import annotations

import random
import re

import cv2
import numpy as np

from engine.portrait.base import Image
from engine.portrait.illustrated.palette import Lab, chroma, hue, lab_image, lch, palette
from engine.portrait.illustrated.placement import body_box
from engine.portrait.illustrated.scenes import SCENES
from engine.portrait.illustrated.stage import Stage, Tones
from personas.persona import Mood, PortraitBrief

LEAST_CONTRAST = 24.0
"""CIELAB difference between a subject's edge and the scene right behind it."""

_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("underwater", ("fish", "whale", "shark", "octopus", "dolphin", "crab", "mermaid", "squid",
                    "jellyfish", "coral", "diver", "submarine", "shrimp", "lobster", "seahorse")),
    ("sea", ("ship", "boat", "tugboat", "lighthouse", "captain", "sailor", "anchor", "seagull",
             "surfer", "shell", "walrus", "island", "beach", "palm", "harbour", "pirate", "bikini",
             "swimsuit", "swimming", "flip", "turtle", "pelican", "flamingo")),
    ("snow", ("snow", "snowman", "snowflake", "penguin", "polar", "mitten", "winter", "santa",
              "christmas", "ski", "sled", "beanie", "reindeer", "ice")),
    ("desert", ("cactus", "camel", "desert", "tumbleweed", "cowboy", "saddlebag", "date",
                "pyramid", "scorpion", "aloe", "llama")),
    ("night", ("moon", "star", "ghost", "vampire", "zombie", "bat", "owl", "alien", "rocket",
               "night", "astronomer", "planet", "witch", "wizard", "monster", "ufo", "skeleton",
               "wolf", "comet", "telescope", "crystal", "sleeping", "pyjamas")),
    ("sky", ("cloud", "balloon", "pilot", "plane", "kite", "bird", "parrot", "angel", "eagle",
             "helicopter", "sun", "rainbow", "unicorn", "fairy", "swan")),
    ("forest", ("fox", "hedgehog", "squirrel", "mushroom", "bear", "deer", "lumberjack", "acorn",
                "pine", "fern", "goblin", "ogre", "moss", "mossy", "forest", "gorilla", "sloth",
                "chestnut", "raccoon", "koala", "panda", "stump", "bamboo")),
    ("meadow", ("cow", "horse", "sheep", "rabbit", "bee", "beekeeper", "butterfly", "ladybird",
                "flower", "sunflower", "daisy", "tulip", "farmer", "tractor", "snail", "pig",
                "tree", "rooster", "duckling", "frog", "picnic", "tent", "giraffe", "elephant",
                "lion", "kangaroo", "tortoise", "hiking", "rucksack", "dandelion", "clover")),
    ("rain", ("umbrella", "raincoat", "rubber", "puddle", "wellington", "rain")),
    ("dusk", ("detective", "taxi", "city", "castle", "house", "dragon", "car", "train", "bus",
              "motorbike", "leather", "volcano", "reporter", "superhero", "chimney")),
    ("curtain", ("singer", "comedian", "ballet", "opera", "actor", "tuxedo", "microphone",
                 "guitar", "piano", "drum", "magician", "clown", "violin", "musician", "cello",
                 "projector", "popcorn", "gown", "dancer", "accordion")),
    ("confetti", ("cake", "cupcake", "gift", "party", "doughnut", "candy", "ice cream", "bow tie",
                  "wedding", "present", "piñata", "crisps")),
    ("kitchen", ("chef", "baker", "pan", "egg", "bread", "cheese", "teapot", "kettle", "toaster",
                 "onion", "garlic", "carrot", "potato", "tomato", "apron", "burger", "hamburger",
                 "pizza", "mug", "teacup", "pepper", "cabbage", "broccoli", "corn", "lettuce",
                 "flour", "aubergine", "radish", "basil", "tea", "lunch", "spoon", "fork")),
    ("desk", ("stapler", "paperclip", "printer", "keyboard", "laptop", "folder", "office",
              "calculator", "clipboard", "notebook", "shredder", "computer", "fax", "telephone",
              "librarian", "teacher", "professor", "envelope", "books", "filing", "briefcase",
              "judge", "programmer", "student", "physicist", "pen", "pencil", "eraser", "ruler",
              "scissors", "lawyer", "stamp", "whiteboard", "calendar", "webcam", "hole", "glue")),
    ("room", ("lamp", "clock", "sofa", "chair", "grandmother", "grandfather", "cat", "slipper",
              "teddy", "sock", "sweater", "mouse", "hamster", "potted", "suitcase", "wardrobe",
              "cardigan", "bathrobe", "orchid", "bonsai", "globe", "basket", "puppy", "doll")),
    ("rays", ("crown", "king", "queen", "medal", "trophy", "champion", "mayor")),
)  # fmt: skip
"""Scenes, and the words in a brief that ask for them; the first that is asked for is taken."""

_MOODS: dict[Mood, tuple[str, ...]] = {
    Mood.CHEERFUL: ("bokeh", "confetti", "rays", "dots", "meadow"),
    Mood.CALM: ("glow", "sky", "bokeh", "room"),
    Mood.GRUMPY: ("glow", "stripes", "dusk", "rain"),
    Mood.SHY: ("glow", "dots", "bokeh", "room"),
    Mood.PROUD: ("rays", "curtain", "glow", "stripes"),
    Mood.SAD: ("rain", "glow", "night", "dusk"),
    Mood.MISCHIEVOUS: ("stripes", "night", "dots", "bokeh"),
    Mood.CURIOUS: ("dots", "glow", "sky", "stripes"),
}
_ANYWHERE = ("glow", "bokeh", "dots", "stripes", "rays")


def paint_scene(body: Image, brief: PortraitBrief, rendering: str, seed: int) -> Image:
    """[size, size, 3] RGB: the scene that the persona stands in, without the persona.

    Args:
        body: RGBA, how the subject stands in the portrait; its colours and edge decide.
        brief: words and mood choose the scene.
        rendering: flat and outlined art stands before crisp scenes, shaded art before soft ones.
        seed: decides the rest.
    """
    size = body.shape[0]
    chance = random.Random(f"scene {seed} {brief.subject}")
    tones = _tones(body, brief, chance)
    edge = _edge_colours(body)
    best: tuple[float, Image] | None = None
    for name in _wished(brief, chance):
        stage = Stage(size, chance.getrandbits(32))
        SCENES[name](stage, tones)
        stage.blur(0.009 if rendering == "shaded" else 0.002)
        image = stage.rgb()
        contrast = _contrast(edge, image)
        if contrast >= LEAST_CONTRAST:
            return image
        if best is None or contrast > best[0]:
            best = contrast, image
    assert best is not None  # there is always a wish
    return best[1]


def cast_shadow(background: Image, body: Image, grounded: bool) -> Image:
    """The scene with the shade that the subject throws: behind it, and on the ground."""
    size = background.shape[0]
    alpha = body[..., 3].astype(np.float32) / 255
    drop = np.array([[1, 0, 0], [0, 1, size * 0.012]], np.float32)
    shade = cv2.GaussianBlur(cv2.warpAffine(alpha, drop, (size, size)), (0, 0), size * 0.022) * 0.28
    if grounded:
        _, _, _, bottom = body_box(body[..., 3])
        foot = alpha[max(0, bottom - size // 14) : bottom].max(0)
        columns = np.flatnonzero(foot > 0.3)
        if len(columns):
            ground = np.zeros((size, size), np.float32)
            centre = (int(columns.mean()), min(bottom - size // 100, size - 1))
            axes = (max(4, int((columns[-1] - columns[0]) * 0.52)), max(3, size // 40))
            cv2.ellipse(ground, centre, axes, 0, 0, 360, 1.0, -1)
            shade = np.maximum(shade, cv2.GaussianBlur(ground, (0, 0), size * 0.013) * 0.42)
    dark = np.array([26, 18, 40], np.float32)
    mixed = background * (1 - shade[..., None]) + dark * shade[..., None]
    return np.asarray(mixed.round(), np.uint8)


def _wished(brief: PortraitBrief, chance: random.Random) -> list[str]:
    """Scenes from the most to the least wanted, each once."""
    words = set(re.findall(r"\w+", f"{brief.subject} {brief.details}".lower()))
    words |= {word.removesuffix("s") for word in words}
    asked = [scene for scene, keys in _WORDS if not words.isdisjoint(keys)][:2]
    moods = list(_MOODS[brief.mood])
    chance.shuffle(moods)
    return list(dict.fromkeys([*asked, *moods, *_ANYWHERE]))


def _tones(body: Image, brief: PortraitBrief, chance: random.Random) -> Tones:
    """Colours across the wheel from the subject's, and of the other lightness."""
    colours = palette(body)
    total = sum(share for _, share in colours) or 1.0
    lightness = sum(float(colour[0]) * share for colour, share in colours) / total
    strong = [
        (chroma(colour) * share, hue(colour)) for colour, share in colours if chroma(colour) > 12
    ]
    main = max(strong)[1] if strong else chance.uniform(0, 360)
    base_hue = (main + chance.choice((150, 180, 205))) % 360
    dark = lightness > 74
    strength = 10 if brief.mood is Mood.SAD else 16 if brief.mood is Mood.GRUMPY else 20
    base = lch(50 if dark else 84 if lightness < 60 else 80, strength, base_hue)
    accent = lch(62 if dark else 76, strength + 10, (base_hue + chance.choice((-45, 45, 60))) % 360)
    return Tones(base, accent, dark)


def _edge_colours(body: Image) -> tuple[np.ndarray, Lab]:
    """Where the subject's outline is, as a mask of the picture, and its colours there."""
    alpha = (body[..., 3] > 127).astype(np.uint8)
    width = max(2, body.shape[0] // 40)
    inner = cv2.erode(alpha, np.ones((width, width), np.uint8), borderValue=1)
    ring = (alpha - inner).astype(bool)
    return ring, lab_image(body)[ring]


def _contrast(edge: tuple[np.ndarray, Lab], image: Image) -> float:
    """How different the outline and the scene behind it look, at the quarter that differs least."""
    ring, colours = edge
    if not len(colours):
        return 100.0
    behind = lab_image(image)[ring]
    return float(np.quantile(np.linalg.norm(colours - behind, axis=1), 0.25))
