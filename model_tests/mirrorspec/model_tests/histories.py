"""The recorded histories, each with images that were recovered from it and the verdict that is right for them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from mirrorspec.oracle.cut.question import Question, answer
from mirrorspec.spec.verdict import Verdict

VOLUMES = ("A", "B")


STAMP_BYTES = 512
"""The unit at which the recorder stamped what it wrote; the client's own lines say it themselves."""


@dataclass(frozen=True, slots=True)
class History:
    """A recorded run, and one pair of images recovered from it."""

    name: str
    log: str
    images: str
    expected: Verdict


HISTORIES = tuple(
    History(f"{log.split('.')[0]}, {images} images", log, images, expected)
    for log in ("nbdkit.log.gz", "client.jsonl.gz")
    for images, expected in (("cut", Verdict.EXHAUSTED), ("torn", Verdict.VIOLATED))
)


def judge(history: History) -> tuple[Verdict, str]:
    """The verdict on a recorded history, and its figures."""
    folder = files("mirrorspec.model_tests").joinpath("corpus", "cuts")
    found = answer(
        Question(
            str(folder.joinpath(history.log)),
            {volume: str(folder.joinpath(f"{volume}.{history.images}.img.gz")) for volume in VOLUMES},
            dict.fromkeys(VOLUMES, "zero"),
            block_bytes=STAMP_BYTES if history.log.startswith("nbdkit") else None,
        )
    )
    return found.verdict, f"{found.lines:,} writes on {len(VOLUMES)} volumes" + "".join(
        f", {f}" for f in found.findings
    )
