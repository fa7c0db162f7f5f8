"""A second opinion: cvc5, of another house than Z3, reads the same obligation as text and writes a proof of it.

A proof is a tree of steps, each by a rule of its calculus. A step by a rule of trust is a *hole*: something the solver did
without saying how. A proof without holes is checked by a program that knows only the rules (Ethos, for the format CPC).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import cvc5 as cvc5_module

from mirrorspec.proofs.induction.discharge import ANSWERS, Answer

cvc5: Any = cvc5_module
"""The module, which states no types."""


@dataclass(frozen=True, slots=True)
class Second:
    """What cvc5 says of an obligation."""

    answer: Answer
    seconds: float
    steps: int = 0
    """So many steps its proof has, and so many of them are holes."""
    holes: int = 0
    proof: str = ""
    """The proof itself in the format CPC; empty where none was asked for."""


def ask(script: str, seconds: float, *, prove: bool = False) -> Second:
    """What cvc5 answers to the script; with *prove*, a proof too where it says unsat."""
    began = time.perf_counter()
    terms = cvc5.TermManager()
    solver = cvc5.Solver(terms)
    solver.setOption("tlimit-per", str(round(seconds * 1000)))
    # Where matching finds no more instances, try those of all terms at hand: for these obligations that is complete.
    solver.setOption("full-saturate-quant", "true")
    if prove:
        solver.setOption("produce-proofs", "true")
        solver.setOption("proof-granularity", "dsl-rewrite")
    symbols = cvc5.SymbolManager(terms)
    parser = cvc5.InputParser(solver, symbols)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "obligation")
    said = ""
    while not (command := parser.nextCommand()).isNull():
        said += command.invoke(solver, symbols)
    answer = ANSWERS.get(said.strip().split(" ")[0], Answer.UNKNOWN)
    if not prove or answer is not Answer.PROVED:
        return Second(answer, time.perf_counter() - began)
    proofs = solver.getProof()
    rules = _rules(proofs)
    text = b"".join(solver.proofToString(proof, cvc5.ProofFormat.CPC) for proof in proofs).decode()
    holes = sum("TRUST" in rule for rule in rules)
    return Second(answer, time.perf_counter() - began, len(rules), holes, text)


def _rules(proofs: list[Any]) -> list[str]:
    """The rule of every step, shared steps once."""
    rules: dict[Any, str] = {}
    stack = list(proofs)
    while stack:
        step = stack.pop()
        if step not in rules:
            rules[step] = str(step.getRule())
            stack.extend(step.getChildren())
    return list(rules.values())
