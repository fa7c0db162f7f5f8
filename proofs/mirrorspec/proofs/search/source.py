"""The search's inner functions as program text, from the model: one function a step, and one for the properties.

A state is its key: words `k0`, `k1` and so on. Integers are signed, since a compiler of Python takes a literal for one, and
only their bits matter. A value that several expressions share is given a name once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mirrorspec.proofs.search.symmetry import Image
from mirrorspec.spec.layout import WORD_BITS, Layout, Place
from mirrorspec.spec.model import Model, StagedProperty, StagedStep
from mirrorspec.spec.properties import Kind
from mirrorspec.spec.readings.bits import Event, choices
from mirrorspec.spec.readings.scalar import Scalar, Value
from mirrorspec.spec.terms import Term
from mirrorspec.spec.universe import Universe

EVERY_BIT = (1 << WORD_BITS) - 1
WORTH_A_NAME = 12
"""Shared expressions of fewer characters are written out again."""


class Source:
    """The text of functions over the packed states of a model."""

    def __init__(self, model: Model, universe: Universe, layout: Layout, stopping: Sequence[StagedProperty]) -> None:
        self.model, self.universe, self.layout, self.stopping = model, universe, layout, stopping
        self._relations = {f.name for f in model.fields if f.relation}

    def step(self, name: str, events: Iterable[tuple[int, Event]]) -> str:
        """`name(keys, first, last, out, at, broken)`: writes the successors by these events from *at* on; returns the end.

        If a step breaks a property it returns -1, having written the place, the event and the property into `broken`.
        """
        lines = [
            f"def {name}(keys, first, last, out, at, broken):",
            "    for place in range(first, last):",
            *self._load("        "),
        ]
        for index, event in events:
            lines += (f"        {line}" for line in self._event(index, event))
        return "\n".join([*lines, "    return at", ""])

    def inspection(self, name: str) -> str:
        """`name(keys, first, last, seen, broken)`: the place of the first state that breaks a property, or -1."""
        lines = [
            f"def {name}(keys, first, last, seen, broken):",
            "    for place in range(first, last):",
            *self._load("        "),
        ]
        sometimes = self.model.of_kind(Kind.SOMETIMES)
        for index, p in enumerate(sometimes):
            block = _Block(self, {})
            truth = block.text(p.of_state)
            lines.append(f"        if seen[{index}] == 0:")
            lines += (f"            {line}" for line in [*block.lines, f"if {truth}:", f"    seen[{index}] = 1"])
        for index, p in enumerate(self.stopping):
            for things in choices(p.parameters, self.universe):
                names = (name for name, _ in p.parameters)
                block = _Block(self, dict(zip(names, things, strict=True)))
                block.share([p.of_state])
                truth = block.text(p.of_state)
                if truth is not True:
                    broken = ["broken[0] = place", f"broken[2] = {index}", "return place"]
                    body = [*block.lines, f"if not {truth}:", *(f"    {line}" for line in broken)]
                    lines += (f"        {line}" for line in body)
        return "\n".join([*lines, "    return -1", ""])

    def representatives(self, name: str, images: Sequence[Image]) -> str:
        """`name(keys, last)`: puts in the place of each of the first keys the least of its images."""
        words = range(self.layout.words)
        lines = [f"def {name}(keys, last):", "    for place in range(last):", *self._load("        ")]
        lines += (f"        best{word} = k{word}" for word in words)
        lines += (f"        i0_{word} = k{word}" for word in words)
        for index, image in enumerate(images, 1):
            lines += (f"        i{index}_{word} = i{image.of}_{word}" for word in words)
            for swap in image.swaps:
                low, high = f"i{index}_{swap.low}", f"i{index}_{swap.high}"
                lines += (
                    f"        moved = (({high} >> {swap.distance}) ^ {low}) & {_signed(swap.mask)}",
                    f"        {low} ^= moved",
                    f"        {high} ^= moved << {swap.distance}",
                )
            lines.append(f"        if {_less([f'i{index}_{w}' for w in words], [f'best{w}' for w in words])}:")
            lines += (f"            best{word} = i{index}_{word}" for word in words)
        lines += (f"        keys[place, {word}] = best{word}" for word in words)
        return "\n".join([*lines, ""])

    def read(self, name: str) -> Value:
        """The text of a field's set."""
        texts = tuple(map(self._bits, self.layout.places[name]))
        return texts if name in self._relations else texts[0]

    def _bits(self, place: Place) -> str:
        shifted = f"(k{place.word} >> {place.shift})" if place.shift else f"k{place.word}"
        return f"({shifted} & {_signed(place.mask)})"

    def _load(self, indent: str) -> list[str]:
        return [f"{indent}k{word} = keys[place, {word}]" for word in range(self.layout.words)]

    def _event(self, index: int, event: Event) -> Iterator[str]:
        step: StagedStep = event.step
        block = _Block(self, event.parameters)
        judged = [(i, p.of_step[step.name]) for i, p in enumerate(self.stopping) if step.name in p.of_step]
        block.share([step.enabled, *step.changes.values(), *(term for _, term in judged)])
        enabled = block.text(step.enabled)
        if enabled is False:
            return
        yield from block.lines
        block.lines = []
        words = self._changed(block, step.changes)
        truths = [(i, block.text(term)) for i, term in judged]
        yield f"if {enabled}:"
        for line in block.lines:
            yield f"    {line}"
        for i, truth in truths:
            if truth is not True:
                yield f"    if not {truth}:"
                for line in ("broken[0] = place", f"broken[1] = {index}", f"broken[2] = {i}", "return -1"):
                    yield f"        {line}"
        for word, text in enumerate(words):
            yield f"    out[at, {word}] = {text}"
        yield "    at += 1"

    def _changed(self, block: _Block, changes: Mapping[str, Term]) -> list[str]:
        """The words of the successor."""
        kept = [EVERY_BIT] * self.layout.words
        parts: list[list[str]] = [[] for _ in kept]
        for name, term in changes.items():
            value = block.text(term)
            for place, text in zip(
                self.layout.places[name], value if name in self._relations else (value,), strict=True
            ):
                if text == self._bits(place):
                    continue
                kept[place.word] &= ~(place.mask << place.shift)
                if isinstance(text, int):
                    if text:
                        parts[place.word].append(str(_signed(text << place.shift)))
                else:
                    parts[place.word].append(f"({text} << {place.shift})" if place.shift else text)
        return [
            " | ".join([f"k{word}" if mask == EVERY_BIT else f"(k{word} & {_signed(mask)})", *parts[word]])
            for word, mask in enumerate(kept)
        ]


class _Block:
    """Statements that name what is shared, for one choice of parameters."""

    def __init__(self, source: Source, parameters: Mapping[str, int]) -> None:
        self.lines: list[str] = []
        self._algebra = Scalar(source.universe, source.read, parameters)
        self._known: dict[int, Value] = {}
        self._uses: Counter[int] = Counter()
        self._named = 0

    def share(self, terms: Iterable[Term]) -> None:
        """Count how often each node is used in *terms*, so that what is used twice gets a name."""
        seen: set[int] = set()
        stack = list(terms)
        while stack:
            node = stack.pop()
            self._uses[id(node)] += 1
            if id(node) not in seen:
                seen.add(id(node))
                stack.extend(node.args)

    def text(self, node: Term) -> Value:
        """The node's value; what it needs that is shared and not named yet is appended to the lines."""
        key = id(node)
        if key not in self._known:
            value = getattr(self._algebra, node.kind)(node, *map(self.text, node.args))
            if isinstance(value, str) and self._uses[key] > 1 and len(value) >= WORTH_A_NAME and node.args:
                name = f"t{self._named}"
                self._named += 1
                self.lines.append(f"{name} = {value}")
                value = name
            self._known[key] = value
        return self._known[key]


def _less(a: Sequence[str], b: Sequence[str]) -> str:
    first = f"{a[0]} < {b[0]}"
    return first if len(a) == 1 else f"({first} or ({a[0]} == {b[0]} and {_less(a[1:], b[1:])}))"


def _signed(word: int) -> int:
    """The integer of 64 bits, with a sign, that has the bits of *word*."""
    return word - (1 << WORD_BITS) if word >> (WORD_BITS - 1) else word
