"""The counterexample format: written, read back, replayed; anything else refused with one line."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorspec.model_tests import catalogue
from mirrorspec.spec.counterexample import Counterexample, from_json, read, replayed, to_json
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.readings.bits import BitsReading
from mirrorspec.spec.shrink import shrink
from mirrorspec.spec.witness import Missing, Outside, witnesses

CASES = catalogue.cases()
FOUND = catalogue.counterexample(CASES["run_before_all_joined"])
DATA = json.loads(json.dumps(to_json(FOUND)))


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "found.itf.json"
    file.write_text(json.dumps(to_json(FOUND)), encoding="utf-8")
    assert read(file) == FOUND


def test_it_is_an_itf_trace() -> None:
    assert DATA["#meta"]["format"] == "ITF"
    assert all(set(DATA["vars"]) <= state.keys() for state in DATA["states"])
    assert DATA["states"][0]["out_of_sync"] == {"#set": []}
    assert [state["#meta"]["index"] for state in DATA["states"]] == list(range(len(FOUND.labels) + 1))


def test_the_witness_is_two_writes_of_which_one_is_missing() -> None:
    assert isinstance(FOUND.witness, Missing)
    needs = FOUND.states[-1]["needs"][FOUND.witness.holds]
    assert needs >> FOUND.witness.misses & 1


def test_what_is_lost_is_named_too() -> None:
    found = catalogue.counterexample(CASES["acknowledged_before_marked"])
    assert isinstance(found.witness, Outside)
    assert "lacks W" in found.witness.words(found.setting.universe)


def test_a_property_that_holds_has_no_witness() -> None:
    reading = BitsReading(FOUND.setting.model(), FOUND.setting.universe)
    for p in reading.model.properties:
        if p.kind == "safety":
            assert witnesses(p.of_state, reading.universe, reading.initial()) == []


def _changed(path: tuple[Any, ...], value: Any) -> Any:
    data = copy.deepcopy(DATA)
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("#meta", "mirrorspec", "format"), 99, "this version reads 1"),
        (("#meta", "mirrorspec", "environment"), "standrd", "did you mean standard"),
        (("#meta", "mirrorspec", "deviation"), "run_before_joined", "did you mean run_before_all_joined"),
        (("#meta", "mirrorspec", "property"), "consistant", "did you mean consistent"),
        (("#meta", "mirrorspec", "property"), "frozen_set_falls", "unknown property|no counterexample"),
        (("#meta", "mirrorspec", "layout"), [[[10**9]]], "number of writes"),
        (("#meta", "mirrorspec", "layout"), [], "layout must be"),
        (("#meta", "mirrorspec", "sessions"), 10**9, "from 1 to 64"),
        (("#meta", "mirrorspec", "configuration"), {"name": "x"}, "must have"),
        (("states", 3, "#meta", "step"), "run(S0-U0)", "refused by"),
        (("states", 3, "#meta", "step"), "run(S7-U9)", "no event of this model"),
        (("states", 3, "#meta"), {}, "names no step"),
        (("states", 5, "out_of_sync"), {"#set": ["T1"]}, "differs from the replay in 'out_of_sync'"),
        (("states",), [], "no states"),
        (("#meta",), [], "not an ITF trace"),
    ],
)
def test_a_file_that_was_changed_is_refused(path: tuple[Any, ...], value: Any, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        from_json(_changed(path, value))


def test_a_trace_that_breaks_nothing_is_refused() -> None:
    with pytest.raises(BadInputError, match="no counterexample"):
        replayed(FOUND.setting, FOUND.labels[:-1], FOUND.property, engine="test")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"#meta": {}}', "[" * 100_000])
def test_a_file_that_is_no_trace_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError, match=r"bad\.json: "):
        read(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        read(tmp_path / "none.json")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
def test_no_changed_file_gets_further_than_one_line(data: st.DataObject) -> None:
    """Whatever is put wherever: it is read as what it is, or refused with `BadInputError`."""
    changed = copy.deepcopy(DATA)
    at: Any = changed
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at))) if isinstance(at, list) else []
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
            at[key] = data.draw(_JSON)
            break
        at = at[key]
    said = ""
    try:
        from_json(changed)
    except BadInputError as error:
        said = str(error)
    assert "\n" not in said


def _padded(name: str, seed: int) -> Counterexample:
    """The stored counterexample with as many random events in between as it bears: long, and mostly beside the point."""
    found = catalogue.counterexample(CASES[name])
    reading = BitsReading(found.setting.model(), found.setting.universe)
    source = random.Random(seed)
    labels = list(found.labels)
    for _ in range(120):
        at = source.randrange(len(labels))
        state = reading.initial()
        for label in labels[:at]:
            state = reading.after(reading.by_label[label], state)
        event = source.choice(list(reading.enabled(state)))
        longer = [*labels[:at], event.label(reading.universe), *labels[at:]]
        try:
            replayed(found.setting, longer, found.property, engine="padded", seed=seed)
        except BadInputError:
            continue
        labels = longer
    assert len(labels) > len(found.labels)
    return replayed(found.setting, labels, found.property, engine="padded", seed=seed)


@pytest.mark.parametrize("name", ["acknowledged_before_marked", "drained_with_bits_set", "run_before_all_joined"])
def test_a_long_trace_shrinks_and_still_breaks_the_same_property(name: str) -> None:
    long = _padded(name, seed=7)
    short = shrink(long)
    assert short.property == long.property
    assert int(str(catalogue.stored()[name]["length"])) <= len(short.labels) < len(long.labels)
    assert shrink(short).labels == short.labels
