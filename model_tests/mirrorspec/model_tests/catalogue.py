"""The stored counterexamples: one, shortest, for each deviation, unsafe order or variant, and finding about the seed.

`stored.json` holds only events; a case's setting comes from the specification, so a trace that no longer fits is noticed when
it is replayed. ``python -m mirrorspec.model_tests.catalogue`` searches all of them anew and writes the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from mirrorspec.proofs.search import Progress, SearchResult, search
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import SEED
from mirrorspec.spec.counterexample import Counterexample, Setting, replayed
from mirrorspec.spec.deviations import DEVIATIONS, deviation
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.reordered import REORDERED
from mirrorspec.spec.variants import combinations, fault
from mirrorspec.spec.verdict import Verdict

STORED = "stored.json"
ENGINE = "search"
VARIANT_ENVIRONMENT, VARIANT_BOUNDS = "standard", ("1u2t3w", "2u2t2w", "2u2t3w")
"""Where variants are compared; the last bounds tell them all apart, the smaller ones do not."""


@dataclass(frozen=True, slots=True)
class Case:
    """Something whose verdict is known: a way to be wrong and its trace, or a way to deviate that breaks nothing."""

    kind: str
    name: str
    words: str
    bounds: str
    setting: Setting
    harmless: str = ""
    properties: tuple[str, ...] = ()

    def model(self) -> Model:
        """The model to search: safety only, everything left out that does not matter."""
        if self.setting.deviation is not None:
            return deviation(self.setting.deviation).model()
        return build(self.setting.configuration, self.setting.environment, kinds=(Kind.SAFETY,))

    def right(self) -> Setting | None:
        """The same setting without the deviation; None for a case that is not a deviation."""
        s = self.setting
        if s.deviation is None:
            return None
        return Setting(deviation(s.deviation).right, s.environment, s.layout, s.sessions)


def cases() -> dict[str, Case]:
    """Every case by its name, in the order of the reference."""
    found = [
        Case(
            "reordering" if d.name in REORDERED else "deviation",
            d.name,
            d.fault,
            d.bounds,
            _setting(d.configuration, d.environment, d.bounds, d.name),
            d.harmless,
        )
        for d in (*DEVIATIONS.values(), *REORDERED.values())
    ]
    for name, options in combinations().items():
        if fault(options):
            bounds = "2u2t3w" if options.switch == "before_start" else "2u2t2w"
            found.append(Case("variant", name, fault(options), bounds, _setting(options, VARIANT_ENVIRONMENT, bounds)))
    found.append(
        Case(
            "finding",
            "increment_timer_in_seed",
            "block 558's timer fires on one unit while another is already flashed: it merges and sends",
            "2u2t2w",
            _setting(SEED, "timer", "2u2t2w"),
            properties=("consistent",),
        )
    )
    return {case.name: case for case in found}


def _setting(options: object, environment: str, bounds: str, deviation: str | None = None) -> Setting:
    world = ENVIRONMENTS[environment]
    return Setting(options, world, BOUNDS[bounds].layout, world.sessions, deviation)  # type: ignore[arg-type]


def searched(
    case: Case, *, max_states: int | None = None, progress: Callable[[Progress], None] | None = None
) -> SearchResult:
    """The case searched anew."""
    return search(
        case.model(),
        case.setting.universe,
        properties=case.properties or None,
        max_states=max_states,
        progress=progress,
    )


def stored() -> dict[str, dict[str, object]]:
    """The stored events and property of each case, by name."""
    text = files("mirrorspec.model_tests").joinpath(STORED).read_text(encoding="utf-8")
    data: dict[str, dict[str, object]] = json.loads(text)
    return data


def counterexample(case: Case) -> Counterexample:
    """The stored counterexample of a case, replayed. Raises `BadInputError` when it does not fit any more."""
    record = stored()[case.name]
    labels = record["events"]
    assert isinstance(labels, list)
    return replayed(case.setting, labels, str(record["property"]), engine=ENGINE, shortest=True)


def refusal(case: Case) -> str:
    """What stops the stored trace of a deviation where nothing is wrong: the first refused event with its guards."""
    right = case.right()
    assert right is not None
    reading = BitsReading(right.model(), right.universe)
    found = counterexample(case)
    state = reading.initial()
    for label in found.labels:
        event = reading.by_label.get(label)
        if event is None:
            return f"{label.split('(')[0]} is no step of the protocol"
        refused = reading.refusals(event, state)
        if refused:
            return f"{label} refused by {', '.join(refused)}"
        before, state = state, reading.after(event, state)
        if found.property in reading.broken(before, event, state):
            return ""
    return "the same events keep the property"


def generate() -> dict[str, dict[str, object]]:
    """Search every case anew: the content of the stored file. Raises `ValueError` for one with the wrong verdict."""
    result: dict[str, dict[str, object]] = {}
    for case in cases().values():
        outcome = searched(case)
        wanted = Verdict.EXHAUSTED if case.harmless else Verdict.VIOLATED
        if outcome.verdict is not wanted:
            raise ValueError(f"{case.name}: {outcome.verdict}, but {wanted} was expected")
        print(f"{case.name}: {outcome.verdict}, {outcome.states} states, {len(outcome.labels)} steps", flush=True)
        if not case.harmless:
            result[case.name] = {
                "bounds": case.bounds,
                "property": outcome.property,
                "length": len(outcome.labels),
                "events": list(outcome.labels),
            }
    return result


def main() -> None:
    """Write the stored file anew, beside this module."""
    text = json.dumps(generate(), indent=1) + "\n"
    Path(__file__).with_name(STORED).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
