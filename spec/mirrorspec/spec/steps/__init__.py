"""Every step of the protocol and of its environment, in reading order."""

from __future__ import annotations

from mirrorspec.spec.step import Step
from mirrorspec.spec.steps import failure, flash, host, increment, message, session, takeover, transfer

STEPS: dict[str, Step] = {
    step.name: step
    for module in (host, transfer, increment, flash, session, takeover, failure, message)
    for step in module.STEPS
}
