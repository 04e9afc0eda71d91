"""A folder that looks like a checkout of the original program, to what drives it.

Its networks have the original's names, arguments and results, and a single weight each.
"""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

FILES = {
    "config/facerender.yaml": """
        model_params:
          common_params: {num_kp: 15, image_channel: 3, feature_channel: 32}
          kp_detector_params: {temperature: 0.1}
          generator_params: {block_expansion: 64}
          mapping_params: {coeff_nc: 70}
        """,
    "config/auido2pose.yaml": "MODEL: {CVAE: {SEQ_LEN: 32}}",
    "config/auido2exp.yaml": "MODEL: {FRAMEWORK: V2}",
    "facerender/modules/generator.py": """
        from torch import nn

        class OcclusionAwareSPADEGenerator(nn.Module):
            def __init__(self, num_kp, image_channel, feature_channel, block_expansion):
                super().__init__()
                self.second = nn.Linear(1, 1)

            def forward(self, source_image, kp_driving, kp_source):
                return {"prediction": source_image * 0.5}
        """,
    "facerender/modules/keypoint_detector.py": """
        from torch import nn

        class KPDetector(nn.Module):
            def __init__(self, num_kp, image_channel, feature_channel, temperature):
                super().__init__()
                self.down = nn.Linear(1, 1)

            def forward(self, image):
                return {"value": image.mean()}
        """,
    "facerender/modules/mapping.py": """
        from torch import nn

        class MappingNet(nn.Module):
            def __init__(self, coeff_nc):
                super().__init__()
                self.coeff_nc = coeff_nc
                self.first = nn.Linear(1, 1)

            def forward(self, window):
                assert window.shape[1:] == (self.coeff_nc, 27)
                return {"yaw": window}
        """,
    "facerender/modules/make_animation.py": """
        import torch

        def make_animation(source, own, target, generator, keypoints, estimator, mapping,
                           yaw=None, pitch=None, roll=None, use_exp=True):
            still = keypoints(source)
            mapping(own)
            made = []
            for at in range(target.shape[1]):
                mapping(target[:, at])
                made.append(generator(source, kp_source=still, kp_driving=still)["prediction"])
            return torch.stack(made, dim=1)
        """,
    "audio2pose_models/audio2pose.py": """
        from torch import nn

        class Audio2Pose(nn.Module):
            def __init__(self, cfg, checkpoint, device="cuda"):
                super().__init__()
                assert cfg.MODEL.CVAE.SEQ_LEN == 32
                self.netG = nn.Linear(1, 1)

            def test(self, heard):
                assert heard["indiv_mels"].shape[1] == heard["num_frames"]
                return {"pose_pred": heard["ref"][..., 64:70]}
        """,
    "audio2exp_models/networks.py": """
        from torch import nn

        class SimpleWrapperV2(nn.Module):
            def __init__(self):
                super().__init__()
                self.mapping1 = nn.Linear(1, 1)
        """,
    "audio2exp_models/audio2exp.py": """
        class Audio2Exp:
            def __init__(self, net, cfg, device):
                self.net = net

            def test(self, heard):
                return {"exp_coeff_pred": heard["ref"][..., :64] + heard["ratio_gt"]}
        """,
    "utils/paste_pic.py": """
        import cv2

        def save_video_with_watermark(film, sound, path, watermark=False):
            raise FileNotFoundError("ffmpeg")

        def paste_pic(film, portrait, crop, sound, path, extended_crop=False):
            assert cv2.imread(portrait) is not None
            reader = cv2.VideoCapture(film)
            assert int(reader.get(cv2.CAP_PROP_FRAME_COUNT)) > 0
            (width, height), (left, top, right, bottom), _ = crop
            assert 0 <= left < right <= width and 0 <= top < bottom <= height
            save_video_with_watermark("tmp.mp4", sound, path, watermark=False)
        """,
}


def make_checkout(folder: Path, **changes: str) -> Path:
    """Writes it.

    Args:
        folder: where to.
        changes: other contents for modules, by their names.
    """
    for path, content in FILES.items():
        file = folder / "src" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(changes.get(file.stem, content)))
    still = folder / "src/config/facerender_still.yaml"
    still.write_text((still.parent / "facerender.yaml").read_text().replace("70", "73"))
    return folder
