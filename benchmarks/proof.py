"""How fast the proof is, as counts and ratios: `python benchmarks/proof.py`.

Each subject is proved by Z3 in turn, over all its combinations, on as many processes as asked, and the best of several rounds
counts; then cvc5 answers every obligation of the promises once. Printed are the wall time, the slowest query, what the
solver's own time is of the wall time of all processes, and each figure beside what is asked of it.
"""

from __future__ import annotations

import argparse
import sys
import time

from mirrorspec.proofs.induction.discharge import Answer, Limits
from mirrorspec.proofs.induction.prover import Line, Scope, Solvers, Subject, Wanted, planned, prove

WALL_SECONDS, QUERY_SECONDS, SECOND_SECONDS = 5.0, 0.5, 120.0
"""Asked of the promises: all of it, one query, and cvc5's run."""


def _run(subject: Subject, solvers: Solvers, jobs: int) -> tuple[float, list[Line]]:
    planned.cache_clear()
    wanted = Wanted(Scope(subject=subject), Limits(cores=solvers is not Solvers.Z3), solvers)
    began = time.perf_counter()
    lines = list(prove(wanted, jobs=jobs))
    return time.perf_counter() - began, lines


def _said(good: bool) -> str:
    return "met" if good else "NOT MET"


def main() -> int:
    """Measure; 0 where every figure is as asked and everything is proved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    good = True
    for subject in Subject:
        runs = [_run(subject, Solvers.Z3, options.jobs) for _ in range(options.rounds)]
        seconds, lines = min(runs, key=lambda run: run[0])
        slowest = min(max(line.seconds for line in found) for _, found in runs)
        solver = sum(line.seconds for line in lines)
        proved = sum(line.answer is Answer.PROVED for line in lines)
        plan = planned(Scope(subject=subject))
        good &= proved == len(lines)
        print(
            f"{subject}: {len(plan.cases)} cases, {plan.obligations:,} obligations, {plan.evident:,} evident, "
            f"{proved:,} of {len(lines):,} asked are proved; {seconds:.1f} s on {options.jobs} processes, slowest query "
            f"{slowest:.3f} s, solver {solver / (seconds * options.jobs):.0%} of all time",
            flush=True,
        )
        if subject is Subject.PROMISES:
            met = seconds < WALL_SECONDS, slowest < QUERY_SECONDS
            print(f"  asked: under {WALL_SECONDS} s, {_said(met[0])}; no query over {QUERY_SECONDS} s, {_said(met[1])}")
            good &= all(met)
    seconds, lines = _run(Subject.PROMISES, Solvers.BOTH, options.jobs)
    agree = sum(line.second is not None and line.second.answer is line.first for line in lines)
    own = sum(line.second.seconds for line in lines if line.second is not None)
    first = sum(line.seconds for line in lines)
    print(
        f"cvc5: agrees on {agree:,} of {len(lines):,}; {seconds:.1f} s with cores, its own time {own / first:.1f} x Z3's"
    )
    print(f"  asked: under {SECOND_SECONDS} s, {_said(seconds < SECOND_SECONDS)}")
    good &= agree == len(lines) and seconds < SECOND_SECONDS
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
