"""SadTalker's networks: named and shaped so that the official checkpoints load strictly.

Build one, load its state dict, call `fold()` once, then call it (`engine.talkinghead.sadtalker.
weights` does all of that). Networks are in evaluation mode throughout, and nothing here needs
gradients. Which numbers go in and out: Zhang et al., "SadTalker" (CVPR 2023), and the paper of
its renderer, Wang et al., "One-Shot Free-View Neural Talking-Head Synthesis" (CVPR 2021).
"""

from engine.talkinghead.sadtalker.networks.expression import ExpressionNet
from engine.talkinghead.sadtalker.networks.generator import Generator, SourceFeatures
from engine.talkinghead.sadtalker.networks.keypoints import KeypointDetector, transform_keypoints
from engine.talkinghead.sadtalker.networks.mapping import HeadMotion, MappingNet
from engine.talkinghead.sadtalker.networks.pose import PoseNet
from engine.talkinghead.sadtalker.networks.reconstruction import FaceReconstruction

__all__ = [
    "ExpressionNet",
    "FaceReconstruction",
    "Generator",
    "HeadMotion",
    "KeypointDetector",
    "MappingNet",
    "PoseNet",
    "SourceFeatures",
    "transform_keypoints",
]
