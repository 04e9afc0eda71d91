"""PortraitMixture: who paints which look, and who does when that one cannot."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from engine.portrait.base import (
    Image,
    PortraitCapabilities,
    PortraitDraft,
    PortraitGenerator,
    Progress,
)
from engine.portrait.safety import ImageSafety
from personas.errors import ChatAnythingError, InvalidInputError, UnavailableError
from personas.persona import PortraitBrief
from personas.styles import StyleCatalogue

log = logging.getLogger(__name__)


class PortraitMixture:
    """A PortraitGenerator of several: each paints the looks it can, the last one what is left.

    Args:
        generators: the preferred first; the last runs everywhere.
        styles: the catalogue.
        safety: looks at uploaded pictures; None: nobody does.
        threshold: score from which on a picture is not fit for everybody.
        prefer: propose only the looks of the first generator that can paint here.
    """

    def __init__(
        self,
        generators: Sequence[PortraitGenerator],
        styles: StyleCatalogue,
        safety: ImageSafety | None = None,
        threshold: float = 0.6,
        *,
        prefer: bool = True,
    ) -> None:
        self._generators = tuple(generators)
        self._styles = styles
        self._safety = safety
        self._threshold = threshold
        self._prefer = prefer

    @property
    def capabilities(self) -> PortraitCapabilities:
        """What all of them can do together."""
        each = [generator.capabilities for generator in self._generators]
        able = [one for one in each if one.styles]
        names = dict.fromkeys(name for one in able for name in one.styles)
        return PortraitCapabilities(
            styles=tuple(names),
            guided=any(one.guided for one in able),
            size=each[-1].size,
            needs_gpu=False,
            device=able[0].device if able else each[-1].device,
            at_once=max(one.at_once for one in each),
            proposed=able[0].styles if self._prefer and able else (),
        )

    def generate(
        self,
        brief: PortraitBrief,
        seed: int,
        *,
        photo: Image | None = None,
        progress: Progress | None = None,
    ) -> PortraitDraft:
        """Paints `brief` with whom the look belongs to, else with the next who can.

        A photo without a look is kept as it is, by the last of the generators.

        Raises:
            UnavailableError: not even the last one can.
            InvalidInputError: the photo cannot be used.
            Exception: what `progress` raised.
        """
        if photo is not None and not brief.adult:
            self.check(photo)
        last = self._generators[-1]
        for generator in self._in_order(brief, photo):
            if generator is last:
                break
            told = _Told(progress)
            try:
                return generator.generate(brief, seed, photo=photo, progress=told)
            except Exception as error:
                refused = photo is not None and isinstance(error, InvalidInputError)
                if refused or told.called_off:
                    raise
                _log_fall_back(brief, error)
        if brief.style not in last.capabilities.styles:
            brief = brief.model_copy(update={"style": ""})
            named = self._styles.available(last.capabilities.styles).resolve("", brief).name
            brief = brief.model_copy(update={"style": named})
        return last.generate(brief, seed, photo=photo, progress=progress)

    def check(self, photo: Image) -> None:
        """Looks whether a picture that somebody sent is fit for everybody.

        Raises:
            InvalidInputError: it is not.
        """
        if self._safety is None:
            return
        if photo.ndim != 3 or photo.shape[2] not in (3, 4) or min(photo.shape[:2]) < 8:
            return  # no picture at all: the generator says so
        try:
            score = self._safety.score(photo)
        except UnavailableError as error:
            log.warning("Uploaded pictures are not looked at: %s", error)
            return
        if score >= self._threshold:
            raise InvalidInputError(
                "This picture is not fit to be shown here. Use another one, or a channel that is "
                "age-restricted."
            )

    def _in_order(self, brief: PortraitBrief, photo: Image | None) -> list[PortraitGenerator]:
        """Whom the look belongs to, then those who run everywhere."""
        *others, last = self._generators
        capabilities = self.capabilities
        if photo is not None and not brief.style:
            return [last]
        here = self._styles.available(capabilities.styles, capabilities.proposed)
        style = here.resolve(brief.style, brief).name if here.names() else ""
        return [one for one in others if style in one.capabilities.styles] + [last]


class _Told:
    """Progress that tells a painting that was called off from one that failed."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self.called_off = False

    def __call__(self, fraction: float, doing: str) -> None:
        if self._progress is None:
            return
        try:
            self._progress(fraction, doing)
        except BaseException:
            self.called_off = True
            raise


def _log_fall_back(brief: PortraitBrief, error: Exception) -> None:
    known = isinstance(error, ChatAnythingError)
    log.warning(
        "%r is illustrated instead of painted: %s",
        brief.subject,
        error,
        exc_info=None if known else error,
    )
