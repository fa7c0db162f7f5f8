"""What becomes of one mutant: caught, with a trace; harmless, with a reason; or open, which is a fault of ours.

    1. The induction: only the mutated step is proved anew, in every case of the proof, AVAILABILITY with it.
    2. Where it goes through, perhaps with another strengthening (`strengthening`), SAFETY is kept at every size. What is left
       is whether the protocol still gets anywhere (`possible`): if so the mutant is harmless, and its reason is in `reasons`.
    3. Where it does not, the mutant climbs the ladder of bounds (`ladder`) until a search finds a trace.

Every trace is run again in the bits reading on the complete mutated model before it is believed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

from mirrorspec.proofs.induction.cases import cases, deviating
from mirrorspec.proofs.induction.discharge import Formulas, Limits
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.mutants import Mutant, Part, fates
from mirrorspec.proofs.mutation.ladder import GRAPH_BOUNDS, GRAPHS, HIGH, LOW, MOST_STATES, Rung
from mirrorspec.proofs.mutation.possible import GIVING_UP, GOALS, Possible, possible, stays_possible
from mirrorspec.proofs.mutation.reasons import GHOST, REASONS
from mirrorspec.proofs.mutation.scenarios import SCENARIOS, SUCCESSIONS
from mirrorspec.proofs.mutation.strengthening import STRENGTHENINGS, failures, unproved
from mirrorspec.proofs.search import search
from mirrorspec.spec.configuration import HARDENED, Configuration, Hold
from mirrorspec.spec.counterexample import Setting, replayed
from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.deviations import deviation
from mirrorspec.spec.environment import ENVIRONMENTS, Environment
from mirrorspec.spec.model import Model, StagedStep, build, stage
from mirrorspec.spec.properties import PROPERTIES, Kind
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.state import field_table
from mirrorspec.spec.verdict import Verdict

DEVIATION = "deviation"
WORLDS = {**ENVIRONMENTS, SUCCESSIONS.name: SUCCESSIONS}
"""Every environment in which a mutant may be caught."""
KINDS = (Kind.SAFETY, Kind.PROGRESS, Kind.AVAILABILITY)
SECONDS_EACH = 2.0
"""For one obligation; the slowest of the proof takes a quarter of that."""
MOST_VARIANTS = 3
"""In so many variants a mutant is looked for on the low rungs: it may make no difference in the first ones."""


class Fate(StrEnum):
    """How a mutant ends."""

    CAUGHT = "caught"
    HARMLESS = "harmless"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant, and what shows it."""

    name: str
    """The mutant, as ``step.part``, or the named deviation."""
    part: str
    """*guard* or *change*: what was left out; *deviation*."""
    fate: Fate
    obligation: str = ""
    """The first at which the induction fails; empty where it goes through."""
    by: str = ""
    """The promise that is broken."""
    configuration: str = ""
    environment: str = ""
    bounds: str = ""
    """Where it was caught."""
    labels: tuple[str, ...] = ()
    """The events that lead there."""
    strengthening: str = ""
    """The other conjuncts with which the induction goes through; empty where it needs none."""
    reason: str = ""
    """Why it is harmless, or why it is open."""
    seconds: float = 0.0

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Outcome:
        """The outcome that was written so."""
        return cls(**{**data, "fate": Fate(data["fate"]), "labels": tuple(data["labels"])})

    def as_json(self) -> dict[str, object]:
        """The outcome as it is written and stored."""
        return asdict(self) | {"fate": str(self.fate), "labels": list(self.labels), "seconds": round(self.seconds, 2)}


def judge(mutant: Mutant) -> Outcome:
    """What becomes of a mutant."""
    began = time.perf_counter()
    limits = Limits(SECONDS_EACH)
    (fate,) = fates(cases(), [mutant], _formulas(), limits)
    outcome = Outcome(mutant.name, str(mutant.part), Fate.OPEN, obligation=next(iter(fate.failed), ""))
    failing = tuple(dict.fromkeys(name for names in fate.failed.values() for name in names))
    other = STRENGTHENINGS.get(mutant.name)
    if _is_ghost(mutant):
        found = replace(outcome, fate=Fate.HARMLESS, reason=GHOST)
    elif not failing or (other is not None and not failures(mutant, other, _formulas(), limits)):
        found = (
            _played(mutant, outcome)
            or _walked(mutant, outcome)
            or _harmless(outcome, other.words if failing and other else "")
        )
    else:
        found = (
            _played(mutant, outcome)
            or _climbed(mutant, outcome, failing, LOW, MOST_VARIANTS)
            or _walked(mutant, outcome)
            or _climbed(mutant, outcome, failing, HIGH, 1)
            or replace(outcome, reason="the induction fails, and no search within the ladder's bounds finds a trace")
        )
    return replace(found, seconds=time.perf_counter() - began)


def judge_deviation(name: str) -> Outcome:
    """What becomes of a named deviation: its shortest trace in its own bounds, or for a harmless one the proof without it."""
    began = time.perf_counter()
    wrong = deviation(name)
    rung = Rung(wrong.environment, wrong.bounds)
    outcome = Outcome(name, DEVIATION, Fate.OPEN)
    if wrong.harmless:
        found = _harmless_deviation(wrong, outcome)
    else:
        result = search(wrong.model(), rung.size.universe(rung.world), engine="batch", threads=1)
        found = replace(outcome, reason=f"{result.verdict} at its own bounds, without a trace")
        if result.verdict is Verdict.VIOLATED:
            found = _caught(outcome, wrong.configuration, rung, str(result.property), result.labels)
            setting = Setting(wrong.configuration, rung.world, rung.size.layout, rung.world.sessions, name)
            replayed(setting, result.labels, found.by, engine="batch", shortest=True)
    return replace(found, seconds=time.perf_counter() - began)


def _harmless_deviation(wrong: Deviation, outcome: Outcome) -> Outcome:
    given, model = deviating(wrong.name)
    other = STRENGTHENINGS.get(wrong.name)
    failed = unproved(
        [(given, model, other.staged(given) if other else staged(given))], _formulas(), Limits(SECONDS_EACH)
    )
    if failed:
        return replace(outcome, obligation=failed[0], reason="it is listed as harmless, but the induction fails")
    for rung in GRAPHS:
        if rung.options == wrong.configuration and rung.world.faults <= ENVIRONMENTS[wrong.environment].faults:
            lost = _lost(outcome, wrong.configuration, rung, wrong.alter(wrong.configuration, rung.world))
            if lost is not None:
                return replace(lost, fate=Fate.OPEN, reason="it is listed as harmless, but something is lost")
    return replace(outcome, fate=Fate.HARMLESS, strengthening=other.words if other else "", reason=wrong.harmless)


@cache
def _formulas() -> Formulas:
    """The formulas of this process."""
    return Formulas()


def _is_ghost(mutant: Mutant) -> bool:
    """Whether what is left out is a change of a field that is there for the proof and for readers."""
    return mutant.part is Part.CHANGE and field_table()[mutant.of_step].ghost


def _harmless(outcome: Outcome, strengthening: str) -> Outcome:
    """The outcome of a mutant that keeps every promise: harmless where somebody has written down why, else open."""
    reason = REASONS.get(outcome.name, "")
    fate = Fate.HARMLESS if reason else Fate.OPEN
    return replace(
        outcome, fate=fate, strengthening=strengthening, reason=reason or "every promise is kept; why, nobody says"
    )


def altered(mutant: Mutant, options: Configuration, world: Environment) -> list[StagedStep] | None:
    """The staged steps with the mutant in them; None where there is no such step or part."""
    staged = stage(options, world)
    changed = [mutant.of(step) for step in staged]
    if all(step is None for step in changed):
        return None
    return [new or old for new, old in zip(changed, staged, strict=True)]


def mutated(mutant: Mutant, options: Configuration, world: Environment) -> Model | None:
    """The model with the mutant in it, nothing emptied, since what it makes readable again is not known.

    None where it makes no difference: there is no such part, or the environment never lets it matter.
    """
    steps = altered(mutant, options, world)
    if steps is None:
        return None
    model = build(options, world, alter=steps, emptied=False, kinds=KINDS)
    return None if model.steps == _right(options, world).steps else model


@cache
def _right(options: Configuration, world: Environment) -> Model:
    """The model in which nothing is left out."""
    return build(options, world, emptied=False, kinds=KINDS)


def replays(mutant: Mutant, outcome: Outcome) -> bool:
    """Whether the trace of a caught mutant happens in the bits reading, and ends in what it is said to break.

    That something is lost from there on, or never happens, is not looked at again.
    """
    options = {given.options.name: given.options for given in cases()}[outcome.configuration]
    world = WORLDS[outcome.environment]
    steps = altered(mutant, options, world)
    if steps is None:
        return False
    model = build(options, world, alter=steps, kinds=KINDS, complete=True)
    reading = BitsReading(model, GRAPH_BOUNDS[outcome.bounds].universe(world))
    before, state, event = None, reading.initial(), None
    for label in outcome.labels:
        event = reading.by_label.get(label)
        if event is None or reading.refusals(event, state):
            return False
        before, state = state, reading.after(event, state)
    return outcome.by not in PROPERTIES or outcome.by in reading.broken(before, event, state)


def _configurations(failing: Sequence[str]) -> list[Configuration]:
    """Those in which it is looked for, where it fails there: the plain one, the one that caches held writes, the others."""
    known = {given.name: given.options for given in cases()}
    options = [known[name] for name in failing]
    usual = [o for o in (HARDENED, HARDENED.with_options(hold=Hold.IN_CACHE)) if o in options]
    return [*usual, *(o for o in options if o not in usual)]


def _climbed(
    mutant: Mutant, outcome: Outcome, failing: Sequence[str], rungs: Iterable[Rung], most: int
) -> Outcome | None:
    """The outcome of a mutant that a search catches on one of *rungs*, each in at most so many variants; else None."""
    for rung in rungs:
        looked = 0
        for options in _configurations(failing):
            if not options.hardened and rung.environment != "reliable":
                continue  # of the seed nothing is promised where something fails
            model = mutated(mutant, options, rung.world)
            if model is None or looked == most:
                continue
            looked += 1
            result = search(model, rung.size.universe(rung.world), engine="batch", threads=1, max_states=MOST_STATES)
            if result.verdict is Verdict.VIOLATED:
                found = _caught(outcome, options, rung, str(result.property), result.labels)
                if not replays(mutant, found):
                    raise AssertionError(f"{mutant.name}: the trace does not replay in the bits reading")
                return found
    return None


def _played(mutant: Mutant, outcome: Outcome) -> Outcome | None:
    """The outcome of a mutant whose scenario breaks a promise or ends where nothing can be committed; else None."""
    scenario = SCENARIOS.get(mutant.name)
    steps = altered(mutant, HARDENED, SUCCESSIONS)
    if scenario is None or steps is None:
        return None
    universe = GRAPH_BOUNDS[scenario.bounds].universe(SUCCESSIONS)
    reading = BitsReading(build(HARDENED, SUCCESSIONS, alter=steps, kinds=KINDS, complete=True), universe)
    before, event, state = None, None, reading.initial()
    for label in scenario.labels:
        event = reading.by_label[label]
        if reading.refusals(event, state):
            return None
        before, state = state, reading.after(event, state)
    broken = reading.broken(before, event, state)
    if not broken:
        model = build(HARDENED, SUCCESSIONS, alter=steps, emptied=False)
        if stays_possible(HARDENED, model, steps, universe, scenario.labels, MOST_STATES) is not False:
            return None
    return replace(
        outcome,
        fate=Fate.CAUGHT,
        by=broken[0] if broken else GOALS[0].name,
        configuration=HARDENED.name,
        environment=SUCCESSIONS.name,
        bounds=scenario.bounds,
        labels=scenario.labels,
    )


def _walked(mutant: Mutant, outcome: Outcome) -> Outcome | None:
    """The outcome of a mutant that loses something which must stay possible; None where it loses nothing."""
    usual = altered(mutant, HARDENED, GRAPHS[0].world)
    for rung in GRAPHS:
        options = rung.options
        assert options is not None
        steps = altered(mutant, options, rung.world)
        if steps is None or mutated(mutant, options, rung.world) is None:
            continue
        if options != HARDENED and usual is not None and _of(mutant, steps) == _of(mutant, usual):
            continue
        lost = _lost(outcome, options, rung, steps)
        if lost is not None:
            if not replays(mutant, lost):
                raise AssertionError(f"{mutant.name}: the way to where it is stuck does not replay in the bits reading")
            return lost
    return None


def _lost(outcome: Outcome, options: Configuration, rung: Rung, steps: list[StagedStep]) -> Outcome | None:
    """The outcome where something that must stay possible, or must happen sometimes, does not; None where all is as usual."""
    found = graph(options, rung, steps)
    if not found.complete:
        return None
    if found.lost:
        return _caught(outcome, options, rung, found.lost, found.labels)
    never = [name for name in found.never if name not in usually_never(rung)]
    return _caught(outcome, options, rung, f"never: {', '.join(never)}", ()) if never else None


def graph(options: Configuration, rung: Rung, steps: list[StagedStep]) -> Possible:
    """What stays possible on a rung with these steps."""
    taken = [step for step in steps if not (rung.patient and step.name in GIVING_UP)]
    kinds = [kind for kind in Kind if not (rung.patient and kind is Kind.SOMETIMES)]
    model = build(options, rung.world, alter=taken, emptied=False, kinds=kinds)
    return possible(options, model, taken, rung.size.universe(rung.world))


@cache
def usually_never(rung: Rung) -> tuple[str, ...]:
    """What does not happen on a rung where nothing is wrong, its bounds being too small."""
    assert rung.options is not None
    return graph(rung.options, rung, list(stage(rung.options, rung.world))).never


def _of(mutant: Mutant, steps: list[StagedStep]) -> StagedStep:
    return next(step for step in steps if step.name == mutant.step)


def _caught(outcome: Outcome, options: Configuration, rung: Rung, by: str, labels: tuple[str, ...]) -> Outcome:
    return replace(
        outcome,
        fate=Fate.CAUGHT,
        by=by,
        configuration=options.name,
        environment=rung.environment,
        bounds=rung.bounds,
        labels=labels,
    )
