"""Other strengthenings of the invariant: for mutants that keep every promise, but not the invariant as it is written.

A conjunct may say more than the promises need, because it is simpler that way. Where a mutant breaks only that, the proof goes
through with another conjunct in its place, or beside the others. Then *every* step is proved anew: each has to keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from mirrorspec.proofs.induction.cases import cases, model_of
from mirrorspec.proofs.induction.conjunct import Conjunct, Given, StagedConjunct, conjunct, same
from mirrorspec.proofs.induction.discharge import Answer, Formulas, Limits, discharge
from mirrorspec.proofs.induction.invariant import staged
from mirrorspec.proofs.induction.invariant.sessions import heeded, leading, obeyed
from mirrorspec.proofs.induction.mutants import Mutant
from mirrorspec.proofs.induction.plan import plan
from mirrorspec.spec.model import Model, substitute
from mirrorspec.spec.simplify import evident
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import State, symbolic_state
from mirrorspec.spec.terms import TRUE, SetTerm, Truth

GROUP = "strengthening"


@conjunct(GROUP)
def delivered_and_up_to_date_is_hardened(s: State, given: Given) -> Truth:
    """What was acknowledged is hardened, or the track will be sent again."""
    return same(s.secondary, s.wire, (s.delivered & ~s.rewritten).writes)


@conjunct(GROUP)
def start_goes_to_members(s: State, given: Given) -> Truth:
    """Start increment is sent to members only, and taken back from a unit that is dismissed."""
    return s.start_sent <= s.members.channels


@conjunct(GROUP)
def recorded_in_an_increment(s: State, given: Given) -> Truth:
    """Change recording is empty outside an increment: whoever leaves merges it."""
    return s.change_recording <= (s.pending | s.in_progress).tracks


@conjunct(GROUP)
def run_is_sent_when_all_have_joined(s: State, given: Given) -> Truth:
    """A session sends run when every unit has joined, and none of them takes that back before the increment ends."""
    return s.run_sent.some().implies((s.members <= s.joined) & s.members.some())


@conjunct(GROUP)
def flash_is_sent_when_all_have_drained(s: State, given: Given) -> Truth:
    """A session sends flash when every unit has drained, and none of them takes that back before the increment ends."""
    return s.flash_sent.some().implies((s.members <= s.drained) & s.members.some())


@conjunct(GROUP)
def flash_goes_to_members(s: State, given: Given) -> Truth:
    """Flash is sent to members only, and the membership stands still until the increment has ended."""
    return s.flash_sent <= s.members.channels


@conjunct(GROUP)
def preserved_is_out_of_sync(s: State, given: Given) -> Truth:
    """An old image is kept only while its track is still to be sent."""
    return s.preserved <= s.out_of_sync


@conjunct(GROUP)
def withdrawn_is_a_members(s: State, given: Given) -> Truth:
    """Only the volumes of members are withdrawn."""
    return s.withdrawn <= s.members.volumes


@conjunct(GROUP)
def nothing_is_caught(s: State, given: Given) -> Truth:
    """No request in progress is ever taken down as belonging to the cut."""
    return s.caught.is_empty()


@conjunct(GROUP, c=Sort.CHANNEL)
def withdrawn_means_aborting(s: State, c: SetTerm, given: Given) -> Truth:
    """Once a flash is withdrawn, a session that leads and is heeded is aborting."""
    return (s.withdrawn.some() & obeyed(s, c) & (c.session <= leading(s))).implies(c.session <= s.aborting)


@conjunct(GROUP)
def start_is_sent_by_a_leader(s: State, given: Given) -> Truth:
    """Start increment is sent by sessions that lead."""
    return s.start_sent <= leading(s).channels


@conjunct(GROUP, c=Sort.CHANNEL)
def seen_flashed_stays_flashed_or_sits_out(s: State, c: SetTerm, given: Given) -> Truth:
    """What a unit answered as flashed stays so, or is over: then it joins no other increment while the session is heeded."""
    seen = (c <= s.saw_flashed) & (c.session <= s.taking_over) & heeded(s, c)
    return seen.implies((c.unit.volumes <= s.flashed | s.committed) | c.unit.outside(s.joined))


@conjunct(GROUP, c=Sort.CHANNEL)
def all_seen_flashed_are_flashed(s: State, c: SetTerm, given: Given) -> Truth:
    """Where every member has answered as flashed, they are: the last to answer was so in this increment, hence all were."""
    mine = c.session.channels & s.members.channels
    seen = (mine <= s.saw_flashed) & (c.session <= s.taking_over) & heeded(s, c)
    return seen.implies(s.members.volumes <= s.flashed | s.committed)


@conjunct(GROUP)
def seed_leaves_when_committing(s: State, given: Given) -> Truth:
    """In the seed, where nothing fails, a unit leaves when its session commits."""
    return (
        TRUE
        if given.options.hardened
        else s.left.some().implies(s.running.is_empty() & (s.starting | s.flashing | s.aborting).is_empty())
    )


@conjunct(GROUP)
def ran_unit_is_in_progress_until_it_leaves(s: State, given: Given) -> Truth:
    """A unit that ran goes back to normal only by leaving; one that has only joined may also forget its hold."""
    return s.ran <= (s.in_progress | s.left)


def not_leading(s: State) -> SetTerm:
    """The sessions that have decided nothing, whether they have asked anybody or not."""
    return s.taking_over | ~(leading(s) | s.taking_over)


def aborting_alone(s: State) -> SetTerm:
    """The sessions that are in no other phase than aborting."""
    return s.aborting & ~(s.starting | s.running | s.flashing | s.committing)


def committing_alone(s: State) -> SetTerm:
    """The sessions that are in no other phase than committing."""
    return s.committing & ~(s.starting | s.running | s.flashing | s.aborting)


@dataclass(frozen=True, slots=True)
class Strengthening:
    """What is put in the place of which conjuncts."""

    without: tuple[str, ...] = ()
    conjuncts: tuple[Conjunct, ...] = ()
    means: Mapping[str, Callable[[State], SetTerm]] = field(default_factory=dict)
    """Fields of which the invariant speaks, and what it means by them instead."""

    def staged(self, given: Given) -> tuple[StagedConjunct, ...]:
        """The invariant of a case, strengthened so."""
        kept = [c for c in staged(given) if c.name not in self.without]
        more = [made for c in self.conjuncts if (made := c.stage(given)) is not None]
        meant = {name: of(symbolic_state()) for name, of in self.means.items()}
        read = [replace(c, truth=evident(substitute(c.truth, meant))) for c in (*kept, *more)]
        return tuple(replace(c, reads=c.truth.leaves()) for c in read if c.truth is not TRUE)

    @property
    def words(self) -> str:
        """What it has and what it has not, by name."""
        parts = [", ".join(c.name for c in self.conjuncts)] if self.conjuncts else []
        parts += [f"without {', '.join(self.without)}"] if self.without else []
        parts += [f"{name} read as {of.__name__}" for name, of in self.means.items()]
        return "; ".join(parts)


_SEEN_AND_OVER = Strengthening(
    ("seen_flashed_has_joined", "seen_flashed_stays_flashed"),
    (start_is_sent_by_a_leader, seen_flashed_stays_flashed_or_sits_out, all_seen_flashed_are_flashed),
)

STRENGTHENINGS: dict[str, Strengthening] = {
    "send_track without guard idle": Strengthening(("delivered_is_hardened",), (delivered_and_up_to_date_is_hardened,)),
    "start_increment without guard obeyed": Strengthening((), (start_goes_to_members,)),
    "start_increment without change caught": Strengthening((), (nothing_is_caught,)),
    "start_increment without change change_recording": Strengthening((), (recorded_in_an_increment,)),
    "run without guard obeyed": Strengthening((), (run_is_sent_when_all_have_joined,)),
    "flash without guard obeyed": Strengthening((), (flash_is_sent_when_all_have_drained, flash_goes_to_members)),
    "increment_complete without change preserved": Strengthening((), (preserved_is_out_of_sync,)),
    "all_committed without change reported_withdrawn": Strengthening(
        (), (withdrawn_is_a_members, withdrawn_means_aborting)
    ),
    "all_committed without change committing": Strengthening(
        (), (seed_leaves_when_committing,), {"committing": committing_alone}
    ),
    "all_committed without change saw_flashed": _SEEN_AND_OVER,
    "all_aborted without change saw_flashed": _SEEN_AND_OVER,
    "all_aborted without change aborting": Strengthening(
        (), (withdrawn_is_a_members, withdrawn_means_aborting), {"aborting": aborting_alone}
    ),
    "answer without guard asking": Strengthening(means={"taking_over": not_leading}),
    "restart_drops_hold": Strengthening(
        ("joined_unit_is_active_until_it_leaves",), (ran_unit_is_in_progress_until_it_leaves,)
    ),
    "primaries_unfenced": Strengthening(
        (), (recorded_in_an_increment, run_is_sent_when_all_have_joined, start_goes_to_members)
    ),
    "abort without guard obeyed": Strengthening((), (recorded_in_an_increment,)),
}
"""By the mutant that needs it."""


def failures(mutant: Mutant, other: Strengthening, formulas: Formulas, limits: Limits) -> list[str]:
    """The obligations that fail, in any case, where the mutant is proved with another strengthening."""
    models = []
    for given in cases():
        model = model_of(given)
        steps = tuple(mutant.of(step) or step for step in model.steps)
        if steps != model.steps:  # elsewhere the proof is what it was
            models.append((given, replace(model, steps=steps), other.staged(given)))
    return unproved(models, formulas, limits)


def unproved(
    models: list[tuple[Given, Model, tuple[StagedConjunct, ...]]], formulas: Formulas, limits: Limits
) -> list[str]:
    """The obligations of a whole proof that are not proved."""
    return [
        d.obligation.name
        for task in plan(models).tasks
        for d in discharge(task, formulas, limits)
        if d.answer is not Answer.PROVED
    ]
