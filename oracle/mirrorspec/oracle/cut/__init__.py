"""Is a recovered image a consistent cut of a recorded history of host writes? A black box's judge.

It knows no replication protocol: it is given a history (when each write was issued and acknowledged, and what it wrote),
the images before it, and the images that were recovered. Read `judge` first, which has the rule; `history` says what it
works on, `jsonl` and `nbdkit` read that, `images` compares, `intervals` and `witness` are the case of repeated contents,
`report` says the result.
"""
