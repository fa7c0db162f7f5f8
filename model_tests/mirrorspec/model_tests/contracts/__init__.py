"""Contracts on the decisions about one track, and about the rows of a recovery: confirmed over all paths, and compared.

Everything that could lose a write is decided by a few small functions (`mirrorspec.impl.core.decisions`,
`mirrorspec.spec.recovery`). Each is looked at in two ways that know nothing of each other: CrossHair runs it on symbols and
confirms what a storage engineer wants of it (`writes`, `transfers`, `recovery`), and every input that there is to it is put
into a state of the specification and the step taken there (`steps`, `images`). `faults` is the list of ways to get a decision
wrong; each must be found by both.
"""
