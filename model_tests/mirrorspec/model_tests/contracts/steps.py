"""Every input of every decision about a track, put into a state of the specification: does the step say the same?

The universe is one unit with one volume, one track and two writes: the older is in the cache, the newer arrives. The facts that
a decision is given become words of the state; parts of the state that it is *not* given are tried both ways, for it must not
depend on them. Then the step's first refusing guard must be the decision's, and the state after the step must be the one that
carrying the decision out makes. Every field is compared that any step reads, so what a decision leaves out is a difference too.

Nothing of the protocol is said here: what a step does is read from the step. What *is* said is what a decision means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from mirrorspec.impl.core import decisions
from mirrorspec.impl.core.decisions import Arrived, Mode, Recorded, Source
from mirrorspec.spec.configuration import Configuration, Restart
from mirrorspec.spec.environment import ENVIRONMENTS
from mirrorspec.spec.model import build
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.universe import Universe
from mirrorspec.spec.variants import combinations, fault

Values = Mapping[str, Any]

ONE_TRACK = Universe.of((((2,),),))
OLDER, NEWER = 1, 2
"""The two writes as words; every other word of this universe has one bit."""

LEAVES: dict[str, Values] = {
    "increment_complete(S0-U0)": {"in_progress": 1, "commit_sent": 1},
    "run_timeout(U0)": {"pending": 1},
    "increment_timeout(U0)": {"in_progress": 1},
    "abort(S0-U0)": {"in_progress": 1, "abort_sent": 1},
    "restart_primary(U0)": {"in_progress": 1},
}
"""Every step by which a unit leaves an increment, and the state in which it may."""


@dataclass(frozen=True, slots=True)
class Case:
    """One input: what the decision makes of it, and what the step does, each as a refusal or the fields afterwards."""

    event: str
    facts: str
    decided: Values
    specified: Values

    @property
    def differs(self) -> list[str]:
        """The fields in which the two disagree; ``refused`` alone where they do not refuse for the same reason, or at all."""
        if self.decided.get("refused") != self.specified.get("refused"):
            return ["refused"]
        names = self.decided.keys() | self.specified.keys()
        return sorted(n for n in names if self.decided.get(n) != self.specified.get(n))


def safe_variants() -> list[Configuration]:
    """Every combination of hold, collision policy and switch that is tabled safe."""
    return [options for options in combinations().values() if not fault(options)]


@cache
def reading_of(options: Configuration) -> BitsReading:
    """The variant with all its fields, every fault allowed, over one track."""
    return BitsReading(build(options, ENVIRONMENTS["all"], complete=True, kinds=()), ONE_TRACK)


@cache
def _compared(options: Configuration) -> tuple[str, ...]:
    return tuple(f.name for f in reading_of(options).model.fields if not f.ghost)


@cache
def _initial(options: Configuration) -> dict[str, Any]:
    return reading_of(options).initial()


def state_with(options: Configuration, **words: Any) -> dict[str, Any]:
    """The initial state with some of its words replaced. Raises `KeyError` for a field that does not exist."""
    state = _initial(options)
    unknown = words.keys() - state.keys()
    if unknown:
        raise KeyError(f"no field of the state: {sorted(unknown)}")
    return state | {name: int(value) for name, value in words.items()}


def case(options: Configuration, event: str, facts: object, state: Values, refused: str, carried_out: Values) -> Case:
    """The decision's answer beside the step's: *carried_out* is what the decision changes where it does not refuse."""
    reading = reading_of(options)
    taken = reading.by_label[event]
    refusals = reading.refusals(taken, state)

    def result(refusal: str, after: Values) -> Values:
        return {"refused": refusal} if refusal else {n: after[n] for n in _compared(options)}

    decided = result(refused, {**state, **carried_out})
    specified = result(refusals[0] if refusals else "", reading.after(taken, state))
    return Case(event, f"{facts}, {options.name}", decided, specified)


def _truths(count: int) -> Iterator[tuple[bool, ...]]:
    return product((False, True), repeat=count)


def host_writes(options: Configuration) -> Iterator[Case]:
    """Every write before the cache, and then whether it may be acknowledged."""
    for mode, facts, unseen in product(Mode, _truths(5), _truths(3)):
        w = Arrived(mode, *facts)
        recorded, late, rewritten = unseen
        state = state_with(
            options,
            pending=mode is Mode.PENDING,
            in_progress=mode is Mode.IN_PROGRESS,
            members=w.member,
            caught=NEWER if w.caught else 0,
            out_of_sync=w.out_of_sync,
            preserved=w.preserved,
            in_flight=w.in_flight,
            change_recording=recorded,
            late=late,
            rewritten=rewritten,
            issued=OLDER | NEWER,
            applied=OLDER,
        )
        d = decisions.host_write(w, options.hold, options.collision, options.switch)
        after = state | {"applied": OLDER | NEWER}
        if d.recorded is Recorded.OUT_OF_SYNC:
            after["out_of_sync"] = 1
        if d.recorded is Recorded.CHANGE_RECORDING:
            after["change_recording"] = 1
        if d.preserve:
            after |= {"preserved": 1, "preserved_image": OLDER}
        if d.send:
            after |= {"in_flight": 1, "wire": OLDER, "late": 0}
        if d.rewritten:
            after["rewritten"] = 1
        yield case(options, "apply_write(W1)", w, state, d.refused, after)
        entered = state if d.refused else state | {"applied": OLDER | NEWER}
        withheld = "" if d.acknowledged else "applied" if d.refused else "released"
        yield case(options, "acknowledge_write(W1)", w, entered, withheld, {"acknowledged": NEWER})


def transfers(options: Configuration) -> Iterator[Case]:
    """Every track before it is sent."""
    for out_of_sync, in_flight, preserved, left, late, rewritten in _truths(6):
        state = state_with(
            options,
            out_of_sync=out_of_sync,
            in_flight=in_flight,
            preserved=preserved,
            left=left,
            late=late,
            rewritten=rewritten,
            applied=OLDER | NEWER,
            preserved_image=OLDER,
        )
        d = decisions.transfer(out_of_sync, in_flight, preserved, left)
        wire = OLDER if d.source is Source.PRESERVED else OLDER | NEWER
        facts = {"out_of_sync": out_of_sync, "in_flight": in_flight, "preserved": preserved, "left": left}
        yield case(options, "send_track(T0)", facts, state, d.refused, {"in_flight": 1, "wire": wire, "late": d.late})


def acknowledgements(options: Configuration) -> Iterator[Case]:
    """Every acknowledgement of a transfer.

    One of an older transfer is, to the specification, the acknowledgement of a transfer that is not on its way.
    """
    for in_flight, same, rewritten, out_of_sync, preserved, late in _truths(6):
        state = state_with(
            options,
            in_flight=in_flight and same,
            delivered=1,
            rewritten=rewritten,
            out_of_sync=out_of_sync,
            preserved=preserved,
            late=late,
        )
        d = decisions.hardened(in_flight, same, rewritten)
        after = {"in_flight": 0, "delivered": 0, "rewritten": 0}
        if d.synchronised:
            after |= {"out_of_sync": 0, "preserved": 0}
        facts = {"in_flight": in_flight, "same": same, "rewritten": rewritten}
        yield case(options, "acknowledge_track(T0)", facts, state, d.refused, after)


def merges(options: Configuration) -> Iterator[Case]:
    """Every track of a unit that leaves, however it leaves. A restart gives its transfers up before."""
    for event, words in LEAVES.items():
        restarts = event.startswith("restart")
        variant = options.with_options(restart=Restart.LEAVE) if restarts else options
        for out_of_sync, change_recording, in_flight, rewritten, preserved in _truths(5):
            if restarts and (in_flight or rewritten):
                continue
            facts = {
                "out_of_sync": out_of_sync,
                "change_recording": change_recording,
                "in_flight": in_flight,
                "rewritten": rewritten,
            }
            state = state_with(variant, preserved=preserved, **facts, **words)
            m = decisions.merge(**facts)
            after = {
                "out_of_sync": m.out_of_sync,
                "change_recording": m.change_recording,
                "preserved": m.preserved,
                "rewritten": m.rewritten,
                "pending": 0,
                "in_progress": 0,
                "left": 1,
            }
            yield case(variant, event, facts, state, "", after)


def arrivals(options: Configuration) -> Iterator[Case]:
    """Every transfer that may arrive at the secondary: the newest of the track, and any older one that the network kept.

    A primary sends in an epoch only once it is stored, and a track again in the same epoch only once its transfer is
    acknowledged. To the specification a transfer of the stored epoch is on its way, and any other is a lingering copy.
    """
    numbers = list(product((1, 2), (1, 2, 3)))
    for newest_sent in numbers:
        for stored in range(newest_sent[0], 4):
            for hardened in [(0, 0), *(n for n in numbers if n <= newest_sent)]:
                for sent in (n for n in numbers if n <= newest_sent):
                    if hardened < sent < newest_sent and sent[0] == newest_sent[0]:
                        continue
                    yield _arrival(options, sent, stored, hardened, sent == newest_sent and stored == sent[0])


def _arrival(
    options: Configuration, sent: tuple[int, int], stored: int, hardened: tuple[int, int], on_its_way: bool
) -> Case:
    code = decisions.receive(*sent, stored, hardened)
    facts = f"transfer {sent}, epoch {stored} stored, {hardened} hardened last"
    if on_its_way:
        state = state_with(options, in_flight=1, delivered=sent == hardened, wire=OLDER | NEWER, lingering=1)
        after = {"delivered": 1, "secondary": OLDER | NEWER}
        return case(options, "deliver_track(T0)", facts, state, "once" if code == "again" else code, after)
    # A copy of what was hardened last is answered once more and applied as little as any other copy.
    state = state_with(options, lingering=1, lingering_image=OLDER)
    after = {"lingering": 0, "secondary": OLDER}
    return case(options, "deliver_lingering(T0)", facts, state, "in_sequence" if code == "again" else code, after)


CASES = {
    "host write": host_writes,
    "transfer": transfers,
    "acknowledgement": acknowledgements,
    "merge": merges,
    "arrival at the secondary": arrivals,
}
"""Every input of each decision, for one variant."""
