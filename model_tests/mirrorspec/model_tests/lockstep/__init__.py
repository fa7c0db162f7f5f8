"""The controller in lockstep with the specification, without time: whoever chooses the steps chooses the order of everything.

`system` holds the machines, their storage, and what is on its way; `choosing` says which steps are enabled and how one is
drawn; `machine` lets Hypothesis draw; `walking` draws at random, for volume, through every configuration; `shortening` makes
what was found short; `reached` counts what was reached, so that nothing passes without having been tried.
"""
