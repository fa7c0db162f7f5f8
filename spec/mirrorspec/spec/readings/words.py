"""The reading for people: a term as one line of set algebra."""

from __future__ import annotations

from mirrorspec.spec.terms import Term, fold


class Words:
    """Each kind of node as text; brackets wherever two operations meet."""

    def field(self, node: Term) -> str:
        return node.name

    relation_field = parameter = field

    def empty(self, node: Term) -> str:
        return "∅"

    def full(self, node: Term) -> str:
        return f"all {node.sort}s"

    def first_session(self, node: Term) -> str:
        return "first session"

    def meet(self, node: Term, a: str, b: str) -> str:
        return f"({a} & {b})"

    def join(self, node: Term, a: str, b: str) -> str:
        return f"({a} | {b})"

    def complement(self, node: Term, a: str) -> str:
        return f"~{a}"

    def choose(self, node: Term, truth: str, a: str, b: str) -> str:
        return f"(if {truth} then {a} else {b})"

    def owner(self, node: Term, a: str) -> str:
        return f"{a}.{node.sort}"

    def owned(self, node: Term, a: str) -> str:
        return f"{a}.{node.sort}s"

    def earlier(self, node: Term, a: str) -> str:
        return f"{a}.earlier"

    def true(self, node: Term) -> str:
        return "true"

    def false(self, node: Term) -> str:
        return "false"

    def both(self, node: Term, a: str, b: str) -> str:
        return f"{a} and {b}"

    def either(self, node: Term, a: str, b: str) -> str:
        return f"({a} or {b})"

    def negate(self, node: Term, a: str) -> str:
        return f"not ({a})"

    def within(self, node: Term, a: str, b: str) -> str:
        return f"{a} is empty" if b == "∅" else f"{a} <= {b}"

    def no_needs(self, node: Term) -> str:
        return "no needs"

    def record(self, node: Term, relation: str, row: str, needed: str) -> str:
        return f"{relation} with {row} needing {needed}"

    def closed(self, node: Term, relation: str, image: str, among: str) -> str:
        return f"{image} is closed under {relation} among {among}"


def words(term: Term) -> str:
    """*term* as one line."""
    return str(fold(term, Words()))
