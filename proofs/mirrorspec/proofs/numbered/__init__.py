"""Why "of this increment, or older" is all that need be known of a message: the protocol with numbers beside the one without.

The specification writes no increment numbers. A message is current or it is not, and when an increment ends, `next_increment`
empties every field that belongs to it, everywhere and at once. No machine can do that. Here the numbers are put back, around
the same staged steps (`lifted`), and every transition is shown to be one that the specification has (`simulation`). So what
is proved of the specification's states holds of the numbered ones.

With numbers
    1. Every increment has a number, never used before and higher than any that was heard. Every command, reply and answer
       carries it. (Here it is the next that nobody has used. A count with the session's number beside it serves as well: the
       order matters only among numbers that were heard.)
    2. A primary, and each of its secondary's volumes, keeps the highest number that it has heard. It refuses a lower one. A
       higher one it obeys if the step's guards allow it, and keeps.
    3. A session leads one increment and counts only the replies of that number. Asked by a session that takes over, a unit
       answers with the higher of the numbers that its primary and its secondary have heard, and with what is flashed *of that
       number*; the session leads the highest that it was told.
    4. Whatever the end of an increment changes in the specification is kept on a page for each number, and no page is ever
       cleared. Modes, bitmaps, transfers, images and fences are shared. A transfer is stamped with its primary's number.

What the specification sees of it
    The shared fields, and the page of the highest number that *anybody has heard*. Left out is what no step can read: the phase
    of a session that every unit refuses, and commands to a unit that refuses their session.

Why each transition is then a step of the specification
    *At the highest number heard* it is the same text over the same values.

    *A lower number*, at whoever has heard the highest, is refused by rule 2. At one who has not heard it yet, that number may
    be obeyed, and does nothing: the highest began only after every member had recorded the lower as over, with every flash of
    it committed or withdrawn. That record refuses start, abort, flash, commit and withdraw. Run and increment complete are
    refused by the mode, which stays normal until start is obeyed. (After that only the number refuses these two. It is the
    reason why a primary must keep it; dropping rule 2 for the other five changes nothing as long as all records are kept.)

    *A number heard for the first time*: its session began it earlier, when nobody else could tell. The specification lets it
    begin, and if need be give up, at this moment, just before the step. Nothing has changed in between that could forbid it:
    the records are durable, and the unit that obeys the command shows that the session is still heeded. To let the increment
    begin when the session decides would be wrong: another session may take over before anybody hears of it, is told the number
    before, and finishes that.

    *A session that takes over* is told the highest number, since every member answers. Whoever hears of a higher one after
    its answer hears it from a session newer still, which leads only when every member refuses this one.

    *A session that every unit refuses* goes on by itself, on the page of its number. It cannot know that it is refused, and
    may begin increments of its own; nobody obeys them. The guard `heeded` is there because the specification has one page
    only, and is left out here.

What the check is, and is not
    Every transition of every state within small bounds, and of the states on random walks within larger ones: no proof for
    all sizes. Where a guard is dropped that the argument needs, the check finds a shortest way on which it fails. Replies are
    facts on a page, not messages, as in the specification. Numbers never wrap. Taking over while units are established and
    dismissed is not covered: a session with nobody to ask is told no number, and a unit outside has refused nobody.
"""

from mirrorspec.proofs.numbered.lifted import Move, Numbered, NumberedProtocol, model_for
from mirrorspec.proofs.numbered.simulation import Broken, Findings, Simulation, exhaust, wander

__all__ = [
    "Broken",
    "Findings",
    "Move",
    "Numbered",
    "NumberedProtocol",
    "Simulation",
    "exhaust",
    "model_for",
    "wander",
]
