"""Which orders are safe [0053]: the rows of `spec.reorderings` decided, by exchange, by induction, or by a counterexample.

Read `exchange` for steps that lead to the same state in either order, `altered` for the protocol with one order changed,
proved anew, and `decide` for what becomes of every row.
"""
