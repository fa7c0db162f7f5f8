"""The reading in which a set is a predicate over a sort of which nothing is known: for a solver, and so for every size.

Read `Symbols` beside the list of operations in `terms`: one method a kind of node, given the node and its arguments'
values. A set is a `Predicate`: a function from a thing to the formula that it is a member. Containment becomes "for all",
or plain membership where one side is a single thing, which keeps the formulas of a step almost free of quantifiers.

`Vocabulary` holds what every formula speaks of: an uninterpreted sort for each of `sorts.Sort`, a function from a thing to
its owner, a strict total order of the sessions, and, in `assumptions`, all that is taken for granted about them. A channel
is nothing but a session and a unit: so each session has one to each unit, and no solver has to be told.
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
from mirrorspec.spec.terms import Term, sort_of
from mirrorspec.spec.universe import Universe

Formula = Any
"""A truth as the solver has it."""
Thing = tuple[Any, ...]
"""Expressions that together name a thing: for a channel its session and its unit, for all else the one expression."""
Functions = Mapping[str, Any]
"""The fields of one state: for each name a function from what names a thing (for the relation, two writes) to a truth."""
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
        self.sorts: dict[Sort, Any] = {
            sort: z3.DeclareSort(sort.value.capitalize()) for sort in Sort if sort is not Sort.CHANNEL
        }
        self.owner_of = {
            thing: z3.Function(f"{owner}_of", self.sorts[thing], self.sorts[owner])
            for thing, (owner, *others) in OWNERS.items()
            if not others
        }
        session = self.sorts[Sort.SESSION]
        self.lower = z3.Function("lower", session, session, z3.BoolSort())
        self.first = z3.Const("first_session", session)
        self._variables = 0

    def functions(self, mark: str = "") -> dict[str, Any]:
        """The fields of a state; states with different marks have nothing to do with one another."""
        return {
            name: z3.Function(name + mark, *self._parts(f.sort) * (2 if f.relation else 1), z3.BoolSort())
            for name, f in field_table().items()
        }

    def thing(self, name: str, sort: Sort) -> Thing:
        """The thing of that name: a parameter."""
        if sort is Sort.CHANNEL:
            return self.thing(f"{name}.session", Sort.SESSION) + self.thing(f"{name}.unit", Sort.UNIT)
        return (z3.Const(name, self.sorts[sort]),)

    def variable(self, sort: Sort) -> Thing:
        """A variable that occurs nowhere else."""
        self._variables += 1
        return self.thing(f"{sort}_{self._variables}", sort)

    def owner(self, thing: Thing, sort: Sort, owner: Sort) -> Thing:
        """The owner of a thing of a sort."""
        if sort is Sort.CHANNEL:
            return thing[:1] if owner is Sort.SESSION else thing[1:]
        return (self.owner_of[sort](*thing),)

    def _parts(self, sort: Sort) -> list[Any]:
        return [self.sorts[s] for s in ((Sort.SESSION, Sort.UNIT) if sort is Sort.CHANNEL else (sort,))]

    def assumptions(self) -> dict[str, Formula]:
        """What is taken for granted, and nothing else is: each with its name."""
        i, j, k = (z3.Const(n, self.sorts[Sort.SESSION]) for n in "ijk")
        known = {
            "no session is lower than itself": z3.ForAll([i], z3.Not(self.lower(i, i))),
            "lower than lower is lower": z3.ForAll(
                [i, j, k], z3.Implies(z3.And(self.lower(i, j), self.lower(j, k)), self.lower(i, k))
            ),
            "of two sessions one is lower": z3.ForAll([i, j], z3.Or(i == j, self.lower(i, j), self.lower(j, i))),
            "the first session is the lowest": z3.ForAll([i], z3.Not(self.lower(i, self.first))),
        }
        for thing, owner in ((Sort.VOLUME, Sort.UNIT), (Sort.TRACK, Sort.VOLUME), (Sort.WRITE, Sort.TRACK)):
            x = z3.Const("x", self.sorts[owner])
            one_of = z3.Function(f"a_{thing}_of", self.sorts[owner], self.sorts[thing])
            known[f"every {owner} has a {thing}"] = z3.ForAll([x], self.owner_of[thing](one_of(x)) == x)
        return known


def equal(a: Thing, b: Thing) -> Formula:
    """That two things are the same."""
    same = [x == y for x, y in zip(a, b, strict=True)]
    return same[0] if len(same) == 1 else z3.And(*same)


class Symbols:
    """The algebra of predicates, for the state whose fields are *functions*; each parameter is the constant of its name."""

    def __init__(self, vocabulary: Vocabulary, functions: Functions) -> None:
        self.vocabulary = vocabulary
        self.functions = functions

    def field(self, node: Term) -> Predicate:
        function = self.functions[node.name]
        return Predicate(lambda x: function(*x))

    def parameter(self, node: Term) -> Predicate:
        return _single(self.vocabulary.thing(node.name, sort_of(node)))

    def first_session(self, node: Term) -> Predicate:
        return _single((self.vocabulary.first,))

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
        thing, owner = sort_of(node), Sort(node.name)
        return Predicate(lambda x: owners.holds(self.vocabulary.owner(x, thing, owner)))

    def owner(self, node: Term, things: Predicate) -> Predicate:
        thing, owner = Sort(node.name), sort_of(node)
        if things.only is not None:
            return _single(self.vocabulary.owner(things.only, thing, owner))
        return self._image(thing, things, lambda x, y: equal(x, self.vocabulary.owner(y, thing, owner)))

    def earlier(self, node: Term, channels: Predicate) -> Predicate:
        def before(x: Thing, y: Thing) -> Formula:
            return z3.And(x[1] == y[1], self.vocabulary.lower(x[0], y[0]))

        here = channels.only
        if here is not None:
            return Predicate(lambda x: before(x, here))
        return self._image(Sort.CHANNEL, channels, before)

    def _image(self, sort: Sort, things: Predicate, related: Pairs) -> Predicate:
        def holds(x: Thing) -> Formula:
            y = self.vocabulary.variable(sort)
            return z3.Exists([*y], z3.And(things.holds(y), related(x, y)))

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
        x = self.vocabulary.variable(sort_of(node))
        return z3.ForAll([*x], z3.Implies(a.holds(x), b.holds(x)))

    def relation_field(self, node: Term) -> Pairs:
        function = self.functions[node.name]
        return lambda w, v: function(*w, *v)

    def no_needs(self, node: Term) -> Pairs:
        return lambda w, needed: z3.BoolVal(False)

    def record(self, node: Term, relation: Pairs, row: Predicate, needed: Predicate) -> Pairs:
        return lambda w, v: z3.If(row.holds(w), needed.holds(v), relation(w, v))

    def closed(self, node: Term, relation: Pairs, image: Predicate, among: Predicate) -> Formula:
        w, v = (self.vocabulary.variable(Sort.WRITE) for _ in range(2))
        held = z3.And(image.holds(w), among.holds(w), relation(w, v), among.holds(v))
        return z3.ForAll([*w, *v], z3.Implies(held, image.holds(v)))


def _single(thing: Thing) -> Predicate:
    return Predicate(lambda x: equal(x, thing), only=thing)


def things(vocabulary: Vocabulary, universe: Universe) -> dict[Sort, list[Thing]]:
    """What names each thing of a finite universe."""
    there: dict[Sort, list[Thing]] = {
        sort: [vocabulary.thing(universe.name(sort, i), sort) for i in range(universe.sizes[sort])]
        for sort in vocabulary.sorts
    }
    ends = (universe.owners[Sort.CHANNEL, sort] for sort in (Sort.SESSION, Sort.UNIT))
    there[Sort.CHANNEL] = [there[Sort.SESSION][k] + there[Sort.UNIT][u] for k, u in zip(*ends, strict=True)]
    return there


def pinned(vocabulary: Vocabulary, universe: Universe) -> list[Formula]:
    """That there is exactly what the finite universe holds: its things are distinct, there are no others, owned as it says."""
    there = things(vocabulary, universe)
    facts = []
    for sort in vocabulary.sorts:
        x = vocabulary.variable(sort)
        facts += [
            z3.Distinct(*(c for (c,) in there[sort])),
            z3.ForAll([*x], z3.Or(*(equal(x, c) for c in there[sort]))),
        ]
    for thing, owner_of in vocabulary.owner_of.items():
        (owner,) = OWNERS[thing]
        facts += [owner_of(*there[thing][i]) == there[owner][o][0] for i, o in enumerate(universe.owners[thing, owner])]
    sessions = [k for (k,) in there[Sort.SESSION]]
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
            facts += [_as(functions[name](*constants[w], *constants[v]), word[w] >> v & 1) for w, v in rows]
        else:
            facts += [_as(functions[name](*c), word >> i & 1) for i, c in enumerate(constants)]
    return facts


def found(model: Any, vocabulary: Vocabulary, universe: Universe, functions: Functions) -> dict[str, Any]:
    """The state of the bits reading that a solver's *model* of `pinned` formulas holds in *functions*."""
    there = things(vocabulary, universe)

    def word(constants: list[Thing], member: Callable[..., Formula]) -> int:
        return sum(1 << i for i, c in enumerate(constants) if z3.is_true(model.eval(member(*c), model_completion=True)))

    state: dict[str, Any] = {}
    for name, function in functions.items():
        f = field_table()[name]
        constants = there[f.sort]
        if f.relation:
            state[name] = tuple(word(constants, partial(function, *w)) for w in constants)
        else:
            state[name] = word(constants, function)
    return state


def _as(truth: Formula, wanted: object) -> Formula:
    return truth if wanted else z3.Not(truth)
