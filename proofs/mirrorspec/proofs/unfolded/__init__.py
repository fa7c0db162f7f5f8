"""Forms of the protocol that leave less out, to check abstractions that are not about numbers of increments.

Each runs the staged steps of the specification with something put back (docs/explanation/abstractions.md): a query that reaches
a unit's two halves at two times (`halves`, d), every copy of every transfer (`transfers`, e), and a record of the membership at
each place (`records`, j). What is claimed stands at the head of each; that it is looked at within small bounds makes it a check
and not a proof. Each form has a switch that leaves out what its argument needs, and then the check must fail.
"""

from mirrorspec.proofs.unfolded import halves, records, transfers

__all__ = ["halves", "records", "transfers"]
