"""What may be left out of a term without changing its value: facts known from a step's own guards, and inclusions.

The term constructors already fold constants. Here stands what needs more than one node to see. Nothing knows the protocol.
"""

from __future__ import annotations

from mirrorspec.spec.terms import FALSE, TRUE, SetTerm, T, Term, Truth, rebuild


def included(a: Term, b: Term) -> bool:
    """Whether the set *a* lies within *b* by the shape of the terms alone (False: not seen)."""
    if a is b or a.kind == "empty" or b.kind == "full":
        return True
    if b.kind == "meet":
        return all(included(a, part) for part in b.args)
    if a.kind == "join":
        return all(included(part, b) for part in a.args)
    return (b.kind == "join" and any(included(a, part) for part in b.args)) or (
        a.kind == "meet" and any(included(part, b) for part in a.args)
    )


def follows(truth: Term, from_truth: Term) -> bool:
    """Whether *truth* holds wherever *from_truth* does, by the shape of the terms alone (False: not seen)."""
    if truth is from_truth or truth is TRUE or from_truth is FALSE:
        return True
    if truth.kind == from_truth.kind == "within":
        return included(truth.args[0], from_truth.args[0]) and included(from_truth.args[1], truth.args[1])
    if truth.kind == from_truth.kind == "negate":
        return follows(from_truth.args[0], truth.args[0])
    return False


def assuming(term: T, facts: tuple[Truth, ...]) -> T:
    """*term* where all of *facts* are known to hold.

    That a single thing lies in a set and that it lies outside of it are the negations of one another.
    """
    known: dict[int, Term] = {}
    for fact in facts:
        if fact.kind == "true":
            continue
        known[id(fact)] = TRUE
        known[id(~fact)] = FALSE
        if fact.kind == "within" and _is_one_thing(fact.args[0]):
            thing, where = fact.args
            assert isinstance(thing, SetTerm)
            assert isinstance(where, SetTerm)
            known[id(thing.outside(where))] = FALSE
    return rebuild(term, known)


def _is_one_thing(term: Term) -> bool:
    """Whether a set is known to hold exactly one thing: a parameter, or an owner of one. Other sets may be empty."""
    return term.kind == "parameter" or (term.kind == "owner" and _is_one_thing(term.args[0]))


def evident(truth: Truth) -> Truth:
    """TRUE where containment can be seen from the shape of the terms, else *truth*."""
    return TRUE if truth.kind == "within" and included(*truth.args) else truth


def conjunction(guards: dict[str, Truth]) -> dict[str, Truth]:
    """The guards without those that another implies; a contradiction becomes a single guard that is FALSE."""
    kept = dict(guards)
    for name, truth in guards.items():
        others = [other for n, other in kept.items() if n != name]
        if truth is TRUE or any(follows(truth, other) for other in others):
            del kept[name]
        elif assuming(truth, tuple(others)) is FALSE:
            return {name: FALSE}
    return kept
