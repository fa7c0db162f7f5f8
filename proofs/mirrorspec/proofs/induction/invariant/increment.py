"""What is always true of an increment as a whole: what all units have done, the flash relations, what recovery yields."""

from __future__ import annotations

from mirrorspec.proofs.induction.conjunct import Given, conjunct, same
from mirrorspec.spec.state import State
from mirrorspec.spec.terms import TRUE, SetTerm, Truth, full

GROUP = "increment"


def reverted(s: State) -> SetTerm:
    """The targets with every revertible flash reverted: what recovery yields until an increment is committed."""
    return s.target.onto(s.flashed.tracks.writes, s.previous)


@conjunct(GROUP)
def one_runs_when_all_have_joined(s: State, given: Given) -> Truth:
    """No unit runs before every unit holds its writes [0038-0041]."""
    return s.ran.some().implies(s.members <= s.joined)


@conjunct(GROUP)
def one_relation_state(s: State, given: Given) -> Truth:
    """A flash relation is in one state."""
    return s.flashed.outside(s.committed) & s.withdrawn.outside(s.flashed | s.committed)


@conjunct(GROUP)
def flashed_is_a_drained_members(s: State, given: Given) -> Truth:
    """Only the volumes of members that have drained are flashed."""
    return (s.flashed | s.committed) <= (s.members & s.drained).volumes


@conjunct(GROUP)
def one_flashes_when_all_have_drained(s: State, given: Given) -> Truth:
    """No volume is flashed before every unit has drained [0047-0048]."""
    return (s.flashed | s.committed).some().implies(s.members <= s.drained)


@conjunct(GROUP)
def one_commits_when_all_are_flashed(s: State, given: Given) -> Truth:
    """No flash is final before every volume is flashed."""
    return s.committed.some().implies(s.members.volumes <= s.flashed | s.committed)


@conjunct(GROUP)
def withdrawal_is_reported_when_done(s: State, given: Given) -> Truth:
    """A secondary reports a flash as withdrawn once it is."""
    return s.reported_withdrawn <= s.withdrawn


@conjunct(GROUP)
def only_members_are_covered(s: State, given: Given) -> Truth:
    """Recovery offers the volumes of members only."""
    return s.covered <= s.members.volumes


@conjunct(GROUP)
def all_are_covered(s: State, given: Given) -> Truth:
    """Without the fault that units come and go, recovery has something to offer for every volume from the start."""
    return TRUE if "membership" in given.environment.faults else full(s.covered.sort) <= s.covered


@conjunct(GROUP)
def target_is_the_cut(s: State, given: Given) -> Truth:
    """What was flashed is the cut: the secondary held nothing else, and no later data."""
    return same(s.target, s.cut, (s.flashed | s.committed).tracks.writes)


@conjunct(GROUP)
def what_can_be_brought_back_is_consistent(s: State, given: Given) -> Truth:
    """Until the first commit the last increment is still there, whole, on the targets or behind a revertible flash."""
    closed = s.needs.closes(reverted(s), s.covered.tracks.writes)
    return closed if not given.options.hardened else s.committed.some() | closed


@conjunct(GROUP)
def cut_is_not_older_than_what_it_replaces(s: State, given: Given) -> Truth:
    """What the targets held when a unit joined, its cache held too."""
    return (reverted(s) & s.joined.tracks.writes) <= s.cut


@conjunct(GROUP)
def begun_was_acknowledged(s: State, given: Given) -> Truth:
    """What was acknowledged before an increment began, was acknowledged."""
    return s.begun <= s.acknowledged


@conjunct(GROUP)
def cut_holds_what_had_begun(s: State, given: Given) -> Truth:
    """The cut of a unit holds all that was acknowledged before the first unit joined."""
    return (s.begun & s.joined.tracks.writes) <= s.cut


@conjunct(GROUP)
def seed_flash_is_final(s: State, given: Given) -> Truth:
    """In the seed no flash is committed apart, and none is withdrawn."""
    return TRUE if given.options.hardened else (s.committed | s.withdrawn).is_empty()


@conjunct(GROUP)
def seed_leaves_when_all_are_flashed(s: State, given: Given) -> Truth:
    """In the seed, where nothing fails, a unit leaves when every volume is flashed, so no later data is flashed."""
    return TRUE if given.options.hardened else s.left.some().implies(s.members.volumes <= s.flashed)


CONJUNCTS = (
    one_runs_when_all_have_joined,
    one_relation_state,
    flashed_is_a_drained_members,
    one_flashes_when_all_have_drained,
    one_commits_when_all_are_flashed,
    withdrawal_is_reported_when_done,
    only_members_are_covered,
    all_are_covered,
    target_is_the_cut,
    what_can_be_brought_back_is_consistent,
    cut_is_not_older_than_what_it_replaces,
    begun_was_acknowledged,
    cut_holds_what_had_begun,
    seed_flash_is_final,
    seed_leaves_when_all_are_flashed,
)
