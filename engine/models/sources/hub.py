"""The Hugging Face hub: the official home of most models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from engine.models.sources.base import Part, SourceError, Stretch
from personas.persona import Frozen

if TYPE_CHECKING:
    from engine.models.web import Web


class HubSource(Frozen):
    """A file of a repository on the hub.

    The hub's own cache is looked at first, and its endpoint, token and offline settings
    (`HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`) are honoured.
    """

    kind: Literal["hub"] = "hub"
    repo: str
    file: str
    revision: str = "main"

    @property
    def label(self) -> str:
        """`hub OWNER/REPOSITORY`."""
        return f"hub {self.repo}"

    def parts(self) -> Sequence[Part]:
        """The file itself."""
        return (self,)

    def locate(self, web: Web) -> list[Stretch]:
        """The copy in the hub's cache where there is one, else the file's address."""
        from huggingface_hub import constants, hf_hub_url, try_to_load_from_cache
        from huggingface_hub.utils._headers import build_hf_headers

        cached = try_to_load_from_cache(self.repo, self.file, revision=self.revision)
        if isinstance(cached, str):
            return [Stretch(cached)]
        if web.offline or constants.is_offline_mode():
            raise SourceError("it is not in the hub's cache, and this program is set to be offline")
        endpoint = web.environment.get("HF_ENDPOINT") or None
        url = hf_hub_url(self.repo, self.file, revision=self.revision, endpoint=endpoint)
        return [Stretch(url, headers=tuple(build_hf_headers().items()))]
