"""Schedulers by the names that recipes use, made for a pipeline's own noise."""

from __future__ import annotations

from typing import Any

from personas.recipes import SchedulerName


def make_scheduler(name: SchedulerName, config: Any) -> Any:
    """A scheduler of diffusers.

    Args:
        name: as recipes name it.
        config: of the scheduler that came with the weights: how they were trained.
    """
    import diffusers

    made: dict[str, tuple[str, dict[str, Any]]] = {
        "dpm++": ("DPMSolverMultistepScheduler", {"use_karras_sigmas": True}),
        "euler": ("EulerDiscreteScheduler", {}),
        "euler-a": ("EulerAncestralDiscreteScheduler", {}),
        "unipc": ("UniPCMultistepScheduler", {}),
        "ddim": ("DDIMScheduler", {}),
        "lcm": ("LCMScheduler", {}),
        "tcd": ("TCDScheduler", {}),
        # Distilled for few steps: the last step of the noise schedule is where they begin.
        "turbo": ("EulerAncestralDiscreteScheduler", {"timestep_spacing": "trailing"}),
    }
    kind, changes = made[name]
    return getattr(diffusers, kind).from_config(config, **changes)
