"""Durable storage of a unit: what a crash must not take away, and where the contents of tracks lie.

A unit writes to two kinds of thing. A *store* holds the non-volatile part [0017, 0031]: keys and values, changed many at a
time, all or nothing. A *track file* holds contents of tracks by number; a write to it may be torn or lost until it is flushed.
The rule that makes the whole crash-safe: **a place of a track file is only ever written while nothing committed says to read
it there**, either because the contents are still in the store, and are read from there, or because nothing refers to the place
yet. So whatever a crash leaves of a write to a file is never looked at.

Read in this order:

`store`       the key-value store: what it promises, and one in memory
`sqlite`      the same on disk
`trackfile`   contents of tracks: in memory, and as a plain file
`keys`        every key that a unit has in its store, in one table
`places`      contents that are first in the store and later in a file: destage [0030]
`bitmaps`     the sets of tracks, wholly in the store [0031-0034]; `bitmap_copy`: with a copy on disk [0033]
`preserved`   old images kept for sending [0044]
`primary`     the storage of a primary: cache, bitmaps, preserved images
`layers`      which place a mirror and a flash target have for each track [0020-0021]
`secondary`   the storage of a secondary
`folder`      either of them in a folder on disk
"""
