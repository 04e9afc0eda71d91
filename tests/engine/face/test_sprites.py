"""Drawn features are kept, within bounds, and shared."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from engine.face.canvas import Sprite
from engine.face.painter import FacePainter
from engine.face.pose import FacePose
from engine.face.sprites import SpriteCache
from tests.engine.face.faces import geometry, look, paper


def sprite(nbytes: int = 400) -> Sprite:
    return Sprite(np.zeros((1, nbytes // 4, 4), np.uint8), (0.0, 0.0), 1.0)


def test_what_is_known_is_not_drawn_again() -> None:
    cache = SpriteCache()
    first = cache.get("mouth", sprite)
    assert cache.get("mouth", sprite) is first
    assert cache.get("eye", sprite) is not first


def test_that_a_face_has_no_such_feature_is_known_too() -> None:
    cache = SpriteCache()
    assert cache.get("nose", lambda: None) is None
    assert cache.get("nose", sprite) is None


def test_it_holds_no_more_bytes_than_it_may_and_forgets_what_was_used_longest_ago() -> None:
    cache = SpriteCache(most_bytes=1_000)
    first = cache.get(0, sprite)
    cache.get(1, sprite)
    assert cache.get(0, sprite) is first
    cache.get(2, sprite)
    assert cache.nbytes == 800
    assert cache.get(0, sprite) is first
    cache.get(3, lambda: sprite(4_000))
    assert cache.nbytes <= 1_000


def test_it_holds_no_more_features_than_it_may() -> None:
    cache = SpriteCache(most=5)
    for key in range(20):
        cache.get(key, sprite)
    assert len(cache) == 5
    assert cache.nbytes == 5 * 400


def test_painters_that_share_it_paint_as_one_alone() -> None:
    shared = SpriteCache()
    poses = [FacePose(jaw=jaw / 10, blink_left=jaw / 10) for jaw in range(11)]

    def pictures(cache: SpriteCache | None) -> list[np.ndarray]:
        painter = FacePainter(geometry(), look(rendering="shaded"), cache)
        result = []
        for pose in poses:
            result.append(paper())
            painter.paint(result[-1], pose)
        return result

    alone = pictures(None)
    with ThreadPoolExecutor(4) as pool:
        for together in pool.map(pictures, [shared] * 4):
            assert np.array_equal(together, alone)
