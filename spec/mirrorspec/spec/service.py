"""The promise as a specification of its own: hosts write, and now and then there is a newer image to recover.

Read it instead of the protocol if all you want to know is what you get. The service has what hosts have issued, what was
acknowledged, which write needs which, the volumes for which there is something to recover, the image that recovery yields, and,
while an image forms, what that one will have to hold and whether it is there. It can do five things, one a function below,
and nothing else; so the images form a growing sequence of closed sets of writes, each with all that was acknowledged before
it began to form.

A step is a relation between two states, written in the algebra of the protocol's own steps. It cannot speak of units or of
transfers: the service has none. The protocol refines it: `mirrorspec.proofs.refinement`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mirrorspec.spec.terms import FALSE, TRUE, Relation, SetTerm, Truth, all_of


@dataclass(frozen=True, slots=True)
class Service:
    """A state of the service."""

    issued: SetTerm
    """Writes that hosts have sent."""
    acknowledged: SetTerm
    """Writes reported complete."""
    needs: Relation
    """For each write, those acknowledged before its issue [0008]."""
    offered: SetTerm
    """Volumes that recovery has something to offer for."""
    image: SetTerm
    """Writes that recovery yields now; of it only the offered volumes count [0010]."""
    forming: Truth
    """Whether a newer image is forming [0049]."""
    due: SetTerm
    """What was acknowledged when it began to form [0010]."""
    ready: Truth
    """Whether it has formed, and is the one that recovery yields."""

    @property
    def offer(self) -> SetTerm:
        """The writes to offered volumes."""
        return self.offered.tracks.writes


Action = Callable[[Service, Service], Truth]


def promised(s: Service) -> Truth:
    """What is promised of every state: the image was written by hosts, holds whatever its writes need, and what was due."""
    kept = s.ready.implies(s.forming & ((s.due & s.offer) <= s.image))
    return ((s.image & s.offer) <= s.issued) & s.needs.closes(s.image, s.offer) & kept


def stutter(before: Service, after: Service) -> Truth:
    """Nothing that anybody outside could see has happened."""
    return _hosts_wait(before, after) & _image_stays(before, after) & _goes_on(before, after)


def issue(before: Service, after: Service) -> Truth:
    """A host sends a write that has not been sent before, and that needs all that was acknowledged by now [0008]."""
    if after.needs.kind != "record":
        return FALSE
    earlier, write, needed = after.needs.args
    assert isinstance(write, SetTerm)
    return all_of(
        (
            _identical(earlier, before.needs) & _identical(needed, before.acknowledged),
            write.outside(before.issued),
            _equal(after.issued, before.issued | write),
            _equal(after.acknowledged, before.acknowledged),
            _image_stays(before, after),
            _goes_on(before, after),
        )
    )


def acknowledge(before: Service, after: Service) -> Truth:
    """A host hears that writes which it sent are complete."""
    return all_of(
        (
            _identical(after.needs, before.needs),
            _equal(after.issued, before.issued),
            before.acknowledged <= after.acknowledged,
            after.acknowledged <= after.issued,
            _image_stays(before, after),
            _goes_on(before, after),
        )
    )


def begin(before: Service, after: Service) -> Truth:
    """A newer image begins to form: it will have to hold all that is acknowledged by now [0049]."""
    forms = ~before.forming & ~before.ready & after.forming & ~after.ready & _equal(after.due, before.acknowledged)
    return _hosts_wait(before, after) & _image_stays(before, after) & forms


def end(before: Service, after: Service) -> Truth:
    """No image is forming any more: the last one is there, or has been given up; some volumes may be offered no longer."""
    kept = (after.offered <= before.offered) & _equal(before.image & after.offer, after.image & after.offer)
    return _hosts_wait(before, after) & kept & ~after.forming & ~after.ready


def advance(before: Service, after: Service) -> Truth:
    """The image that has formed is the one to recover: it is closed, has all that the last one had, and all that was due."""
    return all_of(
        (
            _hosts_wait(before, after),
            before.forming & after.forming & _equal(after.due, before.due),
            ~before.ready & after.ready,
            before.offered <= after.offered,
            (before.image & before.offer) <= after.image,
            promised(after),
        )
    )


ACTIONS: dict[str, Action] = {a.__name__: a for a in (stutter, issue, acknowledge, begin, end, advance)}
"""Everything that the service does."""


def initial(s: Service) -> Truth:
    """Where the service begins: nothing was written, nothing forms."""
    return s.issued.is_empty() & s.acknowledged.is_empty() & promised(s) & ~s.forming & ~s.ready


def _hosts_wait(before: Service, after: Service) -> Truth:
    return (
        _identical(after.needs, before.needs)
        & _equal(after.issued, before.issued)
        & _equal(after.acknowledged, before.acknowledged)
    )


def _image_stays(before: Service, after: Service) -> Truth:
    return _equal(after.offered, before.offered) & _equal(before.image & before.offer, after.image & before.offer)


def _goes_on(before: Service, after: Service) -> Truth:
    due = _equal(after.due, before.due) | ~after.forming
    return _alike(before.forming, after.forming) & _alike(before.ready, after.ready) & due


def _alike(a: Truth, b: Truth) -> Truth:
    return TRUE if a is b else a.implies(b) & b.implies(a)


def _equal(a: SetTerm, b: SetTerm) -> Truth:
    return (a <= b) & (b <= a)


def _identical(a: object, b: object) -> Truth:
    """That two terms are one and the same, and so have the same value whatever the state."""
    return TRUE if a is b else FALSE
