"""Terms: what a step of the specification becomes when it is staged.

A step is an ordinary Python function, but it is run once, on the symbolic sets below, and what it leaves behind is a term:
a small immutable tree (equal terms are the same object). Every engine reads that term by *folding* it (see `fold`) with
an algebra of its own: integers, arrays, solver formulas, program text. The kinds of node are the methods of `Algebra`,
and there are no others; nothing in a term may look inside a set.

    s.out_of_sync & ~t          intersection, union `|`, complement `~`
    t <= s.out_of_sync          containment, a `Truth`; `t.outside(x)`, `x.is_empty()`, `x.some()` are made of it
    t.unit, u.tracks            the owner, and the owned: the static relations of `sorts`
    choose(truth, a, b)         a where the truth holds, b elsewhere
    image.onto(where, new)      the image with *where* overwritten from *new*

No sort is empty, and every session and unit has a channel: constants fold accordingly. A truth cannot be tested:
`if s.a <= s.b` raises, because the answer is not known when a step is staged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, Generic, NoReturn, Protocol, TypeVar, cast

from mirrorspec.spec.sorts import OWNERS, Sort

T = TypeVar("T", bound="Term")
V = TypeVar("V", covariant=True)

_interned: dict[tuple[Any, ...], Term] = {}


class Term:
    """A node: the kind of operation, the sort (of sets), a name or owner (of leaves and relations), the arguments."""

    __slots__ = ("args", "kind", "name", "sort")
    kind: str
    sort: Any
    """The sort of a set or relation; None for a truth."""
    name: str
    args: tuple[Term, ...]

    def __init__(self, *_: object) -> None:
        raise TypeError("terms are made by their operations, not by calling the class")

    def __repr__(self) -> str:
        from mirrorspec.spec.readings.words import words

        return words(self)

    def __bool__(self) -> NoReturn:
        raise TypeError("a term cannot be tested: its value is not known when a step is staged; use choose()")

    def leaves(self) -> frozenset[str]:
        """The names of the state fields that the term reads."""
        seen: set[int] = set()
        names: set[str] = set()
        stack: list[Term] = [self]
        while stack:
            node = stack.pop()
            if id(node) not in seen:
                seen.add(id(node))
                if node.kind in ("field", "relation_field"):
                    names.add(node.name)
                stack.extend(node.args)
        return frozenset(names)


def _make(cls: type[T], kind: str, sort: Sort | None, name: str, *args: Term) -> T:
    key = (kind, sort, name, *map(id, args))
    term = _interned.get(key)
    if term is None:
        term = object.__new__(cls)
        term.kind, term.sort, term.name, term.args = kind, sort, name, args
        _interned[key] = term
    return cast(T, term)


class Truth(Term):
    """A statement about a state: true or false once the state is known."""

    __slots__ = ()

    def __and__(self, other: Truth) -> Truth:
        if self is other or other is TRUE or self is FALSE:
            return self
        if self is TRUE or other is FALSE:
            return other
        return _make(Truth, "both", None, "", self, other)

    def __or__(self, other: Truth) -> Truth:
        return ~(~self & ~other) if {self.kind, other.kind} & {"true", "false"} else _either(self, other)

    def __invert__(self) -> Truth:
        if self is TRUE or self is FALSE:
            return FALSE if self is TRUE else TRUE
        return cast(Truth, self.args[0]) if self.kind == "negate" else _make(Truth, "negate", None, "", self)

    def implies(self, other: Truth) -> Truth:
        """Whether *other* holds wherever this does."""
        return ~self | other


def _either(a: Truth, b: Truth) -> Truth:
    return a if a is b else _make(Truth, "either", None, "", a, b)


TRUE = _make(Truth, "true", None, "")
FALSE = _make(Truth, "false", None, "")


class SetTerm(Term):
    """A set of things of one sort. A single thing is the set that holds it alone (`kind == "parameter"`)."""

    __slots__ = ()
    sort: Sort

    def __and__(self, other: SetTerm) -> SetTerm:
        a, b = self._same_sort(other)
        if a is b or b.kind == "full" or a.kind == "empty":
            return a
        if a.kind == "full" or b.kind == "empty":
            return b
        return empty(a.sort) if a is ~b else _make(SetTerm, "meet", a.sort, "", a, b)

    def __or__(self, other: SetTerm) -> SetTerm:
        a, b = self._same_sort(other)
        if a is b or b.kind == "empty" or a.kind == "full":
            return a
        if a.kind == "empty" or b.kind == "full":
            return b
        return _make(SetTerm, "join", a.sort, "", a, b)

    def __invert__(self) -> SetTerm:
        if self.kind in ("empty", "full"):
            return full(self.sort) if self.kind == "empty" else empty(self.sort)
        return (
            cast(SetTerm, self.args[0])
            if self.kind == "complement"
            else _make(SetTerm, "complement", self.sort, "", self)
        )

    def __le__(self, other: SetTerm) -> Truth:
        a, b = self._same_sort(other)
        if a is b or a.kind == "empty" or b.kind == "full":
            return TRUE
        if a.kind in ("full", "parameter") and b.kind == "empty":
            return FALSE
        return _make(Truth, "within", a.sort, "", a, b)

    def outside(self, other: SetTerm) -> Truth:
        """Whether the two have nothing in common."""
        return self <= ~other

    def is_empty(self) -> Truth:
        """Whether nothing is in the set."""
        return self <= empty(self.sort)

    def some(self) -> Truth:
        """Whether anything is in the set."""
        return ~self.is_empty()

    def onto(self, where: SetTerm, new: SetTerm) -> SetTerm:
        """This image with what lies in *where* taken from *new*: how tracks are copied from one image to another."""
        return (self & ~where) | (new & where)

    def owner(self, sort: Sort) -> SetTerm:
        """The things of *sort* that own something in the set."""
        if sort not in OWNERS.get(self.sort, ()):
            raise TypeError(f"a {self.sort} has no {sort}")
        if self.kind == "empty":
            return empty(sort)
        if self.kind == "full" and self.sort is Sort.CHANNEL:
            return full(sort)
        return _make(SetTerm, "owner", sort, self.sort, self)

    def owned(self, sort: Sort) -> SetTerm:
        """The things of *sort* whose owner is in the set."""
        if self.sort not in OWNERS.get(sort, ()):
            raise TypeError(f"a {self.sort} owns no {sort}s")
        if self.kind in ("empty", "full"):
            return empty(sort) if self.kind == "empty" else full(sort)
        return _make(SetTerm, "owned", sort, self.sort, self)

    @property
    def track(self) -> SetTerm:
        """The track of a write."""
        return self.owner(Sort.TRACK)

    @property
    def volume(self) -> SetTerm:
        """The volume of a track."""
        return self.owner(Sort.VOLUME)

    @property
    def unit(self) -> SetTerm:
        """The control unit of a volume, a track or a channel."""
        return self.volume.unit if self.sort is Sort.TRACK else self.owner(Sort.UNIT)

    @property
    def session(self) -> SetTerm:
        """The session of a channel."""
        return self.owner(Sort.SESSION)

    @property
    def writes(self) -> SetTerm:
        """All writes, ever, to these tracks (or to the tracks of these volumes or units)."""
        return self.owned(Sort.WRITE) if self.sort is Sort.TRACK else self.tracks.writes

    @property
    def tracks(self) -> SetTerm:
        """The tracks of these volumes (or of the volumes of these units)."""
        return self.owned(Sort.TRACK) if self.sort is Sort.VOLUME else self.volumes.tracks

    @property
    def volumes(self) -> SetTerm:
        """The volumes of these units."""
        return self.owned(Sort.VOLUME)

    @property
    def channels(self) -> SetTerm:
        """The channels of these units or sessions."""
        return self.owned(Sort.CHANNEL)

    @property
    def earlier(self) -> SetTerm:
        """The channels by which sessions of lower number reach the same unit as this one channel."""
        return _make(SetTerm, "earlier", Sort.CHANNEL, "", self)

    def _same_sort(self, other: SetTerm) -> tuple[SetTerm, SetTerm]:
        if self.sort is not other.sort:
            raise TypeError(f"a set of {self.sort}s and a set of {other.sort}s do not mix")
        return self, other


class Relation(Term):
    """A relation between writes: for each write the set of those that it needs."""

    __slots__ = ()

    def record(self, row: SetTerm, needed: SetTerm) -> Relation:
        """The relation in which the write *row* needs exactly *needed*."""
        return _make(Relation, "record", Sort.WRITE, "", self, row, needed)

    def closes(self, image: SetTerm, among: SetTerm) -> Truth:
        """Whether *image* holds, of the writes *among*, every one that a write of the image needs."""
        return TRUE if image.kind == "empty" else _make(Truth, "closed", Sort.WRITE, "", self, image, among)


def field(name: str, sort: Sort) -> SetTerm:
    """The state's set of that name."""
    return _make(SetTerm, "field", sort, name)


def relation_field(name: str) -> Relation:
    """The state's relation of that name."""
    return _make(Relation, "relation_field", Sort.WRITE, name)


def parameter(name: str, sort: Sort) -> SetTerm:
    """The single thing that a step is about."""
    return _make(SetTerm, "parameter", sort, name)


def empty(sort: Sort) -> SetTerm:
    """The set of nothing."""
    return _make(SetTerm, "empty", sort, "")


def full(sort: Sort) -> SetTerm:
    """The set of everything of a sort."""
    return _make(SetTerm, "full", sort, "")


def no_needs() -> Relation:
    """The relation in which no write needs another."""
    return _make(Relation, "no_needs", Sort.WRITE, "")


def first_session() -> SetTerm:
    """The session that is there from the beginning; it has the lowest number."""
    return _make(SetTerm, "first_session", Sort.SESSION, "")


def choose(truth: Truth, then: SetTerm, otherwise: SetTerm) -> SetTerm:
    """*then* where *truth* holds, *otherwise* elsewhere."""
    if then is otherwise or truth is TRUE:
        return then
    return otherwise if truth is FALSE else _make(SetTerm, "choose", then.sort, "", truth, then, otherwise)


def all_of(truths: Iterable[Truth]) -> Truth:
    """Whether every one of *truths* holds."""
    return reduce(lambda a, b: a & b, truths, TRUE)


def sort_of(node: Term) -> Sort:
    """The sort of a set or relation; `TypeError` for a truth."""
    if not isinstance(node.sort, Sort):
        raise TypeError(f"{node.kind} is no set")
    return node.sort


class Algebra(Protocol, Generic[V]):
    """What a reading must say about each kind of node: one method a kind, given the values of the arguments.

    Sets: `field parameter empty full first_session meet join complement choose owner owned earlier`;
    truths: `true false both either negate within closed`; relations: `relation_field no_needs record`.
    """

    def __getattr__(self, kind: str, /) -> Callable[..., Any]: ...


def fold(term: Term, algebra: object, memory: dict[int, Any] | None = None) -> Any:
    """The value of *term* in *algebra*: each node once, arguments first.

    The method named after a node's kind is called with the node and then the values of its arguments. *memory* keeps the
    values of shared nodes between calls that speak of the same state.
    """
    known: dict[int, Any] = {} if memory is None else memory

    def value(node: Term) -> Any:
        key = id(node)
        if key not in known:
            known[key] = getattr(algebra, node.kind)(node, *map(value, node.args))
        return known[key]

    return value(term)


def rebuild(term: T, replaced: dict[int, Term]) -> T:
    """*term* with the nodes whose ids are in *replaced* exchanged, simplified anew on the way up."""
    return cast(T, fold(term, _Rebuild(), dict(replaced)))


class _Rebuild:
    """The algebra of terms themselves: every node is made again by its own operation."""

    def __getattr__(self, kind: str) -> Callable[..., Term]:
        make = _OPERATIONS.get(kind)
        return (lambda node, *_: node) if make is None else make


_OPERATIONS: dict[str, Callable[..., Term]] = {
    "meet": lambda _, a, b: a & b,
    "join": lambda _, a, b: a | b,
    "complement": lambda _, a: ~a,
    "choose": lambda _, c, a, b: choose(c, a, b),
    "owner": lambda node, a: a.owner(node.sort),
    "owned": lambda node, a: a.owned(node.sort),
    "earlier": lambda _, a: a.earlier,
    "both": lambda _, a, b: a & b,
    "either": lambda _, a, b: a | b,
    "negate": lambda _, a: ~a,
    "within": lambda _, a, b: a <= b,
    "closed": lambda _, r, a, b: r.closes(a, b),
    "record": lambda _, r, a, b: r.record(a, b),
}
