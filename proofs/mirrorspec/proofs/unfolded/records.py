"""Three records of who belongs to the session, changed one after the other: what abstraction (j) leaves out.

The specification has one set `members`. Here that is the session's record; the primary has one of its own, by which it marks
tracks, and the secondary site another, which is all that recovery has. A session changes them before it sends start increment
to anybody: a newcomer is first recorded at the secondary site, then admitted, then tracked by its primary; a unit that goes
is first struck from the record there. Start increment is sent only when all three agree.

What is claimed is that what SAFETY says of a state holds, with recovery reading its own record. (What it says of a step,
`never_back`, is left out: the steps here are not those for which it was staged.)
"""

from __future__ import annotations

from dataclasses import replace

from mirrorspec.proofs.unfolded.larger import elsewhere, extra, guarded, larger, leaf, reading
from mirrorspec.spec.model import Model, StagedStep
from mirrorspec.spec.sorts import Sort
from mirrorspec.spec.state import symbolic_state
from mirrorspec.spec.step import members_of, then, when
from mirrorspec.spec.terms import SetTerm, Truth, empty, parameter

RECORDED = extra("recorded_at_the_secondary", empty(Sort.UNIT))
TRACKED = extra("tracked_by_the_primary", empty(Sort.UNIT))
CHANNEL = (("c", Sort.CHANNEL),)


def in_records(model: Model, *, agreed: bool = True) -> Model:
    """The model in which each of three places has a record of its own. Unless *agreed*, start increment is sent before the
    records agree: then SAFETY must fail."""
    s, c, k = symbolic_state(), parameter("c", Sort.CHANNEL), parameter("k", Sort.SESSION)
    u, recorded, tracked = c.unit, leaf(RECORDED), leaf(TRACKED)

    def unsent(session: SetTerm) -> Truth:
        return (session <= s.starting) & session.channels.outside(s.start_sent)

    steps: list[StagedStep] = []
    for step in model.steps:
        changes = dict(step.changes)
        if step.name == "apply_write":
            changes = {n: reading(t, {"members": tracked}) for n, t in changes.items()}
        elif step.name == "establish":
            step = guarded(step, unsent=unsent(c.session))
            step = guarded(step, recorded=u <= recorded) if agreed else step
            del changes["start_sent"], changes["out_of_sync"]
        elif step.name == "dismiss":
            step = guarded(step, unsent=unsent(c.session))
            step = guarded(step, struck=u.outside(recorded)) if agreed else step
            changes = {"members": changes["members"]}
        elif step.name in ("all_committed", "all_aborted"):
            changes["start_sent"] = empty(Sort.CHANNEL)
        steps.append(replace(step, changes=changes))
    settled = {"settled": (s.members <= recorded) & (recorded <= s.members)} if agreed else {}
    steps += [
        StagedStep(
            "record",
            CHANNEL,
            when(outsider=u.outside(s.members | recorded), unsent=unsent(c.session)),
            then(**{RECORDED.name: recorded | u}),
        ),
        StagedStep(
            "track",
            CHANNEL,
            when(member=u <= s.members, new=u.outside(tracked)),
            then(**{TRACKED.name: tracked | u, "out_of_sync": s.out_of_sync | u.tracks}),
        ),
        StagedStep(
            "strike",
            CHANNEL,
            when(recorded=u <= s.members & recorded, unsent=unsent(c.session)),
            then(**{RECORDED.name: recorded & ~u, "covered": s.covered & ~u.volumes}),
        ),
        StagedStep(
            "untrack",
            CHANNEL,
            when(outsider=u.outside(s.members), tracked=u <= tracked),
            then(
                **{TRACKED.name: tracked & ~u},
                out_of_sync=s.out_of_sync & ~u.tracks,
                in_flight=s.in_flight & ~u.tracks,
                delivered=s.delivered & ~u.tracks,
                rewritten=s.rewritten & ~u.tracks,
            ),
        ),
        StagedStep(
            "send_start",
            (("k", Sort.SESSION),),
            when(unsent=unsent(k), some=s.members.some(), tracked=s.members <= tracked, **settled),
            then(start_sent=s.start_sent | members_of(k.channels, s)),
        ),
    ]
    properties = tuple(elsewhere(p, {"members": recorded}) for p in model.properties if not p.of_step)
    return replace(larger(model, (RECORDED, TRACKED), steps), properties=properties)
