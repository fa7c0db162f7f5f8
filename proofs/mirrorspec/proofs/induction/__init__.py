"""Why it always holds, at every size: the inductive proof in the symbols reading.

Read `conjunct` for how the invariant is written, `invariant` for what it says, `obligations` for what must be shown of it.
`cases` names what is proved, `plan` finds the distinct questions, `discharge` asks them.
"""
