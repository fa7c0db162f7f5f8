"""Steps done wrong: for the deviations that are more than a guard or a change left out.

None of these is part of the protocol. Each is the right step with one thing changed, so that the fault stands alone; a step of
its own is added only where something happens in two acts that must be one.
"""

from mirrorspec.spec.steps.broken import increment, restarts, secondary, writes

__all__ = ["increment", "restarts", "secondary", "writes"]
