"""The main job: every engine on everything there is, each with the verdict that it must reach.

A check yields rows (`rows`). A check may only be left out by name, and an answer that was not expected fails the job whichever
way it differs: a deviation that is not caught is as bad as a violation that should not be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from mirrorspec.model_tests import agreement, catalogue, controller_checks, histories
from mirrorspec.model_tests.rows import LEFT_OUT, Check, Report, Row, needing
from mirrorspec.proofs.mutation.scenarios import SUCCESSIONS
from mirrorspec.proofs.numbered import NumberedProtocol, Simulation, exhaust, model_for
from mirrorspec.proofs.progress import stuck
from mirrorspec.proofs.search import Progress, search, spin
from mirrorspec.spec.bounds import BOUNDS, Bounds
from mirrorspec.spec.configuration import CONFIGURATIONS, HARDENED, SEED, Configuration, Restart
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.model import build
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.variants import combinations, fault
from mirrorspec.spec.verdict import Verdict

STANDARD = (
    ("hardened", "standard", "1u2t3w"),
    ("hardened", "standard", "1u2v2w"),
    ("hardened", "standard", "2u2t3w"),
    ("hardened", "crashes", "1u2t3w"),
    ("hardened", "crashes", "2u2t2w"),
    ("hardened", "takeover", "2u2t2w"),
    ("hardened", "failover", "2u2t2w"),
    ("hardened", "disaster", "2u2t2w"),
    ("hardened", "membership", "2u2t2w"),
    ("hardened", "all", "1u1t2w"),
    ("seed", "reliable", "1u2t3w"),
    ("seed", "reliable", "2u2t3w"),
)
"""Configuration, environment and bounds of the standard searches; together they reach every SOMETIMES."""

LARGE = (
    ("hardened", "all", "1u2t2w"),
    ("hardened", "all", "2u2t2w"),
    ("hardened", "disaster", "2u2t3w"),
    ("hardened", "standard", "2u2t4w"),
    ("seed", "reliable", "2u3t4w"),
)
"""What `--full` searches besides."""

HARMLESS_BOUNDS = "2u2t2w"
"""Up to these bounds a harmless deviation is searched every time."""

SAMPLE_STATES, SAMPLE_SEED = 40, 20260000
MOST_NUMBERED_STATES = 1_000_000
ONE_TRACK = Bounds("1u1t1w", (((1,),),), "the least bounds there are, for what is walked in plain Python")
COLLISION = "a write collides"
COLLIDING_BOUNDS = ("1u2t3w", "2u2t3w")
"""Bounds with two writes to one track and time for both."""


def searches(full: bool, report: Report) -> Iterator[Row]:
    """Exhaustive search within the standard bounds, and whether every SOMETIMES was reached in it."""
    reached: dict[str, set[str]] = {name: set() for name in CONFIGURATIONS}
    wanted: dict[str, set[str]] = {name: set() for name in CONFIGURATIONS}
    for name, environment, bounds in STANDARD + (LARGE if full else ()):
        options, world, size = CONFIGURATIONS[name], ENVIRONMENTS[environment], BOUNDS[bounds]
        subject = f"{name}, {environment}, {bounds}"
        began = time.monotonic()
        result = search(build(options, world), size.universe(world), progress=_tell(report, subject))
        reached[name] |= {p for p, seen in result.sometimes.items() if seen}
        wanted[name] |= result.sometimes.keys()
        never = sorted(step for step, times in result.fired.items() if not times)
        figures = f"{result.states:,} states, depth {result.depth}" + (f", never: {', '.join(never)}" if never else "")
        yield Row("search", subject, Verdict.EXHAUSTED, result.verdict, figures, time.monotonic() - began)
    for name in CONFIGURATIONS:
        missing = sorted(wanted[name] - reached[name])
        got = "all reached" if not missing else f"not reached: {', '.join(missing)}"
        yield Row("sometimes", name, "all reached", got, f"{len(reached[name])} of {len(wanted[name])}", 0.0)


def _tell(report: Report, subject: str) -> Callable[[Progress], None]:
    return lambda p: report(f"{subject}: {p.states:,} states, frontier {p.frontier:,}, {p.states_a_second():,.0f}/s")


def known_cases(full: bool, report: Report) -> Iterator[Row]:
    """Each deviation, unsafe variant and finding: its stored trace violated, and refused where nothing is wrong."""
    for case in catalogue.cases().values():
        report(case.name)
        began = time.monotonic()
        if case.harmless:
            if full or case.bounds == HARMLESS_BOUNDS:
                yield _searched(case, report)
            else:
                figures = f"harmless; `verify --full` searches it at {case.bounds}"
                yield Row(case.kind, case.name, Verdict.EXHAUSTED, LEFT_OUT, figures, 0.0)
            continue
        try:
            found = catalogue.counterexample(case)
        except BadInputError as error:
            yield Row(case.kind, case.name, Verdict.VIOLATED, str(error), "", time.monotonic() - began)
            continue
        figures = f"{found.property}, {len(found.labels)} steps"
        got = str(Verdict.VIOLATED)
        if case.setting.deviation:
            stopped = catalogue.refusal(case)
            figures += f"; without it: {stopped}"
            got = got if stopped else "violated without the deviation too"
        yield Row(case.kind, case.name, Verdict.VIOLATED, got, figures, time.monotonic() - began)
        if full:
            yield _searched(case, report)


def _searched(case: catalogue.Case, report: Report) -> Row:
    began = time.monotonic()
    outcome = catalogue.searched(case, progress=_tell(report, case.name))
    expected = str(Verdict.EXHAUSTED)
    got = str(outcome.verdict)
    if not case.harmless:
        length = catalogue.stored()[case.name]["length"]
        expected, got = f"violated in {length} steps", f"{outcome.verdict} in {len(outcome.labels)} steps"
    figures = f"{outcome.states:,} states at {case.bounds}"
    return Row(f"{case.kind} anew", case.name, expected, got, figures, time.monotonic() - began)


def variants(full: bool, report: Report) -> Iterator[Row]:
    """Every combination of the seed's alternatives that is called safe, searched; its collision policy must be exercised."""
    safe = {name: options for name, options in combinations().items() if not fault(options)}
    subjects = [(name, options, catalogue.VARIANT_ENVIRONMENT) for name, options in safe.items()]
    subjects.append(("restart+leave", HARDENED.with_options(restart=Restart.LEAVE), "crashes"))
    for bounds in catalogue.VARIANT_BOUNDS if full else catalogue.VARIANT_BOUNDS[:1]:
        for name, options, environment in subjects:
            world = ENVIRONMENTS[environment]
            began = time.monotonic()
            result = search(build(options, world), BOUNDS[bounds].universe(world), progress=_tell(report, name))
            collides = result.sometimes.get(COLLISION, False) or bounds not in COLLIDING_BOUNDS
            got = str(result.verdict) if collides else "no write ever collides"
            figures = f"{result.states:,} states at {bounds}, environment {environment}"
            yield Row("variant", name, Verdict.EXHAUSTED, got, figures, time.monotonic() - began)


def completion(full: bool, report: Report) -> Iterator[Row]:
    """From every reachable state an increment can still be committed."""
    for options, world in (
        (SEED, ENVIRONMENTS["reliable"]),
        (HARDENED, ENVIRONMENTS["standard"]),
        (HARDENED, ENVIRONMENTS["crashes"]),
        (HARDENED, ENVIRONMENTS["takeover"]),
        (HARDENED, SUCCESSIONS),
    ):
        subject = f"{options.name}, {world.name}, {ONE_TRACK.words}"
        report(f"progress: {subject}")
        began = time.monotonic()
        found = stuck(build(options, world, kinds=(Kind.SAFETY,)), ONE_TRACK.universe(world), "all_committed")
        got = "commit stays reachable" if found.stuck is None else f"stuck after {', '.join(found.stuck)}"
        figures = f"{found.states:,} states"
        yield Row("progress", subject, "commit stays reachable", got, figures, time.monotonic() - began)


def numbered(full: bool, report: Report) -> Iterator[Row]:
    """The form with explicit increment numbers takes only steps that the specification has."""
    for environment, numbers in (("standard", 2), ("failover", 2)) if full else (("standard", 2),):
        subject = f"{environment}, {ONE_TRACK.words}, {numbers} increments"
        report(f"numbers: {subject}")
        began = time.monotonic()
        world = ENVIRONMENTS[environment]
        protocol = NumberedProtocol(model_for(world), ONE_TRACK.universe(world))
        found = exhaust(Simulation(protocol), numbers, MOST_NUMBERED_STATES)
        got = str(Verdict.EXHAUSTED) if found.complete and found.broken is None else str(found.broken or "not complete")
        figures = f"{found.states:,} states, {found.transitions:,} transitions"
        yield Row("numbers", subject, Verdict.EXHAUSTED, got, figures, time.monotonic() - began)


def readings(full: bool, report: Report) -> Iterator[Row]:
    """The bits and the batch reading agree on random states."""
    for options in (SEED, HARDENED):
        world = ENVIRONMENTS["all"]
        began = time.monotonic()
        universe = BOUNDS["2u2t3w"].universe(world)
        model = build(options, world, complete=True)
        report(f"readings of {options.name}")
        compared, found = agreement.bits_and_batch(
            model, universe, states=SAMPLE_STATES * (10 if full else 1), seed=SAMPLE_SEED
        )
        got = (
            str(Verdict.NOTHING_FOUND)
            if found is None
            else f"{found.event}, {found.part}: {found.bits} and {found.batch}"
        )
        figures = f"bits and batch, {compared:,} values, seed {SAMPLE_SEED}"
        yield Row("readings", options.name, Verdict.NOTHING_FOUND, got, figures, time.monotonic() - began)


def independent(full: bool, report: Report) -> Iterator[Row]:
    """An independent engine finds the same number of states in the emitted model."""
    for options, environment, bounds in _spin_cases():
        subject = f"{options.name}, {environment}, {bounds}"
        if not spin.available():
            yield Row("spin", subject, "equal counts", LEFT_OUT, "spin or a C compiler is not installed", 0.0)
            continue
        report(f"spin: {subject}")
        began = time.monotonic()
        world = ENVIRONMENTS[environment]
        model, universe = build(options, world, kinds=()), BOUNDS[bounds].universe(world)
        ours, theirs = search(model, universe, symmetry=False).states, spin.run(model, universe).states
        got = "equal counts" if ours == theirs else f"{ours} and {theirs} states"
        yield Row("spin", subject, "equal counts", got, f"{theirs:,} states", time.monotonic() - began)


def _spin_cases() -> list[tuple[Configuration, str, str]]:
    return [(SEED, "timer", "2u2t2w"), (HARDENED, "standard", "2u2t2w"), (HARDENED, "takeover", "1u1t2w")]


def recorded(full: bool, report: Report) -> Iterator[Row]:
    """The recorded histories: one image that is a cut, one that is torn."""
    for history in histories.HISTORIES:
        report(history.name)
        began = time.monotonic()
        verdict, figures = histories.judge(history)
        yield Row("history", history.name, history.expected, verdict, figures, time.monotonic() - began)


CHECKS: tuple[Check, ...] = (
    searches,
    needing("z3", "proof_checks", "proof"),
    needing("z3", "proof_checks", "completes"),
    needing("z3", "proof_checks", "reorderings"),
    needing("z3", "proof_checks", "mutation"),
    known_cases,
    variants,
    completion,
    numbered,
    readings,
    needing("z3", "proof_checks", "symbols"),
    independent,
    recorded,
    controller_checks.contracts,
    controller_checks.simulation,
)
"""All checks, in the order of the table. A new engine adds its check here, by `needing` if it needs a package of its own."""
