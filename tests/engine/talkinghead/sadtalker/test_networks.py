"""The networks compute what the original program computed, float32 on the CPU.

Together about a minute on one core, most of it for the larger pictures; nothing is left out
by default, because a network that is nearly right is wrong.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.talkinghead.sadtalker.networks import (
    HeadMotion,
    MappingNet,
    SourceFeatures,
    transform_keypoints,
)
from engine.talkinghead.sadtalker.networks.keypoints import degrees, rotation
from engine.talkinghead.sadtalker.weights import SadTalkerNetworks
from tests.engine.talkinghead.sadtalker.conftest import WeightFiles
from tests.engine.talkinghead.sadtalker.golden import Golden, assert_near

FIELDS = (
    ("yaw", "yaw"),
    ("pitch", "pitch"),
    ("roll", "roll"),
    ("translation", "t"),
    ("expression", "exp"),
)


def tensor(golden: Golden, name: str) -> Tensor:
    """An array of the golden file; pictures in 0..1."""
    values = golden[name]
    if values.dtype == np.uint8:
        return torch.from_numpy(values).float() / 255
    return torch.from_numpy(values)


def portrait(golden: Golden, size: int) -> Tensor:
    """The golden picture at 128, 256 or 512 pixels, without interpolation."""
    image = tensor(golden, "kp/image_u8")
    if size == 512:
        return image.repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)
    return image[..., :: 256 // size, :: 256 // size]


class TestReconstruction:
    def test_coefficients(self, networks: SadTalkerNetworks, golden: Golden) -> None:
        image = tensor(golden, "recon/image_u8")
        found = networks.reconstruction(image)
        assert_near(networks.reconstruction.features(image).flatten(1), golden["recon/pooled"])
        assert_near(found, golden["recon/coeff"])
        kept = torch.cat((found[:, 80:144], found[:, 224:227], found[:, 254:257]), dim=1)
        assert_near(kept, golden["recon/coeff70"])

    def test_pictures_do_not_see_each_other(
        self, networks: SadTalkerNetworks, golden: Golden
    ) -> None:
        image = tensor(golden, "recon/image_u8")
        both = networks.reconstruction(torch.cat((image.flip(-1), image)))
        assert_near(both[1:], golden["recon/coeff"])


class TestExpression:
    def windows(self, golden: Golden) -> tuple[Tensor, Tensor, Tensor]:
        mels = torch.from_numpy(golden["a2/mels_i8"]).float().unsqueeze(2) / 16
        return mels, tensor(golden, "a2/ref")[..., :64], tensor(golden, "a2/ratio")

    def test_what_is_heard(self, networks: SadTalkerNetworks, golden: Golden) -> None:
        mels, _, _ = self.windows(golden)
        heard = networks.expression.audio_encoder.embed(mels[:, :10])
        assert_near(heard, golden["audio2exp/embedding"])

    def test_expressions(self, networks: SadTalkerNetworks, golden: Golden) -> None:
        mels, reference, blink = self.windows(golden)
        found = networks.expression(mels, reference, blink)
        assert found.shape == (1, 75, 64)
        assert_near(found[:, :10], golden["audio2exp/exp"])

    def test_clips_in_one_batch_do_not_hear_each_other(
        self, networks: SadTalkerNetworks, golden: Golden
    ) -> None:
        parts = [part[:, :10] for part in self.windows(golden)]
        both = networks.expression(*(torch.cat((part * 0.3, part)) for part in parts))
        assert_near(both[1:], golden["audio2exp/exp"])


class TestPose:
    @pytest.fixture
    def mels(self, golden: Golden) -> Tensor:
        return torch.from_numpy(golden["a2/mels_i8"]).float().unsqueeze(2) / 16

    @pytest.fixture
    def reference(self, golden: Golden) -> Tensor:
        return tensor(golden, "a2/ref")[:, 0, 64:]

    @pytest.fixture
    def style(self, golden: Golden) -> int:
        return int(golden["audio2pose/style"][0])

    def latents(self, golden: Golden, count: int) -> Tensor:
        return tensor(golden, "audio2pose/z")[:count].transpose(0, 1)

    def test_its_decoder_alone(
        self, networks: SadTalkerNetworks, golden: Golden, reference: Tensor, style: int
    ) -> None:
        heard, latent = tensor(golden, "audio2pose/audio_emb"), self.latents(golden, 1)[:, 0]
        found = networks.pose.netG.decoder(heard, reference, style, latent)
        assert_near(found, golden["audio2pose/decoder_motion"])

    def test_what_is_heard(self, networks: SadTalkerNetworks, golden: Golden, mels: Tensor) -> None:
        heard = networks.pose.audio_encoder.audio_encoder.embed(mels[:, 1:33])
        assert_near(heard, golden["audio2pose/audio_emb"])

    @pytest.mark.parametrize(("frames", "chunks"), [(32, 1), (33, 1), (75, 3)])
    def test_poses(
        self,
        networks: SadTalkerNetworks,
        golden: Golden,
        mels: Tensor,
        reference: Tensor,
        style: int,
        frames: int,
        chunks: int,
    ) -> None:
        latents = self.latents(golden, chunks)
        found = networks.pose(mels[:, :frames], reference, style, latents=latents)
        assert networks.pose.chunks(frames) == chunks
        assert_near(found, golden[f"audio2pose/pose_T{frames}"])

    def test_clips_in_one_batch_do_not_hear_each_other(
        self,
        networks: SadTalkerNetworks,
        golden: Golden,
        mels: Tensor,
        reference: Tensor,
        style: int,
    ) -> None:
        latents = self.latents(golden, 3)
        both = networks.pose(
            torch.cat((mels * 0.3, mels)),
            torch.cat((reference + 0.2, reference)),
            style,
            latents=torch.cat((latents.flip(1), latents)),
        )
        assert_near(both[1:], golden["audio2pose/pose_T75"])

    @pytest.mark.parametrize("frames", [1, 2, 5])
    def test_very_short_clips(
        self, networks: SadTalkerNetworks, mels: Tensor, reference: Tensor, frames: int
    ) -> None:
        found = networks.pose(mels[:, :frames], reference, 0)
        assert found.shape == (1, frames, 6)
        assert torch.equal(found[:, 0], reference)
        assert found.isfinite().all()

    def test_a_seed_decides_how_the_head_moves(
        self, networks: SadTalkerNetworks, mels: Tensor, reference: Tensor
    ) -> None:
        def moved(seed: int) -> Tensor:
            generator = torch.Generator().manual_seed(seed)
            return networks.pose(mels[:, :40], reference, 3, generator=generator)

        assert torch.equal(moved(1), moved(1))
        assert not torch.equal(moved(1), moved(2))

    def test_a_style_that_does_not_exist(
        self, networks: SadTalkerNetworks, mels: Tensor, reference: Tensor
    ) -> None:
        for style in (-1, 46):
            with pytest.raises(ValueError, match="0 to 45"):
                networks.pose(mels[:, :3], reference, style)

    def test_latents_for_another_length(
        self, networks: SadTalkerNetworks, golden: Golden, mels: Tensor, reference: Tensor
    ) -> None:
        with pytest.raises(ValueError, match=r"latents are \(1, 3, 64\)"):
            networks.pose(mels[:, :33], reference, 0, latents=self.latents(golden, 3))


class TestMapping:
    @pytest.mark.parametrize("kind", ["crop", "full"])
    def test_motion(self, weight_files: WeightFiles, golden: Golden, kind: str) -> None:
        from engine.talkinghead.sadtalker.weights import load_mapping

        network = load_mapping(getattr(weight_files, kind))
        found = network(tensor(golden, f"mapping_{kind}/in"))
        assert isinstance(network, MappingNet)
        assert network.coefficients == (70 if kind == "crop" else 73)
        for field, name in FIELDS:
            assert_near(getattr(found, field), golden[f"mapping_{kind}/{name}"])


class TestKeypoints:
    @pytest.mark.parametrize(("size", "name"), [(128, "kp128"), (256, "kp"), (512, "kp512")])
    def test_canonical(
        self, networks: SadTalkerNetworks, golden: Golden, size: int, name: str
    ) -> None:
        assert_near(networks.keypoints(portrait(golden, size)), golden[f"{name}/value"])

    def test_what_the_detector_looks_at(self, networks: SadTalkerNetworks, golden: Golden) -> None:
        assert_near(networks.keypoints.down(portrait(golden, 256)), golden["kp/down"])

    def motion(self, golden: Golden) -> HeadMotion:
        return HeadMotion(**{field: tensor(golden, f"kpt/{name}") for field, name in FIELDS})

    def test_angles(self, golden: Golden) -> None:
        motion = self.motion(golden)
        angles = [degrees(logits) for logits in (motion.yaw, motion.pitch, motion.roll)]
        assert_near(torch.stack(angles, dim=1), golden["kpt/degrees"], largest=1e-3, mean=1e-4)
        assert_near(rotation(*angles), golden["kpt/rotation"])

    def test_moved(self, golden: Golden) -> None:
        canonical = tensor(golden, "kpt/canonical")
        assert_near(transform_keypoints(canonical, self.motion(golden)), golden["kpt/kp"])

    def test_moved_to_given_angles(self, golden: Golden) -> None:
        canonical = tensor(golden, "kpt/canonical")
        yaw, pitch, roll = tensor(golden, "kpt/override_degrees").T
        found = transform_keypoints(canonical, self.motion(golden), yaw=yaw, pitch=pitch, roll=roll)
        assert_near(found, golden["kpt/kp_override"])

    def test_one_face_for_many_moments_and_one_angle(self, golden: Golden) -> None:
        canonical, motion = tensor(golden, "kpt/canonical")[:1], self.motion(golden)
        found = transform_keypoints(canonical, motion, yaw=torch.tensor([20.0]))
        alone = transform_keypoints(
            canonical.expand(2, -1, -1), motion, yaw=torch.tensor([20.0, 20.0])
        )
        assert found.shape == (2, 15, 3)
        assert torch.equal(found, alone)


class TestGenerator:
    @pytest.fixture
    def source(self, golden: Golden) -> Tensor:
        return tensor(golden, "gen/kp_source")

    @pytest.fixture
    def driving(self, golden: Golden) -> Tensor:
        return tensor(golden, "gen/kp_driving")

    @pytest.mark.parametrize(
        ("size", "name", "steps"), [(128, "gen128", (4, 8, 4, 4)), (256, "gen", (8, 8, 8, 8))]
    )
    def test_each_stage_and_the_picture(
        self,
        networks: SadTalkerNetworks,
        golden: Golden,
        source: Tensor,
        driving: Tensor,
        size: int,
        name: str,
        steps: tuple[int, int, int, int],
    ) -> None:
        generator = networks.generator
        features = generator.encode(portrait(golden, size))
        deformation, occlusion, weights = generator.dense_motion_network(
            features.compressed, source, driving
        )
        moved = generator.decoder_features(features, source, driving)
        a, b, c, d = steps
        assert_near(features.volume[:, ::4, ::4, ::c, ::c], golden[f"{name}/feature3d"])
        assert_near(deformation[:, ::4, ::a, ::a], golden[f"{name}/deformation"])
        assert_near(weights[:, :, ::4, ::b, ::b], golden[f"{name}/mask"])
        assert_near(occlusion, golden[f"{name}/occlusion"])
        assert_near(moved[:, ::8, ::d, ::d], golden[f"{name}/decoder_in"])
        assert_near(generator.decoder(moved), golden[f"{name}/prediction"])

    def test_the_large_picture(
        self, networks: SadTalkerNetworks, golden: Golden, source: Tensor, driving: Tensor
    ) -> None:
        features = networks.generator.encode(portrait(golden, 512))
        found = networks.generator.render(features, source, driving)
        assert found.shape == (1, 3, 512, 512)
        assert_near(found[..., ::4, ::4], golden["gen512/prediction_s4"], largest=5e-4)

    def test_the_whole_of_it(self, networks: SadTalkerNetworks, golden: Golden) -> None:
        """Coefficients to frames: mapping, keypoints, generator; one source for two moments."""
        image = portrait(golden, 128)
        canonical = networks.keypoints(image)
        at_rest = networks.mapping(tensor(golden, "anim/source_semantics"))
        moving = networks.mapping(tensor(golden, "anim/target_semantics")[0])
        found = networks.generator.render(
            networks.generator.encode(image),
            transform_keypoints(canonical, at_rest),
            transform_keypoints(canonical, moving),
        )
        assert_near(found[None, ..., ::2, ::2], golden["anim/prediction_s2"])

    def test_portraits_in_one_batch_do_not_see_each_other(
        self, networks: SadTalkerNetworks, golden: Golden, source: Tensor, driving: Tensor
    ) -> None:
        generator, image = networks.generator, portrait(golden, 128)
        features = [generator.encode(picture) for picture in (image.flip(-1), image)]
        found = generator.render(
            SourceFeatures.join(features),
            torch.cat((driving, source)),
            torch.cat((source * 0.9, driving)),
        )
        assert_near(found[1:], golden["gen128/prediction"])
