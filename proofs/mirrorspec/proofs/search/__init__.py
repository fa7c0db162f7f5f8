"""Exhaustive search: every state that a model can reach within a bound, with a shortest counterexample.

`search` is all that others call. Read `exhaustive` first, then `batch` (the steps of many states at a time), `store` (the
exact set of states), `trace` (how the way to a state is recovered).
"""

from mirrorspec.proofs.search.exhaustive import search
from mirrorspec.proofs.search.result import Progress, SearchResult

__all__ = ["Progress", "SearchResult", "search"]
