"""A course of training that may be stopped at any time and goes on where it was."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import nn

log = logging.getLogger(__name__)

_SAVED_EVERY: Final = 60.0
"""Seconds."""
_TOLD_EVERY: Final = 30.0
_WARM: Final = 200
"""Steps until the rate of learning is reached."""
_CLIP: Final = 1.0
"""Of the norm of a gradient."""


class Course:
    """Trains a network for so many minutes of work, however often it is interrupted.

    The rate of learning falls as half a cosine over the time, so that a course of any length ends
    well. A mean of the weights over the last steps is what comes out.

    Args:
        name: of the course, for files and messages.
        network: what is trained.
        folder: where its state is kept.
        minutes: of training in all.
        rate: of learning, at most.
        memory: share of the mean weights that a step leaves as they are.
        clock: seconds.
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        folder: Path,
        *,
        minutes: float,
        rate: float,
        memory: float = 0.999,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import torch

        self._name = name
        self._clock = clock
        self._network = network
        self._file = folder / f"{name}.pt"
        self._seconds = minutes * 60
        self._rate = rate
        self._memory = memory
        self._weights: list[torch.Tensor] = [
            one for one in network.parameters() if one.requires_grad
        ]
        self._optimizer = torch.optim.AdamW(
            self._weights, rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self._mean = [one.detach().clone() for one in self._weights]
        self._spent = 0.0
        self._steps = 0
        self._resume()

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self._spent >= self._seconds

    def run(self, loss_of: Callable[[np.random.Generator], torch.Tensor]) -> None:
        """Trains until the time is up, and leaves the mean weights in the network.

        Args:
            loss_of: the loss of a batch that is drawn with the generator.
        """
        import torch

        chance = np.random.default_rng(self._steps)
        begun, saved, told, lately = self._clock(), 0.0, 0.0, 0.0
        before = self._spent
        while not self.is_over:
            try:
                value = self._step(loss_of(chance))
            except KeyboardInterrupt:
                self._save()
                raise
            lately = value if lately == 0 else 0.98 * lately + 0.02 * value
            spent = self._clock() - begun
            self._spent = before + spent
            if spent - told > _TOLD_EVERY:
                told = spent
                share = 100 * min(self._spent / self._seconds, 1)
                log.info("%s: %.0f%%, step %d, loss %.4f", self._name, share, self._steps, lately)
            if spent - saved > _SAVED_EVERY:
                saved = spent
                self._save()
        self._save()
        with torch.no_grad():
            for weight, mean in zip(self._weights, self._mean, strict=True):
                weight.copy_(mean)

    def _step(self, loss: torch.Tensor) -> float:
        import torch

        done = min(self._spent / self._seconds, 1.0)
        warm = min(1.0, (self._steps + 1) / _WARM)
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate * warm * max(0.02, 0.5 * (1 + math.cos(math.pi * done)))
        value = float(loss.detach())
        if not math.isfinite(value):
            raise FloatingPointError(f"The loss of {self._name} is no number any more.")
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._weights, _CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._steps += 1
        # Young weights are forgotten sooner, or the beginning would stay in the mean.
        memory = min(self._memory, (1 + self._steps) / (10 + self._steps))
        with torch.no_grad():
            torch._foreach_mul_(self._mean, memory)
            torch._foreach_add_(self._mean, self._weights, alpha=1 - memory)
        return value

    def _save(self) -> None:
        import torch

        state: dict[str, Any] = {
            "weights": [one.detach() for one in self._weights],
            "mean": self._mean,
            "optimizer": self._optimizer.state_dict(),
            "spent": self._spent,
            "steps": self._steps,
        }
        fresh = self._file.with_suffix(".new")
        torch.save(state, fresh)
        fresh.replace(self._file)

    def _resume(self) -> None:
        import torch

        if not self._file.exists():
            return
        state = torch.load(self._file, weights_only=True)
        with torch.no_grad():
            for mine, theirs in zip(self._weights, state["weights"], strict=True):
                mine.copy_(theirs)
            for mine, theirs in zip(self._mean, state["mean"], strict=True):
                mine.copy_(theirs)
        self._optimizer.load_state_dict(state["optimizer"])
        self._spent, self._steps = state["spent"], state["steps"]
        log.info("%s goes on after %d steps, %.0f s", self._name, self._steps, self._spent)
