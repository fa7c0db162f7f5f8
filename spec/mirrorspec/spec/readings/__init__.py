"""The readings: each a small fold over the terms, none of which knows the protocol.

`bits` runs one state as integers; `batch` a column of states as arrays; `symbols` speaks to a solver of any number of things;
`text` prints the model in another language; `words` prints a term for people.
"""
