"""A question about recovered images, and its answer: reading, comparing, judging, and what may be claimed of it.

What may be claimed depends on more than the columns, and all of that is decided here, in `_verdict`:

- A cut of the whole given history is *exhausted*, the bound being this history: nothing is said of another run.
- A torn image is *violated*, if it is torn whatever the volumes without a known initial image held before. An image
  that is torn only if its blocks did not hold their contents before the history began is *inconclusive*. An image that is
  a cut without any write being taken for what was there before is one in any case.
- So is foreign content, which is a finding of its own and not a torn cut.
- Taps below the replicator's acknowledgement give intervals that are too short, hence order that was not there: what
  looks violated is then *inconclusive*. An order-only history also orders too much: not being a prefix proves nothing.
- Where nothing could have been violated (nothing written, nothing acknowledged), consistency is no claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Literal

import numpy as np

from mirrorspec.oracle.cut.history import NEVER, SECOND, History
from mirrorspec.oracle.cut.images import ZERO, Judged, compare
from mirrorspec.oracle.cut.jsonl import read_json_lines
from mirrorspec.oracle.cut.judge import Judgement, judge
from mirrorspec.oracle.cut.lines import Say, check_file, most_bytes, opened, silent
from mirrorspec.oracle.cut.named import enumerated, shortened
from mirrorspec.oracle.cut.nbdkit import read_nbdkit_log
from mirrorspec.oracle.cut.witness import Witness, smallest_witness
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.verdict import Verdict

Format = Literal["auto", "json-lines", "nbdkit"]
Tap = Literal["hostward", "below"]
Discard = Literal["anything", "zero"]

DEFAULT_STAMP_BYTES = 4096
"""The unit of self-stamped blocks where none is given."""
MAX_CLOCK_ERROR_SECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked."""

    history: str
    images: Mapping[str, str]
    """The recovered image of each volume: a file, plain or gzip-compressed."""
    initials: Mapping[str, str] = field(default_factory=dict)
    """What each volume held before the history: a file, or `zero`."""
    format: Format = "auto"
    clock_error_seconds: Decimal = Decimal(0)
    """By how much the clocks of two units may differ."""
    tap: Tap = "hostward"
    """Whether the recorded intervals contain the replicator's own."""
    discard: Discard = "anything"
    """What a discarded block reads as."""
    block_bytes: int | None = None
    """The unit at which blocks were stamped; a JSON-lines history says its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, and what may be claimed of it."""

    question: Question
    history: History
    judged: Judged
    judgement: Judgement
    witness: Witness | None
    """Where the image is torn, the fewest blocks that show it."""
    verdict: Verdict
    findings: tuple[str, ...]
    """`torn`, `foreign`, both, or neither."""
    reason: str | None
    """Why the answer is inconclusive."""
    undecided: tuple[str, ...] = ()
    """The volumes on whose unknown initial contents it depends whether the image is torn."""

    @property
    def changed(self) -> int:
        """How many blocks that were never written differ from the initial image: foreign too."""
        return sum(side.changed_count for side in self.judged.images)

    @property
    def lines(self) -> int:
        """How many requests were judged."""
        row = self.judged.row
        line = self.history.line if row is None else self.history.line[row]
        return int(np.count_nonzero(np.diff(line))) + bool(len(line))


def answer(question: Question, say: Say = silent) -> Answer:
    """Read what *question* names and judge it, and *say* what is being done; `BadInputError` where it cannot be read."""
    check_file(question.history)
    for file in (*question.images.values(), *question.initials.values()):
        if file != ZERO:
            check_file(file)
    history = read(question, say)
    if not history.volumes:
        raise BadInputError(f"{question.history}: holds no write, so there is nothing to judge")
    if not question.images:
        raise BadInputError(f"no image given; --image VOLUME=FILE, where {question.history} has {_names(history)}")
    if history.order_only and question.clock_error_seconds:
        raise BadInputError(f"--clock-error: {question.history} has no times that it could apply to")
    say(f"reading the images of {', '.join(question.images)}")
    judged = compare(history, question.images, question.initials, clock_error(question.clock_error_seconds), say)
    say(f"judging {len(judged.unit)} block writes")
    judgement, witness, undecided = settle(judged)
    changed = any(side.changed_count for side in judged.images)
    findings = ("torn",) * judgement.torn + ("foreign",) * bool(len(judgement.foreign) or changed)
    verdict, reason = _verdict(question, history, judged, findings, undecided)
    return Answer(question, history, judged, judgement, witness, verdict, findings, reason, undecided)


def settle(judged: Judged) -> tuple[Judgement, Witness | None, tuple[str, ...]]:
    """The judgement, a witness where the image is torn, and the volumes whose unknown initial contents decide that.

    First every content that some write wrote is taken to come from a write. Only if the image is then torn it matters
    that an unknown initial content may have been the same: the second judgement allows that everywhere.
    """
    columns = (judged.unit, judged.issue, judged.acknowledgement, judged.shown)
    initial = judged.initial
    judgement = judge(*columns, initial)
    if judgement.torn and judged.undecided.any():
        initial = initial | judged.undecided
        judgement = judge(*columns, initial)
        if not judgement.torn:
            return judgement, None, tuple(side.volume for side in judged.images if side.undecided.any())
    return judgement, smallest_witness(judgement, *columns, initial) if judgement.torn else None, ()


def read(question: Question, say: Say = silent) -> History:
    """The history that *question* names."""
    limits = {volume: (image, most_bytes(image)) for volume, image in question.images.items()}
    kind = question.format if question.format != "auto" else _sniff(question.history)
    zero = question.discard == "zero"
    if kind == "nbdkit":
        size = DEFAULT_STAMP_BYTES if question.block_bytes is None else question.block_bytes
        return read_nbdkit_log(question.history, block_bytes=size, discard_reads_zero=zero, limits=limits, say=say)
    history = read_json_lines(question.history, discard_reads_zero=zero, limits=limits, say=say)
    if question.block_bytes not in (None, history.block_bytes):
        raise BadInputError(
            f"--block-bytes {question.block_bytes}: {question.history} says in its first line, or by leaving it out, "
            f"that its blocks have {history.block_bytes} bytes"
        )
    return history


def clock_error(seconds: Decimal) -> int:
    """The clock error in nanoseconds, rounded up exactly."""
    if not 0 <= seconds <= MAX_CLOCK_ERROR_SECONDS:
        raise BadInputError(
            f"--clock-error {shortened(str(seconds))}: 0 to {MAX_CLOCK_ERROR_SECONDS} seconds are expected"
        )
    return ceil(Fraction(seconds) * SECOND)


def _sniff(path: str) -> Literal["json-lines", "nbdkit"]:
    with opened(path) as (stream, _):
        start = stream.read(64).lstrip()
    if start[:1].isdigit():
        return "nbdkit"
    if start[:1] in (b"{", b""):
        return "json-lines"
    raise BadInputError(f"{path}:1: neither a JSON object nor a line of nbdkit's log filter: {start[:40]!r}")


def _verdict(
    question: Question, history: History, judged: Judged, findings: tuple[str, ...], undecided: tuple[str, ...]
) -> tuple[Verdict, str | None]:
    if not len(judged.unit) and not findings:
        return Verdict.INCONCLUSIVE, "the history writes nothing to the volumes that were judged"
    if history.overlap:
        return Verdict.INCONCLUSIVE, history.overlap
    if findings and question.tap == "below":
        why = "the history was tapped below the replicator's acknowledgement, so its intervals may be too short"
        return Verdict.INCONCLUSIVE, f"{why}, and what looks {' and '.join(findings)} may be none"
    if findings == ("torn",) and history.order_only:
        why = "the image is no prefix of this order, and without times the order says more than the host did"
        return Verdict.INCONCLUSIVE, why
    if not findings and undecided:
        have = "volumes" if len(undecided) > 1 else "volume"
        why = (
            f"it depends on what {have} {enumerated(undecided)} held before the history began whether the image is torn"
        )
        return Verdict.INCONCLUSIVE, f"{why}; give {enumerated([f'--initial {v}=FILE (or zero)' for v in undecided])}"
    if not findings and not (judged.acknowledgement < NEVER).any():
        return Verdict.INCONCLUSIVE, "no write was ever acknowledged, so no image could have been torn"
    return (Verdict.VIOLATED, None) if findings else (Verdict.EXHAUSTED, None)


def _names(history: History) -> str:
    return f"the volumes {enumerated(history.volumes)}"
