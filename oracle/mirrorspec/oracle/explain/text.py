"""A counterexample as text: the steps one below the other, each with the bitmaps and images that it leaves beside it.

A bitmap is one mark a track, an image one digit a write (the write's number where the image holds it, a dot where it does
not), with a gap between tracks. A bitmap that stays as it is is not shown. The last two columns are what recovery would yield
at that moment: reverting where it may choose, or committing. Read the last line first: it names the two writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mirrorspec.spec.charts import PrimaryMode
from mirrorspec.spec.counterexample import Counterexample, Setting
from mirrorspec.spec.properties import PROPERTIES
from mirrorspec.spec.readings.bits import BitsReading, Valuation
from mirrorspec.spec.recovery import committed_image, promised, recovered
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.universe import Universe

BITMAPS = (("oos", "out_of_sync"), ("cr", "change_recording"), ("fly", "in_flight"), ("old", "preserved"))
"""The bitmaps shown for each unit: heading, field. fly: in flight; old: an old image is preserved."""
IMAGES = (("secondary", "secondary"), ("target", "target"))
"""The images shown, as fields of the state; what recovery would yield comes after them."""


def render(found: Counterexample, *, ascii_only: bool = False) -> str:
    """The whole counterexample as lines of text, ending in a line break."""
    rows = _without_idle(list(_rows(found, "#" if ascii_only else "■", "." if ascii_only else "·")))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*headline(found), "", *table, "", *conclusion(found)]) + "\n"


def can_draw(encoding: str | None) -> bool:
    """Whether the marks of the bitmaps can be written in an encoding."""
    try:
        "■·".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def headline(found: Counterexample) -> list[str]:
    """What is violated, and in which setting."""
    broken = PROPERTIES[found.property]
    length = f"{len(found.labels)} steps" + (
        " (none is shorter, by the search that found it)" if found.shortest else ""
    )
    return [
        f"violated: {found.property} {broken.cites}, in {length}",
        f"  {broken.meaning}",
        f"  {describe(found.setting)}",
    ]


def describe(setting: Setting) -> str:
    """Configuration, deviation, environment and bounds in one line."""
    universe = setting.universe
    counts = ", ".join(
        f"{universe.sizes[sort]} {sort}{'s' if universe.sizes[sort] != 1 else ''}"
        for sort in (Sort.UNIT, Sort.VOLUME, Sort.TRACK, Sort.WRITE, Sort.SESSION)
        if sort is not Sort.SESSION or universe.sessions > 1
    )
    deviation = f" with {setting.deviation}" if setting.deviation else ""
    return f"{setting.configuration.name}{deviation}, environment {setting.environment.name}, {counts}"


OF_IMAGE = {
    "consistent": "the recovered image",
    "consistent_committing": "the image that recovery yields by committing",
    "promised_writes_held": "the recovered image",
    "never_back": "what recovery yields is less than one step earlier: the image",
    "not_below_committed": "the image that recovery yields by committing",
}
"""Of which image the witness of a property speaks."""
AND_YET = {
    "promised_writes_held": ", acknowledged before the committed increment began",
    "never_back": ", which it would have held before this step",
}
"""Why what is lacking should be there, where the witness does not say it."""


def conclusion(found: Counterexample) -> list[str]:
    """What is wrong at the end, in words."""
    if found.witness is None:
        return [f"After step {len(found.labels)} this does not hold."]
    image = OF_IMAGE.get(found.property, "the state")
    said = found.witness.words(found.setting.universe)
    return [f"After step {len(found.labels)} {image} {said}{AND_YET.get(found.property, '')}."]


def _rows(found: Counterexample, on: str, off: str) -> Iterable[list[str]]:
    universe = found.setting.universe
    units = range(universe.sizes[Sort.UNIT])
    heads = ["#", "step"]
    for u in units:
        heads += [f"U{u} mode", *(name for name, _ in BITMAPS)]
    yield [*heads, *(name for name, _ in IMAGES), "recovered", "committing"]
    reading = BitsReading(found.setting.model(), universe)
    options = found.setting.configuration
    s = symbolic_state()
    offered = promised(s).tracks.writes
    yields = [recovered(s, options) & offered, committed_image(s, options) & offered]
    for i, state in enumerate(found.states):
        cells = [str(i), found.labels[i - 1] if i else "initially"]
        for u in units:
            tracks = _tracks(universe, u)
            cells.append(_mode(state, u))
            cells += ["".join(on if state[field] >> t & 1 else off for t in tracks) for _, field in BITMAPS]
        cells += [_image(universe, state[field], off) for _, field in IMAGES]
        yield [*cells, *(_image(universe, reading.value(image, state), off) for image in yields)]


def _without_idle(rows: list[list[str]]) -> list[list[str]]:
    """The rows without the bitmaps that stay empty throughout, and without a last column that repeats the one before."""
    heads, *body = rows
    bitmaps = {name for name, _ in BITMAPS}
    kept = [
        i
        for i, head in enumerate(heads)
        if not (head in bitmaps and len({row[i] for row in body}) == 1)
        and not (i == len(heads) - 1 and all(row[i] == row[i - 1] for row in body))
    ]
    return [[row[i] for i in kept] for row in rows]


def _tracks(universe: Universe, unit: int) -> Sequence[int]:
    volumes = universe.owners[Sort.VOLUME, Sort.UNIT]
    return [t for t, v in enumerate(universe.owners[Sort.TRACK, Sort.VOLUME]) if volumes[v] == unit]


def _mode(state: Valuation, unit: int) -> str:
    for mode in PrimaryMode.states:
        if not mode.initial and state[mode.id] >> unit & 1:
            return str(mode.id)
    return next(str(mode.id) for mode in PrimaryMode.states if mode.initial)


def _image(universe: Universe, image: int, off: str) -> str:
    tracks = universe.owners[Sort.WRITE, Sort.TRACK]
    groups: dict[int, str] = {}
    for w, t in enumerate(tracks):
        groups[t] = groups.get(t, "") + (str(w) if image >> w & 1 else off)
    return " ".join(groups.values())
