"""`mirrorspec cut`: is a recovered image a consistent cut of a recorded history of host writes?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import cast

import click

from mirrorspec.cli.output import Progress, console, json_option, quiet_option, refuse_overwrite, write_json
from mirrorspec.oracle.cut.images import ZERO
from mirrorspec.oracle.cut.named import enumerated, escaped, shortened
from mirrorspec.oracle.cut.question import Discard, Format, Question, Tap, answer
from mirrorspec.oracle.cut.report import report
from mirrorspec.oracle.cut.text import lines
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.verdict import Verdict

SECONDS = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?", re.ASCII)
MAX_SECONDS_CHARACTERS = 40


def _by_volume(option: str, pairs: Sequence[str]) -> dict[str, str]:
    """`VOLUME=FILE` options as a table; a volume's name may hold `=`, the file's name may not."""
    table: dict[str, str] = {}
    for pair in pairs:
        name, _, file = pair.rpartition("=")
        if not name or not file:
            raise BadInputError(f"{option} {pair}: VOLUME=FILE is expected")
        if name in table:
            raise BadInputError(f"{option} {pair}: volume {name} is given twice")
        table[name] = file
    return table


def _seconds(text: str) -> Decimal:
    if len(text) > MAX_SECONDS_CHARACTERS or not SECONDS.fullmatch(text):
        raise BadInputError(f"--clock-error {shortened(text)}: a number of seconds is expected, as 0.002")
    return Decimal(text)


@click.command("cut")
@click.argument("history", metavar="HISTORY")
@click.option(
    "--image", "images", metavar="VOLUME=FILE", multiple=True, required=True,
    help="A volume's recovered image, raw or gzip-compressed; once for each volume.",
)  # fmt: skip
@click.option(
    "--initial", "initials", metavar="VOLUME=FILE|zero", multiple=True,
    help="What a volume held before the history began; without it, it may have held anything that its image shows.",
)  # fmt: skip
@click.option(
    "--format", "kind", type=click.Choice(["auto", "json-lines", "nbdkit"]), default="auto", show_default=True,
    help="JSON lines, or the log of nbdkit's log filter over self-stamped blocks.",
)  # fmt: skip
@click.option(
    "--clock-error", metavar="SECONDS", default="0", show_default=True,
    help="By how much the clocks that took the times may differ.",
)  # fmt: skip
@click.option(
    "--tap", type=click.Choice(["hostward", "below"]), default="hostward", show_default=True,
    help="Whether the history was taken at or hostward of the replicator's acknowledgement, or below it.",
)  # fmt: skip
@click.option(
    "--discard", type=click.Choice(["anything", "zero"]), default="anything", show_default=True,
    help="What a discarded block reads as.",
)  # fmt: skip
@click.option(
    "--block-bytes", type=int, metavar="BYTES",
    help="How large the self-stamped blocks of an nbdkit log are (4096); JSON lines say it themselves.",
)  # fmt: skip
@json_option
@quiet_option
def command(
    history: str,
    images: Sequence[str],
    initials: Sequence[str],
    kind: str,
    clock_error: str,
    tap: str,
    discard: str,
    block_bytes: int | None,
    json_path: str | None,
    quiet: bool,
) -> Verdict:
    """Is a recovered image a consistent cut of HISTORY?

    HISTORY records what the hosts wrote: when each write was issued and acknowledged, and with what content. The image is
    a cut if it holds, for some time T, every write acknowledged before T and none issued after T.
    """
    try:
        return _judged(
            history, images, initials, kind, clock_error, tap, discard, block_bytes, json_path=json_path, quiet=quiet
        )
    except BadInputError as error:
        raise BadInputError(escaped(str(error))) from error  # it may quote a name with any character


def _judged(
    history: str,
    images: Sequence[str],
    initials: Sequence[str],
    kind: str,
    clock_error: str,
    tap: str,
    discard: str,
    block_bytes: int | None,
    *,
    json_path: str | None,
    quiet: bool,
) -> Verdict:
    question = Question(
        history,
        _by_volume("--image", images),
        _by_volume("--initial", initials),
        cast(Format, kind),
        _seconds(clock_error),
        cast(Tap, tap),
        cast(Discard, discard),
        block_bytes,
    )
    files = (file for file in question.initials.values() if file != ZERO)
    refuse_overwrite(json_path, [history, *question.images.values(), *files])
    out = console(json_path=json_path)
    encoding = out.encoding
    out.print(escaped(f"judging {enumerated(images)} against {history}", encoding))
    with Progress("cut", quiet=quiet) as progress:
        found = answer(question, lambda text: progress.update(escaped(text, "ascii")))
    data = report(found)
    if json_path is not None:
        write_json(json_path, data)
    styles = {Verdict.VIOLATED: "bold red", Verdict.EXHAUSTED: "bold green", Verdict.INCONCLUSIVE: "bold yellow"}
    for n, line in enumerate(lines(data)):
        out.print(escaped(line, encoding), style=styles[found.verdict] if n == 0 else None)
    return found.verdict
