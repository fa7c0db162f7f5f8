"""The bank of [0008]: accounts on one control unit, the ledger on another, in SQLite databases over mirrored volumes.

Read `books` first: what the bank writes, in which order, and what must therefore hold in whatever is recovered. `devices`,
`files` and `vfs` put a database on a volume; `parties` is an installation of the controller and `clerk` the bank at work
over it; `drill` kills it again and again and audits what the secondary site holds; `faults` breaks it, so that the audit is
seen to find something. `docs/tutorial/bank.md` leads through all of it.
"""
