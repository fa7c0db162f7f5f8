"""The reading in which a set is a predicate over a sort of which nothing is known: for a solver, and so for every size.

Read `Symbols` beside the list of operations in `terms`: one method a kind of node, given the node and its arguments'
values. A set is a `Predicate`: a function from a thing to the formula that it is a member. Containment becomes "for all",
or plain membership where one side is a single thing, which keeps the formulas of a step almost free of quantifiers.

`Vocabulary` holds what every formula speaks of: one uninterpreted sort for each of `sorts.Sort`, a function from a thing to
each of its owners, a strict total order of the sessions, and, in `assumptions`, all that is taken for granted about them.
`pinned` and `described` say in formulas that a universe is a certain finite one and a state a certain one, and `found` reads
a state out of a solver's model: so that a solver's answer can be run again in the bits reading, and the two compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import z3

from mirrorspec.spec.sorts import OWNERS, Sort
from mirrorspec.spec.state import field_table
from mirrorspec.spec.terms import Term
from mirrorspec.spec.universe import Universe

Formula = Any
"""A truth as the solver has it."""
Thing = Any
"""A constant, a bound variable or an application: an expression of one of the sorts."""
Functions = Mapping[str, Any]
"""The fields of one state: for each name a function from a thing (for the relation, from two writes) to a truth."""
Pairs = Callable[[Thing, Thing], Formula]
"""A relation: whether the first write needs the second."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """A set of things."""

    holds: Callable[[Thing], Formula]
    """Whether a thing is in the set."""
    only: Thing | None = None
    """The thing, where the set is known to hold just one."""
    all_but: Thing | None = None
    """The thing, where the set is known to lack just one."""


class Vocabulary:
    """What the formulas speak of: the sorts, who owns whom, and the order of the sessions."""

    def __init__(self) -> None:
        self.sorts = {sort: z3.DeclareSort(sort.value.capitalize()) for sort in Sort}
        self.owner = {
            (thing, owner): z3.Function(f"{owner}_of_{thing}", self.sorts[thing], self.sorts[owner])
            for thing, owners in OWNERS.items()
            for owner in owners
        }
        session, unit, channel = (self.sorts[s] for s in (Sort.SESSION, Sort.UNIT, Sort.CHANNEL))
        self.lower = z3.Function("lower", session, session, z3.BoolSort())
        self.first = z3.Const("first_session", session)
        self.channel = z3.Function("channel", session, unit, channel)
        self._variables = 0

    def functions(self, mark: str = "") -> dict[str, Any]:
        """The fields of a state; states with different marks have nothing to do with one another."""
        write, truth = self.sorts[Sort.WRITE], z3.BoolSort()
        return {
            name: z3.Function(name + mark, write, write, truth)
            if f.relation
            else z3.Function(name + mark, self.sorts[f.sort], truth)
            for name, f in field_table().items()
        }

    def thing(self, name: str, sort: Sort) -> Thing:
        """The constant of that name: a parameter, or a thing of a finite universe."""
        return z3.Const(name, self.sorts[sort])

    def variable(self, sort: Sort) -> Thing:
        """A variable that occurs nowhere else."""
        self._variables += 1
        return self.thing(f"{sort}_{self._variables}", sort)

    def assumptions(self) -> dict[str, Formula]:
        """What is taken for granted, and nothing else is: each with its name."""
        i, j, k = (z3.Const(n, self.sorts[Sort.SESSION]) for n in "ijk")
        u = z3.Const("u", self.sorts[Sort.UNIT])
        c = z3.Const("c", self.sorts[Sort.CHANNEL])
        v = z3.Const("v", self.sorts[Sort.VOLUME])
        to_session, to_unit = self.owner[Sort.CHANNEL, Sort.SESSION], self.owner[Sort.CHANNEL, Sort.UNIT]
        of_volume = self.owner[Sort.VOLUME, Sort.UNIT]
        across = self.channel(to_session(c), of_volume(v))
        known = {
            "no session is lower than itself": z3.ForAll([i], z3.Not(self.lower(i, i))),
            "lower than lower is lower": z3.ForAll(
                [i, j, k], z3.Implies(z3.And(self.lower(i, j), self.lower(j, k)), self.lower(i, k))
            ),
            "of two sessions one is lower": z3.ForAll([i, j], z3.Or(i == j, self.lower(i, j), self.lower(j, i))),
            "the first session is the lowest": z3.ForAll([i], z3.Not(self.lower(i, self.first))),
            "a channel joins each session to each unit": z3.ForAll(
                [k, u], z3.And(to_session(self.channel(k, u)) == k, to_unit(self.channel(k, u)) == u)
            ),
            "and only one does": z3.ForAll([c], self.channel(to_session(c), to_unit(c)) == c),
            # This follows from the last but one; said with a pattern, a solver finds it where it would have to search.
            "to the unit of each volume too": z3.ForAll(
                [c, v],
                z3.And(to_session(across) == to_session(c), to_unit(across) == of_volume(v)),
                patterns=[z3.MultiPattern(to_session(c), of_volume(v))],
            ),
        }
        for thing, owner in ((Sort.VOLUME, Sort.UNIT), (Sort.TRACK, Sort.VOLUME), (Sort.WRITE, Sort.TRACK)):
            x = z3.Const("x", self.sorts[owner])
            one_of = z3.Function(f"a_{thing}_of", self.sorts[owner], self.sorts[thing])
            known[f"every {owner} has a {thing}"] = z3.ForAll([x], self.owner[thing, owner](one_of(x)) == x)
        return known


class Symbols:
    """The algebra of predicates, for the state whose fields are *functions*; each parameter is the constant of its name."""

    def __init__(self, vocabulary: Vocabulary, functions: Functions) -> None:
        self.vocabulary = vocabulary
        self.functions = functions

    def field(self, node: Term) -> Predicate:
        return Predicate(self.functions[node.name])

    def parameter(self, node: Term) -> Predicate:
        return _single(self.vocabulary.thing(node.name, _sort(node)))

    def first_session(self, node: Term) -> Predicate:
        return _single(self.vocabulary.first)

    def empty(self, node: Term) -> Predicate:
        return Predicate(lambda x: z3.BoolVal(False))

    def full(self, node: Term) -> Predicate:
        return Predicate(lambda x: z3.BoolVal(True))

    def meet(self, node: Term, a: Predicate, b: Predicate) -> Predicate:
        return Predicate(lambda x: z3.And(a.holds(x), b.holds(x)))

    def join(self, node: Term, a: Predicate, b: Predicate) -> Predicate:
        return Predicate(lambda x: z3.Or(a.holds(x), b.holds(x)))

    def complement(self, node: Term, a: Predicate) -> Predicate:
        return Predicate(lambda x: z3.Not(a.holds(x)), only=a.all_but, all_but=a.only)

    def choose(self, node: Term, truth: Formula, a: Predicate, b: Predicate) -> Predicate:
        return Predicate(lambda x: z3.If(truth, a.holds(x), b.holds(x)))

    def owned(self, node: Term, owners: Predicate) -> Predicate:
        owner_of = self.vocabulary.owner[_sort(node), Sort(node.name)]
        return Predicate(lambda x: owners.holds(owner_of(x)))

    def owner(self, node: Term, things: Predicate) -> Predicate:
        owner_of = self.vocabulary.owner[Sort(node.name), _sort(node)]
        if things.only is not None:
            return _single(owner_of(things.only))
        return self._image(Sort(node.name), things, lambda x, y: owner_of(y) == x)

    def earlier(self, node: Term, channels: Predicate) -> Predicate:
        session = self.vocabulary.owner[Sort.CHANNEL, Sort.SESSION]
        unit = self.vocabulary.owner[Sort.CHANNEL, Sort.UNIT]

        def before(x: Thing, y: Thing) -> Formula:
            return z3.And(unit(x) == unit(y), self.vocabulary.lower(session(x), session(y)))

        if channels.only is not None:
            return Predicate(lambda x: before(x, channels.only))
        return self._image(Sort.CHANNEL, channels, before)

    def _image(self, sort: Sort, things: Predicate, related: Pairs) -> Predicate:
        def holds(x: Thing) -> Formula:
            y = self.vocabulary.variable(sort)
            return z3.Exists([y], z3.And(things.holds(y), related(x, y)))

        return Predicate(holds)

    def true(self, node: Term) -> Formula:
        return z3.BoolVal(True)

    def false(self, node: Term) -> Formula:
        return z3.BoolVal(False)

    def both(self, node: Term, a: Formula, b: Formula) -> Formula:
        return z3.And(a, b)

    def either(self, node: Term, a: Formula, b: Formula) -> Formula:
        return z3.Or(a, b)

    def negate(self, node: Term, a: Formula) -> Formula:
        return z3.Not(a)

    def within(self, node: Term, a: Predicate, b: Predicate) -> Formula:
        if a.only is not None:
            return b.holds(a.only)
        if b.all_but is not None:
            return z3.Not(a.holds(b.all_but))
        x = self.vocabulary.variable(_sort(node))
        return z3.ForAll([x], z3.Implies(a.holds(x), b.holds(x)))

    def relation_field(self, node: Term) -> Pairs:
        pairs: Pairs = self.functions[node.name]
        return pairs

    def no_needs(self, node: Term) -> Pairs:
        return lambda w, needed: z3.BoolVal(False)

    def record(self, node: Term, relation: Pairs, row: Predicate, needed: Predicate) -> Pairs:
        return lambda w, v: z3.If(row.holds(w), needed.holds(v), relation(w, v))

    def closed(self, node: Term, relation: Pairs, image: Predicate, among: Predicate) -> Formula:
        w, v = (self.vocabulary.variable(Sort.WRITE) for _ in range(2))
        held = z3.And(image.holds(w), among.holds(w), relation(w, v), among.holds(v))
        return z3.ForAll([w, v], z3.Implies(held, image.holds(v)))


def _single(thing: Thing) -> Predicate:
    return Predicate(lambda x: x == thing, only=thing)


def _sort(node: Term) -> Sort:
    assert node.sort is not None
    return node.sort


def things(vocabulary: Vocabulary, universe: Universe) -> dict[Sort, list[Thing]]:
    """A constant for each thing of a finite universe."""
    return {
        sort: [vocabulary.thing(universe.name(sort, i), sort) for i in range(size)]
        for sort, size in universe.sizes.items()
    }


def pinned(vocabulary: Vocabulary, universe: Universe) -> list[Formula]:
    """That there is exactly what the finite universe holds: its things are distinct, there are no others, owned as it says."""
    there = things(vocabulary, universe)
    facts = []
    for sort, constants in there.items():
        x = vocabulary.variable(sort)
        facts += [z3.Distinct(*constants), z3.ForAll([x], z3.Or(*(x == c for c in constants)))]
    for (thing, owner), owner_of in vocabulary.owner.items():
        facts += [owner_of(there[thing][i]) == there[owner][o] for i, o in enumerate(universe.owners[thing, owner])]
    sessions = there[Sort.SESSION]
    facts += [_as(vocabulary.lower(a, b), i < j) for (i, a), (j, b) in product(enumerate(sessions), repeat=2)]
    return [*facts, vocabulary.first == sessions[0]]


def described(
    vocabulary: Vocabulary, universe: Universe, functions: Functions, state: Mapping[str, Any]
) -> list[Formula]:
    """That the fields *functions* hold just what *state*, a state of the bits reading, says."""
    there = things(vocabulary, universe)
    facts = []
    for name, word in state.items():
        constants = there[field_table()[name].sort]
        if field_table()[name].relation:
            rows = product(range(len(constants)), repeat=2)
            facts += [_as(functions[name](constants[w], constants[v]), word[w] >> v & 1) for w, v in rows]
        else:
            facts += [_as(functions[name](c), word >> i & 1) for i, c in enumerate(constants)]
    return facts


def found(model: Any, vocabulary: Vocabulary, universe: Universe, functions: Functions) -> dict[str, Any]:
    """The state of the bits reading that a solver's *model* of `pinned` formulas holds in *functions*."""
    there = things(vocabulary, universe)

    def word(constants: list[Thing], member: Callable[[Thing], Formula]) -> int:
        return sum(1 << i for i, c in enumerate(constants) if z3.is_true(model.eval(member(c), model_completion=True)))

    state: dict[str, Any] = {}
    for name, function in functions.items():
        f = field_table()[name]
        constants = there[f.sort]
        if f.relation:
            state[name] = tuple(word(constants, partial(function, w)) for w in constants)
        else:
            state[name] = word(constants, function)
    return state


def _as(truth: Formula, wanted: object) -> Formula:
    return truth if wanted else z3.Not(truth)
