"""CrossHair asked about every contract, and nothing taken for an answer but *confirmed over all paths*.

CrossHair runs a contract on symbols and forks wherever its text does. It says *confirmed* when every path was taken to its
end. When time runs out before, or a value had to be made concrete, it says so, and its command exits with 0 all the same. So
its library is asked, and the answer is read.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mirrorspec.model_tests.contracts import recovery, transfers, writes
from mirrorspec.spec.errors import MissingToolError

SECONDS_PER_CONTRACT = 120.0
"""More than ten times what the longest takes, since other work may share the cores; none that holds comes near it."""

ContractFunction = Callable[..., bool]


class Found(StrEnum):
    """What became of a contract."""

    CONFIRMED = "confirmed"
    """It holds on every path, for every input."""
    VIOLATED = "violated"
    """An input breaks it, and is given."""
    INCONCLUSIVE = "inconclusive"
    """Not every path was looked at, or no input meets what it presupposes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What CrossHair says of one contract."""

    contract: str
    found: Found
    words: str
    """CrossHair's own, with the input that breaks the contract where there is one."""
    seconds: float


CONTRACTS: dict[str, tuple[ContractFunction, ...]] = {
    "host write": writes.CONTRACTS,
    "transfer": transfers.TRANSFER,
    "acknowledgement": transfers.HARDENED,
    "merge": transfers.MERGE,
    "arrival at the secondary": transfers.RECEIVE,
    "recovery row": recovery.CONTRACTS,
}
"""The contracts of each decision."""

BY_NAME = {c.__name__: c for group in (*CONTRACTS.values(), recovery.NIGHTLY) for c in group}
"""Every contract by its name."""


def answer(name: str) -> Answer:
    """What CrossHair says of the contract of that name. Raises `MissingToolError` without it."""
    return asked(BY_NAME[name])


def asked(contract: ContractFunction, *, seconds: float = SECONDS_PER_CONTRACT) -> Answer:
    """What CrossHair says of a contract, within so many seconds. Raises `MissingToolError` without it."""
    try:
        from crosshair.core_and_libs import analyze_function, run_checkables
        from crosshair.options import AnalysisKind, AnalysisOptionSet
        from crosshair.statespace import MessageType
    except ImportError as error:
        raise MissingToolError(
            "contracts on the decisions need crosshair-tool: pip install 'mirrorspec[test]'"
        ) from error
    options = AnalysisOptionSet(
        analysis_kind=[AnalysisKind.PEP316],
        per_condition_timeout=seconds,
        per_path_timeout=seconds,
        report_all=True,  # without it, what is confirmed and what is not are both passed over in silence
    )
    began = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it looks at every name of the standard library
        messages = list(run_checkables(analyze_function(contract, options)))
    states = {message.state for message in messages}
    broken = {MessageType.POST_FAIL, MessageType.POST_ERR, MessageType.EXEC_ERR}
    found = Found.VIOLATED if states & broken else Found.INCONCLUSIVE
    if states == {MessageType.CONFIRMED}:
        found = Found.CONFIRMED
    words = "; ".join(message.message for message in messages) or "it has no post line"
    return Answer(contract.__name__, found, words, time.monotonic() - began)
