"""Deterministic simulation of the whole controller: one process, one simulated clock, and everything that can fail.

Read `scenario` (what a run is made of), `world` (the run itself) and `party`; then what is checked: `refinement` (every step is
one of the specification), `judging` (every image that recovery would yield is a cut) and `coverage` (what was reached). `runs`
makes many of them, `shrink` makes a failing one short.
"""
