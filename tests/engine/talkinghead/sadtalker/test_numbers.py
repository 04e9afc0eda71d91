"""The numbers around SadTalker's networks are those of the original program."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.speech.base import Speech
from engine.talkinghead.sadtalker import alignment, audio, blinks, coefficients, facecrop
from engine.talkinghead.sadtalker.facepoints import crop_points, crop_points_of_68, five_of_68
from engine.talkinghead.sadtalker.smoothing import smooth
from engine.talkinghead.sadtalker.source import in_face
from tests.engine.talkinghead.sadtalker.golden import Golden, assert_near


@pytest.fixture(scope="module")
def wave(golden: Golden) -> np.ndarray:
    return golden["audio/wave_i16"].astype(np.float32) / 32768


class TestAudio:
    def test_the_mel_basis(self, golden: Golden) -> None:
        assert_near(audio.mel_basis(), golden["audio/mel_basis"], 1e-6, 1e-8)

    def test_the_spectrogram(self, golden: Golden, wave: np.ndarray) -> None:
        assert_near(audio.mel_spectrogram(wave), golden["audio/mel"])

    def test_the_windows_of_each_frame(self, golden: Golden, wave: np.ndarray) -> None:
        assert_near(audio.hear(wave, 30)[None, :, None], golden["audio/windows_a"])
        assert_near(audio.hear(wave[:8480], 13)[None, :, None], golden["audio/windows_b"])

    def test_how_many_frames_a_sound_has(self, golden: Golden) -> None:
        for samples, used, frames in golden["audio/lengths"].tolist():
            assert audio.frames_of(samples) == frames
            assert frames * audio.RATE // audio.FPS == used

    def test_silence_is_the_lowest_there_is(self) -> None:
        assert np.all(audio.hear(np.zeros(0, np.float32), 3) == -4)

    @pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 48_000])
    def test_any_sample_rate_keeps_pitch_and_length(self, rate: int) -> None:
        time = np.arange(rate) / rate
        tone = Speech(np.sin(2 * np.pi * 1000 * time).astype(np.float32), rate, (), (), "")
        samples = audio.resample(tone)
        assert len(samples) == audio.RATE
        assert abs(int(np.abs(np.fft.rfft(samples)).argmax()) - 1000) <= 1

    def test_a_long_speech_in_pieces_is_the_same_as_in_one(self) -> None:
        noise = np.random.default_rng(0).uniform(-1, 1, audio.RATE * 60).astype(np.float32)
        whole = audio.mel_spectrogram(noise)
        part = audio.mel_spectrogram(noise[200 * 4000 :])
        assert_near(whole[:, 4010:4400], part[:, 10:400], 1e-5, 1e-6)


class TestBlinks:
    @pytest.mark.parametrize("frames", [15, 20, 22, 40, 75, 200, 400])
    def test_they_are_where_the_original_puts_them(self, golden: Golden, frames: int) -> None:
        draws = iter(golden[f"blink/n{frames}_draws"].tolist())

        def choose(first: int, end: int) -> int:
            draw = next(draws)
            assert first <= draw < end
            return int(draw)

        ratios = blinks.blink_ratios(frames, choose)
        assert_near(ratios, golden[f"blink/n{frames}_ratio"], 1e-6, 1e-6)
        assert next(draws, None) is None

    @pytest.mark.parametrize("frames", range(60))
    def test_every_length_can_be_drawn(self, frames: int) -> None:
        ratios = blinks.blink_ratios(frames, blinks.seeded(frames))
        assert len(ratios) == frames
        assert not ratios[-1:].any()

    def test_the_same_seed_blinks_the_same(self) -> None:
        first, again, other = (blinks.blink_ratios(300, blinks.seeded(seed)) for seed in (4, 4, 5))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)


class TestSmoothing:
    @pytest.mark.parametrize("frames", [3, 8, 12, 13, 40])
    def test_it_is_the_same_filter(self, golden: Golden, frames: int) -> None:
        smoothed = smooth(torch.from_numpy(golden[f"savgol/in_T{frames}"][0]))
        assert_near(smoothed, golden[f"savgol/out_T{frames}"][0])

    @pytest.mark.parametrize("frames", [0, 1, 2])
    def test_what_is_too_short_for_it_stays(self, frames: int) -> None:
        track = torch.ones(frames, 6) * torch.arange(frames)[:, None]
        assert torch.equal(smooth(track), track)


class TestCoefficients:
    @pytest.mark.parametrize(
        ("name", "place", "still", "scale"),
        [
            ("crop", False, False, 1.0),
            ("full", True, False, 1.0),
            ("full_still", True, True, 1.0),
            ("crop_still_scale", False, True, 1.5),
        ],
    )
    def test_the_windows(
        self, golden: Golden, name: str, place: bool, still: bool, scale: float
    ) -> None:
        coeff = torch.from_numpy(golden["render/coeff"])
        source = torch.from_numpy(golden["render/source_coeff"][0])
        window = coefficients.source_window(source, with_place=place)
        assert_near(window[None], golden[f"render/{name}_source_semantics"], 0, 0)
        driving = coefficients.driving_coefficients(
            coeff, source, expression_scale=scale, with_place=place, still=still
        )
        windows = coefficients.driving_windows(driving, 0, len(coeff))
        # The original lays frames out in two rows and repeats the last to fill them.
        wanted = golden[f"render/{name}_target_semantics"].reshape(-1, *windows.shape[1:])
        assert_near(windows, wanted[: len(coeff)], 0, 0)

    def test_windows_can_be_made_a_part_at_a_time(self, golden: Golden) -> None:
        coeff = torch.from_numpy(golden["render/coeff"])
        whole = coefficients.driving_windows(coeff, 0, 7)
        assert torch.equal(coefficients.driving_windows(coeff, 3, 6), whole[3:6])

    def test_the_source_is_put_together(self, golden: Golden) -> None:
        source = golden["extract/coeff73"][0]
        reconstructed = torch.from_numpy(golden["extract/coeff257"][0])
        found = coefficients.source_coefficients(reconstructed, source[70:].tolist())
        assert_near(found, source, 0, 0)
        assert_near(
            coefficients.source_coefficients(
                torch.from_numpy(golden["recon/coeff"][0]), (0.0, 0.0, 0.0)
            )[:70],
            golden["recon/coeff70"][0], 0, 0,
        )  # fmt: skip

    def test_the_camera_goes_from_angle_to_angle(self, golden: Golden) -> None:
        one = golden["render/camera_yaw1"].reshape(-1)
        assert_near(coefficients.camera_track([30], 5), one[:5], 0, 0)
        several = golden["render/camera_yaw2"].reshape(-1)
        assert_near(coefficients.camera_track([-20, 30, 10], 10), several, 1e-9, 1e-9)

    def test_a_camera_that_stays_or_has_one_frame(self) -> None:
        assert coefficients.camera_track([5, 5], 4).tolist() == [5, 5, 5, 5]
        assert coefficients.camera_track([5, 9], 1).tolist() == [5]


class TestAlignment:
    def test_five_points_of_68(self, golden: Golden) -> None:
        template = golden["align/template68"].astype(np.float64)
        assert_near(five_of_68(template), alignment.TEMPLATE, 1e-6, 1e-6)
        assert_near(golden["align/template5"], alignment.TEMPLATE, 0, 0)
        assert_near(five_of_68(golden["align/68_lm"]), golden["align/68_lm5"], 0, 0)

    @pytest.mark.parametrize("case", ["five", "68", "fallback"])
    def test_where_the_face_is_cut(self, golden: Golden, case: str) -> None:
        points = golden[f"align/{case}_lm"].astype(np.float64)
        if case != "fallback":
            image_points = golden[f"align/{case}_lm_image"]
            assert_near(alignment.upward(image_points, 256), points, 0, 0)
        five = points if len(points) == 5 else five_of_68(points)
        scale, x, y = alignment.position(five)
        assert_near([x, y, scale], golden[f"align/{case}_pos"])
        found = alignment.align(five, 256, 256)
        assert_near([256, 256, *found.placed], golden[f"align/{case}_trans_params"])
        assert found.resized == tuple(golden[f"align/{case}_resized_wh"])
        assert found.box == tuple(golden[f"align/{case}_crop_box"])
        assert_near(found.moved(points, 256, 256), golden[f"align/{case}_lm_out"])

    def test_the_picture_of_it(self, golden: Golden) -> None:
        picture = golden["kp/image_u8"][0].transpose(1, 2, 0)
        found = alignment.align(golden["align/68_lm5"], 256, 256)
        off = alignment.cut(picture, found).astype(int) - golden["align/68_image_u8"]
        assert np.abs(off).max() <= 1

    def test_a_cut_that_misses_the_picture_is_black(self) -> None:
        away = alignment.Alignment(1.0, 0, 0, (256, 256), (900, 0, 1124, 224))
        assert not alignment.cut(np.full((256, 256, 3), 9, np.uint8), away).any()


class TestFaceCrop:
    @pytest.mark.parametrize("case", ["plain", "tilted", "border", "large", "wide"])
    def test_where_the_face_is(self, golden: Golden, case: str) -> None:
        width, height = golden[f"crop/{case}_size_wh"].tolist()
        found = facecrop.crop_face(crop_points_of_68(golden[f"crop/{case}_lm68"]), width, height)
        assert found.resized == tuple(golden[f"crop/{case}_rsize"])
        assert found.outer == tuple(golden[f"crop/{case}_crop"])
        assert_near(found.inner, golden[f"crop/{case}_quad"], 1e-6, 1e-6)
        assert found.box == tuple(golden[f"crop/{case}_paste_xyxy"])

    def test_in_a_picture_that_was_shrunk_it_is_found_again(self, golden: Golden) -> None:
        points = crop_points_of_68(golden["crop/large_lm68"])
        box = facecrop.crop_face(points, 4000, 3000).box_in(4000, 3000)
        half = facecrop.crop_face(points / 2, 2000, 1500).box_in(4000, 3000)
        assert np.abs(np.subtract(box, half)).max() <= 4
        assert box[0] < points[0, 0] < points[1, 0] < box[2]

    @pytest.mark.parametrize("middle", [(24, 24), (128, 40), (232, 128), (232, 232), (40, 220)])
    def test_points_are_found_again_in_faces_that_an_edge_cuts_off(
        self, middle: tuple[int, int]
    ) -> None:
        # A picture whose colours tell where they are.
        y, x = np.mgrid[:256, :256].astype(np.uint8)
        image = np.dstack([x, y, x])
        five = np.array([(-20, -20), (20, -20), (0, 0), (-16, 20), (16, 20)], np.float64) + middle
        crop = facecrop.crop_face(crop_points(five), 256, 256)
        face = facecrop.cut_face(image, crop, 256)
        for point, (across, down) in zip(five, in_face(five, crop, 256, 256, 256), strict=True):
            seen = face[round(down), round(across)]
            assert_near(seen[:2], point, 1.5, 1.5)

    def test_the_source_stage_cuts_the_same_picture(self, golden: Golden) -> None:
        image = golden["extract/image_u8"]
        height, width = image.shape[:2]
        found = facecrop.crop_face(crop_points_of_68(golden["extract/lm_full"]), width, height)
        assert found.outer == tuple(golden["extract/crop"])
        assert_near(found.inner, golden["extract/quad"], 1e-6, 1e-6)
        x0, y0, x1, y1 = found.box
        assert (x1 - x0, y1 - y0) == tuple(golden["extract/original_wh"])
        off = facecrop.cut_face(image, found, 256).astype(int) - golden["extract/crop_u8"]
        assert np.abs(off).max() <= 1
