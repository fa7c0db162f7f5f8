"""How fast the exhaustive search is, beside SPIN on the same model printed as Promela: `python benchmarks/search.py`.

Every search of a subject runs in turn, so that what else the machine does falls on all alike, and the best of several rounds
counts. Rates are states stored a second. With one thread, ratios are those of processor time, which other work disturbs
least; with two, those of the clock on the wall. All are of one process, and counts must be equal, without symmetry: the batch
reading counts every transition, and leaves out computing those of which another order of events leads to the same state
(`sleep`), while SPIN reduces nothing. `--full` adds the large bounds, each searched once, by the fastest engine, with symmetry.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass

from mirrorspec.proofs.search import SearchResult, search, spin
from mirrorspec.proofs.search.compiled import available as numba_available
from mirrorspec.spec.bounds import BOUNDS
from mirrorspec.spec.configuration import CONFIGURATIONS
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import Model, build
from mirrorspec.spec.universe import Universe

SUBJECTS = (("hardened", "standard", "2u2t3w"), ("hardened", "reliable", "2u2t3w"))
LARGE = (("hardened", "crashes", "2u2t3w"), ("hardened", "takeover", "2u2t2w"), ("hardened", "takeover", "2u2t3w"))
ASKED = {"batch": 1.5, "compiled": 4.0}
"""How many times SPIN's rate each engine has to reach, with one thread."""
MOST_BYTES = 24.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One search: its counts, and how long it took by the processor's time and by the clock."""

    states: int
    transitions: int
    processor_seconds: float
    seconds: float
    bytes_a_state: float = 0.0
    compile_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """States stored a second of processor time."""
        return self.states / self.processor_seconds


def _ours(model: Model, universe: Universe, engine: str, threads: int) -> Figure:
    found = search(model, universe, engine=engine, symmetry=False, threads=threads)
    return Figure(
        found.states,
        found.transitions,
        found.processor_seconds,
        found.seconds,
        found.bytes_a_state,
        found.compile_seconds,
    )


def _theirs(model: Model, universe: Universe) -> Figure:
    found = spin.run(model, universe)
    return Figure(found.states, found.transitions, found.processor_seconds, found.seconds)


def _compare(name: str, model: Model, universe: Universe, rounds: int) -> bool:
    """Search one subject with everything there is; whether counts are equal and every ratio is as asked."""
    runs: dict[str, Callable[[], Figure]] = {}
    if spin.available():
        runs["spin"] = lambda: _theirs(model, universe)
    else:
        print("LEFT OUT: spin, which is not installed with gcc; there is nothing to compare with")
    engines = ["batch", *(["compiled"] if numba_available() else [])]
    for engine in engines:
        runs[f"{engine}, 1 thread"] = lambda e=engine: _ours(model, universe, e, 1)  # type: ignore[misc]
        runs[f"{engine}, 2 threads"] = lambda e=engine: _ours(model, universe, e, 2)  # type: ignore[misc]
    figures: dict[str, list[Figure]] = {run: [] for run in runs}
    for _ in range(rounds):
        for run, take in runs.items():
            figures[run].append(take())
    print(
        f"{name}: {figures['batch, 1 thread'][0].states:,} states, {figures['batch, 1 thread'][0].transitions:,} transitions"
    )
    good = len({(f.states, f.transitions) for found in figures.values() for f in found}) == 1
    print(f"  counts {'equal' if good else 'DIFFER'}")
    best: dict[str, float] = {}
    rival = max((f.rate for f in figures.get("spin", [])), default=0.0)
    clock = min((f.seconds for f in figures.get("spin", [])), default=0.0)
    for run, found in figures.items():
        rate = max(f.rate for f in found)
        seconds = min(f.seconds for f in found)
        line = f"  {run:20} {rate:>12,.0f} states/s of processor, {found[0].states / seconds:>12,.0f} by the clock"
        if run != "spin":
            line += f", {found[0].bytes_a_state:.1f} bytes a state"
            good &= found[0].bytes_a_state <= MOST_BYTES
        if run.startswith("compiled"):
            line += f", compiled in {min(f.compile_seconds for f in found):.1f} s"
        if run != "spin" and rival:
            engine = run.split(",")[0]
            ratio = clock / seconds if "2 threads" in run else rate / rival
            best[engine] = max(best.get(engine, 0.0), ratio)
            line += f"; {ratio:.2f} x SPIN {'by the clock' if '2 threads' in run else 'of processor'}"
        print(line, flush=True)
    for engine, ratio in best.items():
        met = ratio >= ASKED[engine]
        print(f"  {engine}: {ratio:.2f} x SPIN, asked {ASKED[engine]} x: {'met' if met else 'NOT MET'}")
        good &= met
    return good


def _large() -> None:
    for configuration, environment, bounds in LARGE:
        world = ENVIRONMENTS[environment]
        found: SearchResult = search(build(CONFIGURATIONS[configuration], world), BOUNDS[bounds].universe(world))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{configuration}, {environment}, {bounds}, symmetry: {found.verdict}, {found.states:,} states, "
            f"{found.transitions:,} transitions, depth {found.depth}, {found.seconds:.0f} s, {found.threads} threads, "
            f"{found.bytes_a_state:.1f} bytes a state, at most {peak:.1f} GiB in all; {found.reason}",
            flush=True,
        )


def main() -> int:
    """Measure; 0 where every figure is as asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    good = True
    for configuration, environment, bounds in SUBJECTS:
        world = ENVIRONMENTS[environment]
        model, universe = build(CONFIGURATIONS[configuration], world), BOUNDS[bounds].universe(world)
        good &= _compare(f"{configuration}, {environment}, {bounds}", model, universe, options.rounds)
    if options.full:
        _large()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
