"""The original program, run from a checkout of it, to measure ours against.

Nothing of it is copied: its own networks, its own loop over the frames and its own pasting are
imported from where the user has put them. Its package is called `src` and it writes films into
the current folder, so it works in a process and a folder of its own:
`python -m engine.talkinghead.sadtalker.original FOLDER`.

What is measured goes from mel windows to a film of whole pictures. Left out, all in its favour:
loading; finding and fitting the face, which it does again for every clip; cutting the sound into
windows; and ffmpeg, which it runs twice to put sound and film together.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from engine.portrait.base import Image
from engine.talkinghead.sadtalker.audio import FPS
from engine.talkinghead.sadtalker.coefficients import (
    DRIVING,
    SOURCE,
    driving_windows,
    source_window,
)
from engine.talkinghead.sadtalker.random_weights import random_state
from personas.errors import InvalidInputError, UnavailableError

BATCH: Final = 2
"""Frames at once, as it does unless it is told otherwise."""

_MARK: Final = Path("src/facerender/modules/make_animation.py")
_CONFIG: Final = Path("src/config")
_COMPARED: Final = 4
"""Frames of which it says what they looked like."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Take:
    """What it is given: one clip of one portrait.

    Attributes:
        portrait: [size, size, 3] RGB.
        box: left, top, right, bottom of the face in it.
        face: [resolution, resolution, 3] RGB, the face as it was cut out.
        windows: [frames, 80, 16], what is heard.
        blinks: [frames].
        source: [73], coefficients of the portrait.
        driving: [frames, 70 or 73], coefficients of each frame.
    """

    portrait: Image
    box: tuple[int, int, int, int]
    face: Image
    windows: Floats
    blinks: Floats
    source: Floats
    driving: Floats


@dataclass(frozen=True)
class Took:
    """How long it took, in seconds.

    Attributes:
        listening: windows to expressions and poses.
        rendering: coefficients to faces, on the host.
        pasting: faces to a film of whole pictures.
        memory_mb: of the GPU at its most; None where there is none.
        faces: [up to 4, 3, resolution, resolution], the first ones, 0 to 1.
    """

    listening: float
    rendering: float
    pasting: float
    memory_mb: float | None
    faces: Floats

    @property
    def total(self) -> float:
        """From what is heard to the film; before, no frame of it can be had."""
        return self.listening + self.rendering + self.pasting


def check(checkout: Path) -> None:
    """Refuse what is no checkout of the original program.

    Raises:
        InvalidInputError: it is none.
    """
    if not (checkout / _MARK).is_file():
        raise InvalidInputError(
            f"In {checkout} there is no SadTalker: {_MARK} is missing. Get it with "
            "git clone https://github.com/OpenTalker/SadTalker"
        )


def measure(checkout: Path, takes: Sequence[Take], device: torch.device) -> list[Took]:
    """Has the original program make clips with random weights, the same ones that ours has.

    Args:
        checkout: of https://github.com/OpenTalker/SadTalker.
        takes: the clips.
        device: where; as many threads of a CPU as this process uses.

    Raises:
        InvalidInputError: it is no checkout.
        UnavailableError: it did not run.
    """
    check(checkout)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = {
            "checkout": str(checkout.resolve()),
            "device": str(device),
            "threads": torch.get_num_threads(),
            "boxes": [take.box for take in takes],
        }
        (folder / "job.json").write_text(json.dumps(job))
        for index, take in enumerate(takes):
            arrays = {key: value for key, value in vars(take).items() if key != "box"}
            np.savez(folder / f"take{index}.npz", **arrays)
        command = [sys.executable, "-m", __name__, str(folder)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            why = lines[-1][:300] if lines else f"exit status {done.returncode}"
            raise UnavailableError(f"The original program did not run: {why}")
        figures = json.loads((folder / "done.json").read_text())
        return [
            Took(**took, faces=np.load(folder / f"faces{index}.npy"))
            for index, took in enumerate(figures)
        ]


def _main(folder: Path) -> None:
    """The other process: reads the job, writes what it took."""
    job = json.loads((folder / "job.json").read_text())
    torch.set_num_threads(job["threads"])
    device = torch.device(job["device"])
    takes = []
    for index, box in enumerate(job["boxes"]):
        with np.load(folder / f"take{index}.npz", allow_pickle=False) as arrays:
            takes.append(Take(**arrays, box=tuple(box)))
    original = _Original(Path(job["checkout"]), device, takes[0].driving.shape[1])
    if device.type == "cuda":
        # What is loaded and tuned on the way belongs to no clip.
        original.take(takes[0])
    figures = []
    for index, take in enumerate(takes):
        took = asdict(original.take(take))
        np.save(folder / f"faces{index}.npy", took.pop("faces"))
        figures.append(took)
    (folder / "done.json").write_text(json.dumps(figures))


class _Original:
    """Its networks and functions, from its own files."""

    def __init__(self, checkout: Path, device: torch.device, coefficients: int) -> None:
        import importlib

        sys.path.insert(0, str(checkout))

        def found(module: str, name: str) -> Any:
            return getattr(importlib.import_module(f"src.{module}"), name)

        self._device = device
        still = "facerender.yaml" if coefficients == DRIVING else "facerender_still.yaml"
        sizes = _yaml(checkout / _CONFIG / still)["model_params"]
        common = sizes["common_params"]

        def made(network: str, module: str, name: str, params: str, **more: Any) -> Any:
            kind = found(f"facerender.modules.{module}", name)
            return self._ready(network, kind(**sizes[params], **more))

        self._generator = made(
            "generator", "generator", "OcclusionAwareSPADEGenerator", "generator_params", **common
        )
        self._keypoints = made(
            "kp_extractor", "keypoint_detector", "KPDetector", "kp_detector_params", **common
        )
        mapping = "mapping_crop" if coefficients == DRIVING else "mapping_full"
        self._mapping = made(mapping, "mapping", "MappingNet", "mapping_params")
        poses = _named(_yaml(checkout / _CONFIG / "auido2pose.yaml"))
        expressions = _named(_yaml(checkout / _CONFIG / "auido2exp.yaml"))
        pose = found("audio2pose_models.audio2pose", "Audio2Pose")(poses, None, device=device)
        self._pose: Any = self._ready("audio2pose", pose)
        wrapper = found("audio2exp_models.networks", "SimpleWrapperV2")()
        self._expression: Any = found("audio2exp_models.audio2exp", "Audio2Exp")(
            self._ready("audio2exp", wrapper), expressions, device=device
        )
        self._animate = found("facerender.modules.make_animation", "make_animation")
        pasting = importlib.import_module("src.utils.paste_pic")
        # Its sound is put in by ffmpeg, which is left out.
        pasting.save_video_with_watermark = lambda *_, **__: None  # type: ignore[attr-defined]
        self._paste = pasting.paste_pic

    def take(self, take: Take) -> Took:
        """One clip, as its inference.py makes it."""
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        with torch.no_grad():
            listening, _ = self._timed(lambda: self._listen(take))
            rendering, faces = self._timed(lambda: self._render(take))
            pasting, _ = self._timed(lambda: self._film(take, faces))
        memory = None
        if self._device.type == "cuda":
            memory = round(torch.cuda.max_memory_allocated(self._device) / 2**20, 1)
        return Took(listening, rendering, pasting, memory, faces[:_COMPARED])

    def _listen(self, take: Take) -> None:
        frames = len(take.windows)
        heard = {
            "indiv_mels": torch.from_numpy(take.windows)[None, :, None].to(self._device),
            "ref": torch.from_numpy(take.source[:DRIVING]).expand(1, frames, -1).to(self._device),
            "ratio_gt": torch.from_numpy(take.blinks)[None, :, None].to(self._device),
            "num_frames": frames,
            "class": torch.tensor([0], device=self._device),
        }
        self._expression.test(heard)["exp_coeff_pred"].cpu()
        self._pose.test(heard)["pose_pred"].cpu()

    def _render(self, take: Take) -> Floats:
        driving = torch.from_numpy(take.driving)
        frames = len(driving)
        padded = -(-frames // BATCH) * BATCH
        order = torch.arange(padded).clamp(max=frames - 1)
        windows = driving_windows(driving, 0, frames)[order]
        face = torch.from_numpy(take.face).permute(2, 0, 1)[None].float() / 255
        placed = driving.shape[1] == SOURCE
        own = source_window(torch.from_numpy(take.source), with_place=placed)[None]
        film = self._animate(
            face.repeat(BATCH, 1, 1, 1).to(self._device),
            own.repeat(BATCH, 1, 1).to(self._device),
            windows.reshape(BATCH, -1, *windows.shape[1:]).to(self._device),
            self._generator,
            self._keypoints,
            None,
            self._mapping,
            use_exp=True,
        )
        faces: Floats = film.flatten(0, 1)[:frames].cpu().numpy()
        return faces

    def _film(self, take: Take, faces: Floats) -> None:
        import cv2

        side = faces.shape[-1]
        coder = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter("faces.mp4", coder, float(FPS), (side, side))
        for face in np.rint(faces.transpose(0, 2, 3, 1) * 255).astype(np.uint8):
            writer.write(np.ascontiguousarray(face[..., ::-1]))
        writer.release()
        cv2.imwrite("portrait.png", np.ascontiguousarray(take.portrait[..., ::-1]))
        left, top, right, bottom = take.box
        size = len(take.portrait)
        crop = ((size, size), (left, top, right, bottom), (0, 0, right - left, bottom - top))
        self._paste("faces.mp4", "portrait.png", crop, "", "whole.mp4")

    def _ready(self, network: str, module: Any) -> Any:
        module.load_state_dict(random_state(network, module), strict=True)
        return module.requires_grad_(False).eval().to(self._device)

    def _timed(self, work: Any) -> tuple[float, Any]:
        start = time.perf_counter()
        result = work()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return round(time.perf_counter() - start, 4), result


def _yaml(path: Path) -> Any:
    import yaml  # type: ignore[import-untyped]

    return yaml.safe_load(path.read_text())


def _named(tree: Any) -> Any:
    """A tree of dicts, as one of attributes."""
    if not isinstance(tree, dict):
        return tree
    return SimpleNamespace(**{key: _named(value) for key, value in tree.items()})


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
