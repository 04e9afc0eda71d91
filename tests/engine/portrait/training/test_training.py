"""Training of the tiny painter: its pictures, its course, and a painter that paints at the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.embedding import Vectors
from engine.portrait.benchmark.landmarks import RESULTS
from engine.portrait.benchmark.prompts import load_prompts
from engine.portrait.diffusion.hub import HubStore
from engine.portrait.diffusion.painter import Painter
from engine.portrait.diffusion.settings import ControlSettings, DiffusionSettings
from engine.portrait.guidance.face import draw_reference
from engine.portrait.guidance.plan import ARMS, GuidanceSettings, Rung, plan_ladder
from engine.portrait.training.codec import CHANNELS, as_pixels, fit_codec, varied
from engine.portrait.training.course import Course
from engine.portrait.training.network import WORDS, Lessons, make_noises, prepare
from engine.portrait.training.painter import Schedule, measure, train
from engine.portrait.training.pictures import (
    FACE,
    SIZE,
    Collection,
    Picture,
    gather_art,
    gather_faces,
    on_paper,
)
from engine.portrait.training.probe import plain
from personas.errors import NotFoundError, UnavailableError
from personas.persona import PortraitBrief
from personas.recipes import Recipe, Weights
from personas.styles import Style, StyleCatalogue, load_styles
from tests.fakes.embedder import LettersEmbedder

NO_TIME = Schedule(network=0, control=0, probe=0, things=2, people=2)


class WideEmbedder(LettersEmbedder):
    """As wide as the embeddings that the painter listens to."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        rows = super().encode(texts)
        wide: Vectors = np.tile(rows, WORDS // rows.shape[1]) / (WORDS / rows.shape[1]) ** 0.5
        return wide


def picture(seed: int, *captions: str, landmarks: bool = False) -> Picture:
    chance = np.random.default_rng(seed)
    rgba = np.zeros((SIZE, SIZE, 4), np.uint8)
    rgba[32:96, 32:96] = (*chance.integers(0, 255, 3), 255)
    marks = np.zeros((SIZE, SIZE, 3), np.uint8)
    marks[40:50, 40:50] = (180, 200, 10)
    return Picture(rgba, captions, marks if landmarks else None)


def coloured(folder: Path) -> Path:
    """Pictures of colours in place of the packs' art."""
    Collection.write(folder / "art", [picture(n, f"colour {n}", "paint") for n in range(4)])
    faces = [
        picture(9, f"apple {FACE}", landmarks=True),
        picture(10, "young female, nurse", landmarks=True),
    ]
    Collection.write(folder / "faces", faces)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return coloured(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A painter of random weights, made by the whole training in no time."""
    folder = coloured(tmp_path_factory.mktemp("trained"))
    train(folder, WideEmbedder(), NO_TIME)
    return folder


class TestPictures:
    def test_a_collection_is_read_as_it_was_written(self, folder: Path) -> None:
        art, faces = Collection(folder / "art"), Collection(folder / "faces")
        assert len(art) == 4 and art.captions[2] == ["colour 2", "paint"]
        assert art.landmarks is None and faces.landmarks is not None
        assert (faces.rgba[0] == picture(9).rgba).all()

    def test_what_is_not_whole_is_made_again(self, tmp_path: Path) -> None:
        (tmp_path / "rgba.npy").write_bytes(b"half")
        assert not Collection.is_there(tmp_path)

    def test_a_picture_lies_on_its_ground(self) -> None:
        seen = on_paper(picture(1).rgba, (250, 240, 230), (10, 0))
        assert tuple(seen[0, 0]) == (250, 240, 230)
        assert (seen[64, 100] == picture(1).rgba[64, 90, :3]).all(), "moved to the right"

    def test_what_fills_its_picture_is_not_moved(self) -> None:
        rgba = np.full((SIZE, SIZE, 4), 255, np.uint8)
        rgba[:, :40, :3] = 0
        widths = {
            int((varied(rgba, np.random.default_rng(n))[5, :, 0] == 0).sum()) for n in range(9)
        }
        assert widths == {40}

    def test_art_and_portraits_of_this_machine(
        self, tmp_path: Path, require_model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from engine.portrait.illustrated.art import concepts

        for name in ("fluent-emoji", "noto-emoji", "minilm-l6-int8"):
            require_model(name)
        some = [one for one in concepts.load_concepts() if one.name in ("fox", "red apple")]
        with monkeypatch.context() as patch:
            patch.setattr(concepts, "load_concepts", lambda: tuple(some))
            art = gather_art(tmp_path / "art", workers=1)
        assert {captions[0] for captions in art.captions} == {"fox", "red apple"}
        assert len(art) == 4, "of two packs"
        assert all(0.05 < (one[..., 3] > 0).mean() < 0.75 for one in art.rgba)
        assert any(FACE in caption for caption in art.captions[0] + art.captions[2])

        faces = gather_faces(tmp_path / "faces", 1, 1, workers=1)
        assert len(faces) == 2 and faces.landmarks is not None
        assert FACE in faces.captions[0][0] and FACE not in faces.captions[1][0]
        assert all(marks.any() for marks in faces.landmarks)
        assert gather_faces(tmp_path / "faces", 9, 9, workers=1).captions == faces.captions, "kept"


class TestCourse:
    def line(self, folder: Path, minutes: float = 60) -> tuple[torch.nn.Linear, Course]:
        """A line that learns its height; each look at the clock takes a second."""
        torch.manual_seed(0)
        network = torch.nn.Linear(1, 1)
        clock = iter(range(10**6)).__next__
        course = Course("line", network, folder, minutes=minutes, rate=0.1, memory=0.9, clock=clock)
        return network, course

    def test_it_learns_and_ends(self, tmp_path: Path) -> None:
        network, course = self.line(tmp_path, minutes=5)
        course.run(lambda _: (network(torch.ones(1)) - 3).square().sum())
        assert course.is_over
        assert abs(float(network(torch.ones(1)).detach()) - 3) < 0.5

    def test_it_goes_on_where_it_was_stopped(self, tmp_path: Path) -> None:
        network, course = self.line(tmp_path)
        steps = 0

        def loss_of(_: np.random.Generator) -> torch.Tensor:
            nonlocal steps
            steps += 1
            if steps > 20:
                raise KeyboardInterrupt
            loss: torch.Tensor = (network(torch.ones(1)) - 3).square().sum()
            return loss

        with pytest.raises(KeyboardInterrupt):
            course.run(loss_of)
        learned = network.weight.detach().clone()
        again, _ = self.line(tmp_path)
        assert torch.equal(again.weight.detach(), learned)

    def test_a_loss_that_is_no_number_ends_it_and_spoils_nothing(self, tmp_path: Path) -> None:
        network, course = self.line(tmp_path)
        with pytest.raises(FloatingPointError, match="line"):
            course.run(lambda _: network(torch.ones(1)).sum() * float("nan"))
        assert not list(tmp_path.iterdir())


class TestCodec:
    def test_pictures_come_back_as_they_were(self, folder: Path) -> None:
        art = Collection(folder / "art")
        codec = fit_codec([art], folder)
        seen = as_pixels([varied(art.rgba[0], np.random.default_rng(3))])
        latents = codec.encode(seen).latents
        assert latents.shape == (1, CHANNELS, SIZE // 8, SIZE // 8)
        (back,) = codec.decode(latents)
        assert float((back - seen).square().mean()) < 1e-3

    def test_latents_have_variance_one(self, folder: Path) -> None:
        art, chance = Collection(folder / "art"), np.random.default_rng(4)
        codec = fit_codec([art], folder)
        seen = as_pixels([varied(art.rgba[n % 4], chance) for n in range(40)])
        assert 0.5 < float(codec.encode(seen).latents.var()) < 2

    def test_it_is_read_as_it_was_written(self, folder: Path) -> None:
        first, again = (fit_codec([Collection(folder / "art")], folder) for _ in range(2))
        assert torch.equal(first.into, again.into)


class TestLessons:
    def lessons(self, folder: Path) -> Lessons:
        faces = Collection(folder / "faces")
        assert faces.landmarks is not None
        shown = [(faces.rgba[at], faces.captions[at], faces.landmarks[at]) for at in range(2)]
        return prepare(shown, fit_codec([faces], folder), WideEmbedder())

    def test_landmarks_are_mirrored_with_their_picture(self, folder: Path) -> None:
        lessons = self.lessons(folder)
        assert lessons.landmarks is not None
        straight, mirrored = lessons.landmarks[0]
        assert tuple(straight[45, 45]) == (180, 200, 10)
        assert tuple(mirrored[45, SIZE - 1 - 45]) == (10, 200, 180), "left became right"

    def test_some_are_learned_without_their_caption(self, folder: Path) -> None:
        lessons = self.lessons(folder)
        _, words, _, _ = lessons.drawn(300, np.random.default_rng(0))
        untold = (words == lessons.words[0]).all(axis=1).mean()
        assert 0.04 < untold < 0.2
        assert float((words**2).mean()) == pytest.approx(1, abs=0.01)

    def test_the_noise_of_the_last_step_hides_everything(self) -> None:
        assert float(make_noises().alphas_cumprod[-1]) < 1e-4


@pytest.fixture
def look() -> Callable[[Path], StyleCatalogue]:
    def made(place: Path) -> StyleCatalogue:
        recipe = Recipe(
            checkpoint=Weights(repo=str(place)),
            prompt="{subject}",
            steps=2,
            guidance=3.0,
            resolution=SIZE,
        )
        style = Style(
            name="tiny",
            label="Tiny",
            description="Ours.",
            generator="diffusion",
            author="us",
            licence="MIT",
            recipe=recipe,
        )
        known = load_styles()
        return StyleCatalogue([style], [known.family("sd15")])

    return made


class TestPainter:
    def test_what_was_trained_paints_in_every_arm(
        self,
        trained: Path,
        look: Callable[[Path], StyleCatalogue],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # as in a process that has trained nothing
        monkeypatch.delitem(sys.modules, "engine.portrait.diffusion.patches")
        place = trained / "painter" / "pipeline"
        assert not list(place.rglob("*.bin")) and HubStore().has(Weights(repo=str(place)))
        control = ControlSettings(repo=str(place.parent / "controlnet"))
        settings = DiffusionSettings(device="cpu", memory_gb=1, control=control)
        styles = look(place)
        painter = Painter(styles, HubStore(), settings, WideEmbedder)
        brief = PortraitBrief(subject="red apple")
        face = draw_reference(brief, 1, SIZE)
        pictures = []
        for arm in ARMS:
            rung = plan_ladder(GuidanceSettings(), arm=arm)[0]
            shots = [painter.shot(styles.get("tiny"), brief, 1, face)]
            (one,) = painter.paint(styles.get("tiny"), shots, rung)
            (again,) = painter.paint(styles.get("tiny"), shots, rung)
            assert one.shape == (SIZE, SIZE, 3) and (one == again).all()
            pictures.append(one)
        assert not np.array_equal(pictures[0], pictures[1]), "the face was injected"

    def test_it_is_not_trained_twice(self, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = trained / "painter" / "pipeline"
        monkeypatch.setattr(Course, "_step", lambda *_: pytest.fail("trained again"))
        weights = first / "unet" / "diffusion_pytorch_model.fp16.safetensors"
        before = weights.read_bytes()
        assert train(trained, WideEmbedder(), NO_TIME) == first
        assert weights.read_bytes() == before

    def test_without_the_model_of_sentences_it_says_so(
        self, trained: Path, look: Callable[[Path], StyleCatalogue]
    ) -> None:
        styles = look(trained / "painter" / "pipeline")
        painter = Painter(styles, HubStore(), DiffusionSettings(device="cpu", memory_gb=1))
        brief = PortraitBrief(subject="red apple")
        shot = painter.shot(styles.get("tiny"), brief, 1, draw_reference(brief, 1, SIZE))
        rung = plan_ladder(GuidanceSettings(), arm="unguided")[0]
        with pytest.raises(UnavailableError, match="sentences"):
            painter.paint(styles.get("tiny"), [shot], rung)


def test_a_folder_that_is_no_pipeline_is_a_sentence(
    trained: Path, look: Callable[[Path], StyleCatalogue]
) -> None:
    styles = look(trained / "painter" / "pipeline" / "unet")
    painter = Painter(styles, HubStore(), DiffusionSettings(device="cpu", memory_gb=1))
    brief = PortraitBrief(subject="red apple")
    shot = painter.shot(styles.get("tiny"), brief, 1, draw_reference(brief, 1, SIZE))
    with pytest.raises(UnavailableError, match="cannot be read"):
        painter.paint(styles.get("tiny"), [shot], Rung())


class TestLikeness:
    def test_a_table_of_each_arm_beside_the_art(self, trained: Path, tmp_path: Path) -> None:
        from PIL import Image as Pictures

        run = tmp_path / "landmarks"
        lines = [json.dumps({"plan": {}})]
        for arm in ("unguided", "both"):
            (run / arm).mkdir(parents=True)
            for number, prompt in enumerate(load_prompts()[:3]):
                name = f"{arm}/{number}.webp"
                Pictures.new("RGB", (64, 64), (90 * number, 80, 40)).save(run / name)
                lines.append(json.dumps({"arm": arm, "text": prompt.text, "picture": name}))
        (run / RESULTS).write_text("\n".join(lines) + "\n", "utf-8")
        table = measure(trained, WideEmbedder(), run)
        assert [line.split("|")[1].strip() for line in table.splitlines()[2:]] == [
            "unguided",
            "both",
            "art",
        ]
        assert (run / "likeness.md").read_text("utf-8") == table

    def test_what_was_not_trained_measures_nothing(self, folder: Path) -> None:
        with pytest.raises(NotFoundError, match="trained probe"):
            measure(folder, WideEmbedder(), folder)

    def test_a_folder_that_is_no_run_is_told(self, trained: Path, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError, match=RESULTS):
            measure(trained, WideEmbedder(), tmp_path)

    def test_a_caption_is_read_without_the_face_that_was_asked_for(self) -> None:
        assert plain(f"red apple {FACE}") == "red apple"
