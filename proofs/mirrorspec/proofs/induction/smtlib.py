"""An obligation as a text that any solver reads: SMT-LIB 2, in the logic UF, with what it needs and nothing else.

Only the hypotheses of the core are written, so a file is short enough to be read. It is *unsat* exactly when the
obligation follows from them at every size: who trusts neither this project nor Z3 hands the files to another solver.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import z3

from mirrorspec.proofs.induction.discharge import Answer, Formulas
from mirrorspec.proofs.induction.plan import Question, Task

Formula = Any


STATUS = {Answer.PROVED: "unsat", Answer.REFUTED: "sat", Answer.UNKNOWN: "unknown"}
"""What a solver should say of a script whose obligation has that answer."""


def file_name(place: tuple[int, int], question: Question) -> str:
    """The name for an obligation's file, without its ending: where it stands in the plan, and what it is."""
    words = "".join(c if c.isalnum() or c == "_" else "-" for c in question.obligation.name)
    return f"{place[0]:03}-{place[1]:02}-{words}"


def script(task: Task, question: Question, answer: Answer, core: Container[str] | None) -> str:
    """The obligation with the hypotheses of the core, or with all where none is known.

    An obligation can have several cores, and which one is found may differ from run to run; each of them will do.
    """
    formulas = Formulas()
    hypotheses = formulas.hypotheses(task, core)
    negated = z3.Not(formulas.of(question.obligation.goal))
    asserted = [*hypotheses.items(), ("the goal, negated", negated)]
    lines = [
        f"; {question.obligation.name}",
        *(f"; {given.name}" for given in question.cases),
        f"(set-info :status {STATUS[answer]})",
        "(set-logic UF)",
        *_declarations([formula for _, formula in asserted]),
    ]
    for name, formula in asserted:
        lines += [f"; {name}", f"(assert {formula.sexpr()})"]
    return "\n".join([*lines, "(check-sat)", ""])


def _declarations(formulas: list[Formula]) -> list[str]:
    """The sorts and functions that occur, each before it is used."""
    sorts: dict[str, None] = {}
    functions: dict[str, str] = {}
    seen: set[int] = set()
    stack = list(formulas)
    while stack:
        node = stack.pop()
        if node.get_id() in seen:
            continue
        seen.add(node.get_id())
        if z3.is_quantifier(node):
            sorts |= dict.fromkeys(node.var_sort(i).name() for i in range(node.num_vars()))
            stack.append(node.body())
            continue
        stack.extend(node.children())
        if z3.is_app(node) and node.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            declared = node.decl()
            domain = [declared.domain(i).name() for i in range(declared.arity())]
            sorts |= dict.fromkeys(s for s in (*domain, declared.range().name()) if s != "Bool")
            functions[declared.name()] = (
                f"(declare-fun {declared.name()} ({' '.join(domain)}) {declared.range().name()})"
            )
    return [*(f"(declare-sort {name} 0)" for name in sorted(sorts)), *(functions[name] for name in sorted(functions))]
