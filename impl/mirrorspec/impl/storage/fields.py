"""The numbers and words of a unit's record, one key each."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import Any

from mirrorspec.impl.core.outcome import Put
from mirrorspec.impl.core.records import PrimaryRecord, SecondaryRecord
from mirrorspec.impl.storage import keys
from mirrorspec.impl.storage.store import Batch, Store


@cache
def kinds(record: type[PrimaryRecord] | type[SecondaryRecord]) -> dict[str, type]:
    """The fields that a `Put` may change, each with the type of its values."""
    return {f.name: type(f.default) for f in fields(record) if isinstance(f.default, int | str)}


def put(change: Put, known: dict[str, type], batch: Batch) -> None:
    """With the batch, the field has the value. Raises `ValueError` for a field or a type that the record does not have."""
    if type(change.value) is not known.get(change.field):
        raise ValueError(f"{change} is not a change of this record")
    batch[keys.FIELD + change.field.encode()] = keys.scalar(change.value)


def read(store: Store, known: dict[str, type]) -> dict[str, Any]:
    """The fields that were ever put. Raises `DamagedError` for one that the record does not have."""
    found = {}
    for key, content in store.items(keys.FIELD):
        name, value = key[1:].decode(errors="replace"), keys.of_scalar(content)
        if type(value) is not known.get(name):
            raise keys.DamagedError(f"the storage of the unit is damaged: {name} = {value!r} is no field of its record")
        found[name] = value
    return found
