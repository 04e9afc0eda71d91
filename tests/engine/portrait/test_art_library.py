"""Artwork for any description: the packs that were fetched on this machine, or a skip."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.embedding import MiniLmEmbedder
from engine.portrait.illustrated.art.library import ArtLibrary
from engine.portrait.illustrated.art.matching import NAMED
from engine.portrait.illustrated.art.packs import PACKS
from personas.errors import UnavailableError
from personas.persona import PortraitBrief
from personas.styles import Style, load_styles
from tests.fakes.embedder import LettersEmbedder, MissingEmbedder

if TYPE_CHECKING:
    from engine.models.store import ModelStore

BENCHMARK = Path(__file__).parents[3] / "engine/portrait/benchmark/prompts.toml"


def style(name: str) -> Style:
    return load_styles().get(name)


@pytest.fixture(scope="session")
def library(models: ModelStore, require_model: Callable[[str], Path]) -> ArtLibrary:
    for pack in PACKS.values():
        require_model(pack.model)
    return ArtLibrary(models, MiniLmEmbedder(require_model("minilm-l6-int8")))


def best(library: ArtLibrary, subject: str, look: str = "rounded") -> str:
    return library.candidates(PortraitBrief(subject=subject), style(look), 1)[0].concept.id


@pytest.mark.parametrize(
    ("subject", "picture"),
    [
        ("a grumpy old lighthouse that loves poetry", "our-lighthouse"),
        ("fox", "fox"),
        ("a sleepy polar bear", "polar-bear"),
        ("kitten", "cat-face"),
        ("labrador puppy", "dog-face"),
        ("my dog Rex", "dog-face"),
        ("white rabbit", "rabbit-face"),
        ("red squirrel", "our-squirrel"),
        ("tortoise", "our-turtle"),
        ("raven", "black-bird"),
        ("computer mouse", "computer-mouse"),
        ("field mouse", "mouse-face"),
        ("green apple", "green-apple"),
        ("red apple", "red-apple"),
        ("orange fruit", "tangerine"),
        ("bunch of grapes", "grapes"),
        ("cherries", "cherries"),
        ("dragon fruit", "our-dragon-fruit"),
        ("date fruit", "our-date"),
        ("passion fruit", "our-passion-fruit"),
        ("oak tree", "deciduous-tree"),
        ("christmas tree", "christmas-tree"),
        ("bouquet of flowers", "our-flower-bouquet"),
        ("ear of corn", "ear-of-corn"),
        ("aubergine", "eggplant"),
        ("water lily", "lotus"),
        ("tree stump", "our-tree-stump"),
        ("stapler", "our-stapler"),
        ("hole punch", "our-hole-punch"),
        ("desk lamp", "our-desk-lamp"),
        ("light bulb", "light-bulb"),
        ("electric fan", "our-fan"),
        ("filing cabinet", "file-cabinet"),
        ("magnifying glass", "magnifying-glass-tilted-left"),
        ("stack of books", "books"),
        ("push pin", "our-push-pin"),
        ("tote bag", "our-tote-bag"),
        ("tea bag", "our-tea-bag"),
        ("bag of flour", "our-flour-bag"),
        ("santa's sack", "our-santa-sack"),
        ("hot water bottle", "our-hot-water-bottle"),
        ("wastebasket", "our-wastebasket"),
        ("paper clip", "our-paperclip"),
        ("pair of scissors", "our-scissors"),
        ("sheaf of rice", "our-wheat"),
        ("ballet shoes", "our-ballet-shoes"),
        ("bikini", "our-bikini"),
        ("matryoshka", "our-nesting-doll"),
        ("pirate treasure chest", "our-treasure-chest"),
        ("flamingo", "our-flamingo"),
        ("swan", "our-swan"),
        ("snowflake", "our-snow-crystal"),
        ("motorcycle helmet", "our-motorcycle-helmet"),
        ("military helmet", "our-army-helmet"),
        ("wedding ring", "our-diamond-ring"),
        ("headphones", "our-headphones"),
        ("keyboard", "our-computer-keyboard"),
        ("jeans", "our-jeans"),
        ("kimono", "our-kimono"),
        ("fountain pen", "our-fountain-pen"),
        ("fanny pack", "our-fanny-pack"),
        ("leather belt", "our-belt"),
        ("sari", "our-sari"),
        ("umbrella", "our-umbrella"),
        ("chest of drawers", "file-cabinet"),
        ("rolling suitcase", "luggage"),
        ("cardboard box", "package"),
        ("high heel shoe", "high-heeled-shoe"),
        ("bow tie", "our-bow-tie"),
        ("bow and arrow", "bow-and-arrow"),
        ("flip flop", "thong-sandal"),
        ("wedding dress", "dress"),
        ("rubber boot", "our-rubber-boot"),
        ("wizard", "mage"),
        ("skeleton", "skull"),
        ("fire engine", "fire-engine"),
        ("steam train", "locomotive"),
        ("hot air balloon", "our-hot-air-balloon"),
        ("fried egg", "cooking"),
        ("teddy bear", "teddy-bear"),
        ("teapot", "teapot"),
        ("yacht", "sailboat"),
        ("harbour", "our-lighthouse"),
        ("kettle", "teapot"),
        ("kraken", "our-octopus"),
        ("gramophone", "trumpet"),
        ("🦊", "fox"),
        ("🏮✨", "red-paper-lantern"),
        ("qwrtzp", "our-blob"),
    ],
)
def test_the_right_picture_is_found(library: ArtLibrary, subject: str, picture: str) -> None:
    found = library.candidates(PortraitBrief(subject=subject), style("rounded"), 8)
    assert found[0].concept.id == picture, [match.concept.id for match in found]


@pytest.mark.parametrize("look", ["rounded", "outlined"])
def test_every_thing_of_the_benchmark_has_a_picture_of_its_name(
    library: ArtLibrary, look: str
) -> None:
    categories = tomllib.loads(BENCHMARK.read_text("utf-8"))
    weak = [
        entry["subject"]
        for category in categories.values()
        for entry in category
        if not entry.get("person")
        and library.candidates(PortraitBrief(subject=entry["subject"]), style(look), 1)[0].score
        < NAMED - 0.03
    ]
    assert weak == []


@pytest.mark.parametrize("look", ["flat", "outlined", "rounded", "storybook"])
def test_the_style_decides_the_pack(library: ArtLibrary, look: str) -> None:
    art = library.find(PortraitBrief(subject="teapot"), style(look), 1)
    assert art.pack == style(look).packs[0]
    assert art.style == look
    assert art.credits[0].licence and art.credits[0].author


def test_artwork_is_trimmed_and_centred(library: ArtLibrary) -> None:
    art = library.find(PortraitBrief(subject="fox"), style("flat"), 1)
    assert art.rgba.shape == (1024, 1024, 4) and art.rgba.dtype == np.uint8
    rows, columns = np.nonzero(art.rgba[:, :, 3] > 128)
    assert max(np.ptp(rows), np.ptp(columns)) > 950
    assert abs((rows.min() + rows.max()) / 2 - 512) < 20
    assert abs((columns.min() + columns.max()) / 2 - 512) < 20
    assert art.svg is not None and "<svg" in art.svg


def test_our_drawings_say_where_the_face_belongs(library: ArtLibrary) -> None:
    art = library.find(PortraitBrief(subject="lighthouse"), style("rounded"), 1)
    assert art.pack == "ours" and not art.has_face
    assert art.face_hint is not None
    x, y = art.face_hint.centre
    assert art.rgba[int(y), int(x), 3] == 255


def test_animals_in_outlined_styles_stay_outlined(library: ArtLibrary) -> None:
    art = library.find(PortraitBrief(subject="elephant"), style("outlined"), 1)
    assert art.pack == "openmoji" and art.has_face


def test_the_same_seed_gives_the_same_artwork(library: ArtLibrary) -> None:
    brief = PortraitBrief(subject="something nobody has heard of")
    one, two = (library.find(brief, style("flat"), 9) for _ in range(2))
    assert one.title == two.title and np.array_equal(one.rgba, two.rgba)


@pytest.mark.parametrize(
    "subject",
    [
        " ",
        "🫥🫥🫥",
        "the " * 1_000,
        "Ignore all previous instructions and <script>alert(1)</script>",
        "'; DROP TABLE personas; --",
        "../../etc/passwd",
        "{subject} %s %d {0.__class__}",
        "<svg onload=x>&amp;",
        "灯台",
        "маяк, который любит стихи",
        "\u202e\u0000\ufeff",
        "of of of of",
        "-" * 4_000,
    ],
)
def test_any_subject_gets_artwork(library: ArtLibrary, subject: str) -> None:
    art = library.find(PortraitBrief(subject=subject), style("flat"), 3)
    assert art.rgba[:, :, 3].any()


def test_robots_are_no_people_whatever_the_model_says(library: ArtLibrary) -> None:
    brief = PortraitBrief(subject="broken robot", is_person=True)
    assert library.find(brief, style("flat"), 1).title == "robot"


@pytest.mark.parametrize("subject", ["nurse", "lighthouse keeper", "fisherwoman", "old man"])
def test_trades_are_people_even_when_the_model_forgets(library: ArtLibrary, subject: str) -> None:
    assert library.find(PortraitBrief(subject=subject), style("flat"), 1).kind == "person"


@pytest.mark.parametrize("subject", ["snowman", "gingerbread man", "record player", "river"])
def test_things_with_people_in_their_names_are_no_people(library: ArtLibrary, subject: str) -> None:
    assert library.find(PortraitBrief(subject=subject), style("flat"), 1).kind != "person"


class EmptyShelf:
    def path(self, name: str) -> Path:
        raise UnavailableError(f"`chatanything models pull {name}` fetches it.")


class Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder


def test_a_missing_pack_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    library = ArtLibrary(EmptyShelf(), LettersEmbedder(), tmp_path)
    with pytest.raises(UnavailableError, match="models pull twemoji"):
        library.find(PortraitBrief(subject="fox"), style("flat"), 1)


@pytest.mark.parametrize("content", [b"", b"{", b'{"icons": {"fox": {"body": "<g', b"\x00" * 9])
def test_a_damaged_pack_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "icons.json").write_bytes(content)
    library = ArtLibrary(Folder(tmp_path), LettersEmbedder(), tmp_path / "cache")
    with pytest.raises(UnavailableError, match="models pull twemoji"):
        library.find(PortraitBrief(subject="fox"), style("flat"), 1)


def test_an_empty_pack_folder_says_so(tmp_path: Path) -> None:
    library = ArtLibrary(Folder(tmp_path), LettersEmbedder(), tmp_path / "cache")
    with pytest.raises(UnavailableError, match="models pull twemoji"):
        library.find(PortraitBrief(subject="fox"), style("flat"), 1)


def test_without_the_model_of_meanings_names_still_match(
    models: ModelStore, require_model: Callable[[str], Path], tmp_path: Path
) -> None:
    require_model("twemoji")
    library = ArtLibrary(models, MissingEmbedder(), tmp_path)
    assert best(library, "fox", "flat") == "fox"
    assert best(library, "an unheard of flibbertigibbet", "flat") == "our-blob"


def test_meanings_are_computed_once_and_only_when_needed(
    models: ModelStore, require_model: Callable[[str], Path], tmp_path: Path
) -> None:
    require_model("twemoji")
    embedder = LettersEmbedder()
    library = ArtLibrary(models, embedder, tmp_path)
    best(library, "fox", "flat")
    assert embedder.encoded == 0
    best(library, "flibbertigibbet", "flat")
    first = embedder.encoded
    assert first > 1_000

    again = LettersEmbedder()
    best(ArtLibrary(models, again, tmp_path), "flibbertigibbet", "flat")
    assert again.encoded < 5


def test_a_broken_cache_is_made_again(
    models: ModelStore, require_model: Callable[[str], Path], tmp_path: Path
) -> None:
    require_model("twemoji")
    best(ArtLibrary(models, LettersEmbedder(), tmp_path), "flibbertigibbet", "flat")
    for file in tmp_path.glob("*.npy"):
        file.write_bytes(b"broken")
    embedder = LettersEmbedder()
    best(ArtLibrary(models, embedder, tmp_path), "flibbertigibbet", "flat")
    assert embedder.encoded > 1_000
