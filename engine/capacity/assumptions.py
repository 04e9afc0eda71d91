"""Assumptions: what people do, and what each step of an answer costs; each with its source.

MEASURED figures come from the benches of this program on a virtual machine with two cores that it
shared with others; `docs/scale.md` has their commands and dates. ASSUMED figures are for machines
and people that nobody here has measured: put in your own.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

MEASURED: Final = "measured"
ASSUMED: Final = "assumed"
PUBLISHED: Final = "published"

DAY: Final = 86_400.0


def _figure(default: float, unit: str, description: str, source: str, **limits: Any) -> Any:
    return Field(
        default=default,
        description=description,
        json_schema_extra={"unit": unit, "source": source},
        **limits,
    )


class Assumptions(BaseModel):
    """All that a capacity model goes by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # What people do.
    messages: float = _figure(
        50, "a day", "messages to personas in a community", ASSUMED, gt=0, le=1e6
    )
    peak: float = _figure(3, "", "the busiest hour, by the average one", ASSUMED, ge=1, le=24)
    skew: float = _figure(
        0.8,
        "",
        "how unequal communities are: the n-th busiest has n^-skew of the first's messages",
        ASSUMED,
        ge=0,
        le=2,
    )
    clip_share: float = _figure(
        0.6, "", "share of answers with a clip; the others are text", ASSUMED, ge=0, le=1
    )
    again_share: float = _figure(
        0.05, "", "share of answers that somebody wants otherwise", ASSUMED, ge=0, le=1
    )
    clip_seconds: float = _figure(6, "s", "length of a clip, on average", ASSUMED, gt=0, le=60)
    portraits: float = _figure(
        1, "a day", "portraits drawn in a community, new and again", ASSUMED, ge=0, le=1e5
    )

    # What an answer costs.
    prompt_tokens: float = _figure(1500, "", "tokens that are read for an answer", ASSUMED, ge=0)
    answer_tokens: float = _figure(60, "", "tokens of an answer", ASSUMED, ge=0)
    llm_prompt_speed: float = _figure(
        15_000, "tokens/s", "tokens that a GPU of the language model reads", ASSUMED, gt=0
    )
    llm_answer_speed: float = _figure(
        2_000, "tokens/s", "tokens that it writes, for all who ask at once", ASSUMED, gt=0
    )
    speech_cost: float = _figure(
        0.03, "core s/s", "speech: core seconds for each second said", f"{MEASURED}: bench clip"
    )
    fps: float = _figure(25, "1/s", "frames of a clip", "the renderers", gt=0)
    gpu_fps: float = _figure(
        25,
        "1/s",
        "frames of a talking head that one GPU renders",
        f"{ASSUMED}: no GPU was there to measure one. {PUBLISHED}: SadTalker as released 2.17, "
        "Ditto 45 (SoulX-FlashHead report, tables 3 and 4)",
        gt=0,
    )
    encode_cost: float = _figure(
        0.26,
        "core s/s",
        "encoding: core seconds for each second of a clip, beside the GPU",
        f"{MEASURED}: bench clip",
        ge=0,
    )
    drawn_cost: float = _figure(
        0.45,
        "core s/s",
        "the drawn head with encoding: core seconds for each second of a clip",
        f"{MEASURED}: bench clip",
        ge=0,
    )
    portrait_gpu: float = _figure(
        4, "GPU s", "a portrait by a diffusion model, with its attempts", ASSUMED, gt=0
    )
    portrait_core: float = _figure(
        0.5, "core s", "an illustrated portrait", f"{MEASURED}: bench portraits", ge=0
    )

    # What it moves and writes.
    transactions: float = _figure(
        140,
        "",
        "database transactions of a message that is answered with a clip",
        f"{MEASURED}: bench faults without faults",
        gt=0,
    )
    database_speed: float = _figure(
        5_000,
        "1/s",
        "transactions of one PostgreSQL",
        f"{MEASURED}: bench load",
        gt=0,
    )
    clip_bytes: float = _figure(
        34_000, "B/s", "of a clip, for each second", f"{MEASURED}: bench clip", gt=0
    )
    speech_bytes: float = _figure(
        48_000,
        "B/s",
        "of a speech among the products, for each second: 24 kHz, 16 bit",
        "the format",
        ge=0,
    )
    portrait_bytes: float = _figure(1_000_000, "B", "of a portrait with its layers", ASSUMED, ge=0)
    keep_days: float = _figure(30, "days", "how long clips are kept", ASSUMED, ge=0)
    link: float = _figure(1_000, "Mbit/s", "one network link", ASSUMED, gt=0)

    # What the platform takes.
    requests: float = _figure(
        5,
        "",
        "requests to Discord for an answer: its text, about three edits, its clip",
        "bot/discord/outlet.py: one look in 1.25 s",
        ge=0,
    )
    request_limit: float = _figure(
        50, "1/s", "requests that Discord takes from a bot", f"{PUBLISHED}: Discord's documentation"
    )

    # What is good enough.
    wait: float = _figure(
        5, "s", "95 of 100 clips wait no longer for a GPU, in the busiest hour", ASSUMED, gt=0
    )
    portrait_wait: float = _figure(
        60, "s", "likewise portraits, and answers that are had again", ASSUMED, gt=0
    )
    patience: float = _figure(
        600, "s", "after which nobody waits for a clip", "jobs.clip_patience", gt=0
    )

    @property
    def clip_gpu(self) -> float:
        """GPU seconds of a clip: `clip_seconds * fps / gpu_fps`."""
        return self.clip_seconds * self.fps / self.gpu_fps

    def rows(self) -> list[dict[str, Any]]:
        """Each assumption with its value, unit, meaning and source."""
        rows = []
        for name, field in type(self).model_fields.items():
            extra = field.json_schema_extra
            told = extra if isinstance(extra, dict) else {}
            value = getattr(self, name)
            is_own = value != field.default
            rows.append(
                {
                    "name": name,
                    "value": value,
                    "unit": told.get("unit", ""),
                    "meaning": field.description or "",
                    "source": "your own" if is_own else told.get("source", ""),
                }
            )
        return rows
