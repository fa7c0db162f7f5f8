"""The reading as text: a term as an expression over integers, for a compiler of another language.

A set is a word of bits as in `bits`, and a value here is either an integer that is known already, since the parameters are
chosen before the text is printed, or the text of an expression. What is known is folded, so that "v is flashed" becomes a test
of one bit. `Syntax` is what differs from language to language; `Python` serves compilers of Python, `promela` has its own.

All integers may be signed: only `&`, `|`, `^`, shifts of what is known to be positive, and comparisons are printed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mirrorspec.spec.readings.bits import moved, moves_of
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.terms import Term, sort_of
from mirrorspec.spec.universe import Universe

Value = Any
"""An integer or a truth that is known, or text; of a relation, a tuple of such, one a write."""


@dataclass(frozen=True, slots=True)
class Syntax:
    """How the operations are written that languages write differently."""

    both: str
    either: str
    negate: str
    choose: str


PYTHON = Syntax(both="({a} & {b})", either="({a} | {b})", negate="(not {a})", choose="({a} if {truth} else {b})")


class Scalar:
    """The algebra of text over a universe, for one choice of parameters; *read* gives the text of a field's set."""

    def __init__(
        self, universe: Universe, read: Callable[[str], Value], parameters: Mapping[str, int], syntax: Syntax = PYTHON
    ) -> None:
        self.universe, self.read, self.parameters, self.syntax = universe, read, parameters, syntax

    def field(self, node: Term) -> Value:
        return self.read(node.name)

    relation_field = field

    def parameter(self, node: Term) -> Value:
        return 1 << self.parameters[node.name]

    def empty(self, node: Term) -> Value:
        return 0

    def full(self, node: Term) -> Value:
        return self._full(node)

    def first_session(self, node: Term) -> Value:
        return 1

    def meet(self, node: Term, a: Value, b: Value) -> Value:
        if isinstance(a, int) and isinstance(b, int):
            return a & b
        if 0 in (a, b):
            return 0
        every = self._full(node)
        return b if a == every else a if b == every else f"({a} & {b})"

    def join(self, node: Term, a: Value, b: Value) -> Value:
        if isinstance(a, int) and isinstance(b, int):
            return a | b
        every = self._full(node)
        if every in (a, b):
            return every
        return b if a == 0 else a if b == 0 else f"({a} | {b})"

    def complement(self, node: Term, a: Value) -> Value:
        return a ^ self._full(node) if isinstance(a, int) else f"({a} ^ {self._full(node)})"

    def choose(self, node: Term, truth: Value, a: Value, b: Value) -> Value:
        if isinstance(truth, bool):
            return a if truth else b
        return a if a == b else self.syntax.choose.format(truth=truth, a=a, b=b)

    def owned(self, node: Term, owners: Value) -> Value:
        return self._gather(owners, self.universe.owned_masks(sort_of(node), Sort(node.name)))

    def owner(self, node: Term, things: Value) -> Value:
        return self._gather(things, self.universe.owner_masks(Sort(node.name), sort_of(node)))

    def earlier(self, node: Term, channel: Value) -> Value:
        return self._gather(channel, self.universe.earlier_masks())

    def _gather(self, word: Value, masks: tuple[int, ...]) -> Value:
        if isinstance(word, int):
            return moved(word, masks)
        parts = []
        for distance, mask in moves_of(masks):
            part = word if mask == (1 << len(masks)) - 1 else f"({word} & {mask})"
            parts.append(part if not distance else f"({part} {'<<' if distance > 0 else '>>'} {abs(distance)})")
        return "(" + " | ".join(parts) + ")" if parts else 0

    def true(self, node: Term) -> Value:
        return True

    def false(self, node: Term) -> Value:
        return False

    def both(self, node: Term, a: Value, b: Value) -> Value:
        if isinstance(a, bool) or isinstance(b, bool):
            return (b if a else False) if isinstance(a, bool) else (a if b else False)
        return self.syntax.both.format(a=a, b=b)

    def either(self, node: Term, a: Value, b: Value) -> Value:
        if isinstance(a, bool) or isinstance(b, bool):
            return (True if a else b) if isinstance(a, bool) else (True if b else a)
        return self.syntax.either.format(a=a, b=b)

    def negate(self, node: Term, a: Value) -> Value:
        return not a if isinstance(a, bool) else self.syntax.negate.format(a=a)

    def within(self, node: Term, a: Value, b: Value) -> Value:
        every = self._full(node)
        if isinstance(a, int) and isinstance(b, int):
            return not a & ~b
        if a == 0 or b == every:
            return True
        if isinstance(a, int):
            return f"(({b} & {a}) == {a})"
        if isinstance(b, int):
            return f"({a} == 0)" if b == 0 else f"(({a} & {every & ~b}) == 0)"
        return f"(({a} & ({b} ^ {every})) == 0)"

    def no_needs(self, node: Term) -> Value:
        return (0,) * self.universe.sizes[Sort.WRITE]

    def record(self, node: Term, relation: Value, row: Value, needed: Value) -> Value:
        if not isinstance(row, int):
            raise TypeError("a relation is recorded for one write at a time")
        return tuple(needed if row >> w & 1 else old for w, old in enumerate(relation))

    def closed(self, node: Term, relation: Value, image: Value, among: Value) -> Value:
        result: Value = True
        missing = self.meet(node, among, self.complement(node, image))
        held = self.meet(node, image, among)
        for w, needs in enumerate(relation):
            held_not = self.within(node, 1 << w, self.complement(node, held))
            none_missing = self.within(node, self.meet(node, needs, missing), 0)
            result = self.both(node, result, self.either(node, held_not, none_missing))
        return result

    def _full(self, node: Term) -> int:
        return self.universe.full(sort_of(node))
