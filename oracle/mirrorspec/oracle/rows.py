"""Flash relations as JSON: what `mirrorspec decide` is given, read strictly and with bounds.

    {"members": ["A", "B"], "ever_committed": true,
     "rows": [{"volume": "A", "revertible": true, "number": 8, "reverts_to": 7}, …]}

`reverts_to` may be absent or null; `ever_committed` may be absent and is then true. Anything else is refused with the place
where it stands: a table on which a recovery hangs is not guessed at.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.recovery import Row

LARGEST_BYTES = 16 << 20
MOST_ROWS = 65_536
LONGEST_NAME = 256
LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of flash relations, and the volumes that must be in it."""

    members: tuple[str, ...]
    ever_committed: bool
    rows: tuple[Row, ...]


def parse(text: str) -> Rows:
    """The table in a JSON text. Raises `BadInputError` with the place and the reason."""
    try:
        data = json.loads(text, object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"is not JSON: {error}") from None
    _object(data, "the table", {"members", "rows"}, {"ever_committed"})
    members = tuple(_name(m, f"members[{i}]") for i, m in enumerate(_list(data["members"], "members")))
    if twice := next((m for m, n in Counter(members).items() if n > 1), None):
        raise BadInputError(f"members: {twice!r} is there twice")
    ever_committed = data.get("ever_committed", True)
    if not isinstance(ever_committed, bool):
        raise BadInputError("ever_committed: true or false is expected")
    return Rows(
        members, ever_committed, tuple(_row(r, f"rows[{i}]") for i, r in enumerate(_list(data["rows"], "rows")))
    )


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if twice := next((name for name, n in Counter(name for name, _ in pairs).items() if n > 1), None):
        raise BadInputError(f"an object has {twice[:LONGEST_NAME]!r} twice")
    return dict(pairs)


def _row(data: Any, place: str) -> Row:
    _object(data, place, {"volume", "revertible", "number"}, {"reverts_to"})
    if not isinstance(data["revertible"], bool):
        raise BadInputError(f"{place}.revertible: true or false is expected")
    back = data.get("reverts_to")
    return Row(
        _name(data["volume"], f"{place}.volume"),
        data["revertible"],
        _number(data["number"], f"{place}.number"),
        None if back is None else _number(back, f"{place}.reverts_to"),
    )


def _object(data: Any, place: str, needed: set[str], allowed: set[str]) -> None:
    if not isinstance(data, dict):
        raise BadInputError(f"{place}: an object is expected")
    if missing := needed - data.keys():
        raise BadInputError(f"{place}: {min(missing)!r} is missing")
    if unknown := data.keys() - needed - allowed:
        raise BadInputError(f"{place}: {min(unknown)[:LONGEST_NAME]!r} means nothing here")


def _list(data: Any, place: str) -> list[Any]:
    if not isinstance(data, list):
        raise BadInputError(f"{place}: a list is expected")
    if len(data) > MOST_ROWS:
        raise BadInputError(f"{place}: {len(data)} entries, more than {MOST_ROWS}")
    return data


def _name(data: Any, place: str) -> str:
    if not isinstance(data, str) or not data.isprintable() or not 1 <= len(data) <= LONGEST_NAME:
        raise BadInputError(f"{place}: a volume's name of 1 to {LONGEST_NAME} printable characters is expected")
    return data


def _number(data: Any, place: str) -> int:
    if not isinstance(data, int) or isinstance(data, bool) or not 0 <= data <= LARGEST_NUMBER:
        raise BadInputError(f"{place}: a sequence number from 0 to {LARGEST_NUMBER} is expected")
    return data
