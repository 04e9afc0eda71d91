"""What an endpoint has refused, and how the same is asked for without it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

Form = Literal["schema", "object", "text"]

_DROPPABLE = ("temperature", "seed", "stop", "stream_options", "max_tokens")
WEAKER: dict[Form, Form] = {"schema": "object", "object": "text"}
"""How the same is asked for where a form was refused."""
_FORMS: dict[str, Form] = {"json_schema": "schema", "json_object": "object"}
"""By the type of response format that asks for them."""
_UNSUPPORTED = re.compile(
    r"support|unknown|unrecogni|unexpected|not (permitted|allowed|accept)|extra|invalid param|use ",
    re.IGNORECASE,
)
_FORM_WORDS = re.compile(r"response_?format|json_?(schema|object)|grammar|schema", re.IGNORECASE)


class Concessions:
    """Remembers, for one endpoint, which parameters and forms it does not take.

    Attributes:
        form: how structured answers are asked for: by JSON schema, as any JSON object, or in
            words only. Who got an answer in a weaker form, sets it.
    """

    def __init__(self) -> None:
        self.form: Form = "schema"
        self._dropped: set[str] = set()
        self._renamed: dict[str, str] = {}

    def apply(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request as this endpoint takes it."""
        return {
            self._renamed.get(name, name): value
            for name, value in request.items()
            if name not in self._dropped
        }

    def concede(
        self, error: Exception, request: Mapping[str, Any]
    ) -> Literal["again", "other form", "no"]:
        """What to do about an error: send `request` again, ask in another form, or give up."""
        status = getattr(error, "status_code", None)
        said = f"{getattr(error, 'param', '')} {error}"
        if status in (400, 422):
            if _UNSUPPORTED.search(said) and self._drop_parameter(said, request):
                return "again"
            if "response_format" in request and _FORM_WORDS.search(said):
                self.form = WEAKER[_FORMS[request["response_format"]["type"]]]
                return "other form"
        elif status in (500, 501) and "response_format" in request:
            # Some servers crash on a schema instead of refusing it; but it may be any fault, so
            # that only an answer tells that it was the schema's.
            return "other form"
        return "no"

    def _drop_parameter(self, said: str, request: Mapping[str, Any]) -> bool:
        if "max_completion_tokens" in said and "max_tokens" in request and not self._renamed:
            self._renamed["max_tokens"] = "max_completion_tokens"
            return True
        for name in _DROPPABLE:
            if name in request and name not in self._dropped and re.search(rf"\b{name}\b", said):
                self._dropped.add(name)
                return True
        extra = request.get("extra_body") or ()
        if "extra_body" not in self._dropped and any(name in said for name in extra):
            self._dropped.add("extra_body")
            return True
        return False
