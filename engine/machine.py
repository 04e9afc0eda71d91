"""What the process takes of the machine it runs on."""

from __future__ import annotations

import sys


def peak_memory_mb() -> float | None:
    """Resident memory of this process at its most, in MiB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes everywhere but on macOS, where they are bytes.
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
