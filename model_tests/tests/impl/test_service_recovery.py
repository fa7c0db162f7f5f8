"""Recovery of the folders of a secondary site: the table's rows, the fence, the acts, and being killed between any two."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from mirrorspec.impl.core.outcome import Change, Image, Receive, Relate
from mirrorspec.impl.service.config import Installation, load
from mirrorspec.impl.service.recovery import opened
from mirrorspec.impl.storage.folder import open_secondary
from mirrorspec.model_tests.running import TRACK_BYTES, config
from mirrorspec.spec.errors import BadInputError
from mirrorspec.spec.recovery import Action

UNITS = ("a", "b", "c")


def received(value: int, sequence: int) -> Receive:
    """Track 0 gets contents of that value."""
    return Receive(0, 1, sequence, bytes([value]) * TRACK_BYTES)


def formed(number: int) -> tuple[Change, ...]:
    """What a secondary stores in an increment that is formed under that number, with that number as its data."""
    settle = (Relate(0, "settle", number),) if number > 1 else ()
    return received(number, number), *settle, Relate(0, "flash", number, number), Relate(0, "commit", number)


def flashed(number: int) -> tuple[Change, ...]:
    """The same, without the commit."""
    return formed(number)[:-1]


def site(folder: Path, *histories: Sequence[tuple[Change, ...]]) -> Installation:
    """A secondary site whose secondaries have stored these changes, one commit each."""
    file = folder / "installation.toml"
    file.write_text(config(UNITS[: len(histories)]), encoding="utf-8")
    installation = load(file)
    for unit, history in zip(installation.units, histories, strict=True):
        unit.secondary.folder.mkdir()
        storage = open_secondary(unit.secondary.folder, unit.shape)
        for changes in history:
            storage.commit(changes)
        storage.close()
    return installation


def values(installation: Installation) -> list[int]:
    """The value that each unit's target holds in its track 0."""
    found = []
    for unit in installation.units:
        storage = open_secondary(unit.secondary.folder, unit.shape)
        found.append(storage.read(Image.TARGET, 0)[0])
        storage.close()
    return found


CASES = {
    "all committed": ((formed(1), formed(2)), (formed(1), formed(2)), Action.NOTHING, 2),
    "flash partly issued": ((formed(1), flashed(2)), (formed(1),), Action.REVERT, 1),
    "all flashed": ((formed(1), flashed(2)), (formed(1), flashed(2)), Action.REVERT, 1),
    "some committed": ((formed(1), formed(2)), (formed(1), flashed(2)), Action.COMMIT, 2),
    "first commit half done": ((formed(1),), (flashed(1),), Action.COMMIT, 1),
}


@pytest.mark.parametrize("case", CASES)
def test_every_row_of_the_table_leaves_one_increment_on_all_units(tmp_path: Path, case: str) -> None:
    """FACTS section 2: after the action all numbers are equal, and doing it again finds nothing to do."""
    first, second, action, number = CASES[case]
    installation = site(tmp_path, first, second)
    with opened(installation) as found:
        decision = found.decide()
        assert (decision.action, decision.number) == (action, number)
        assert not found.fenced
        found.act(decision)
    with opened(installation) as found:
        assert found.fenced
        assert (found.decide().action, found.decide().number) == (Action.NOTHING, number)
    assert values(installation) == [number, number]


@pytest.mark.parametrize("case", ["flash partly issued", "all flashed", "some committed", "first commit half done"])
def test_killed_after_any_act_it_is_completed_by_doing_it_again(tmp_path: Path, case: str) -> None:
    """DESIGN 3.11: the same number, however often and wherever it was cut off; the fence of every secondary comes first."""
    first, second, _, number = CASES[case]

    class Killed(Exception):  # noqa: N818 (it stands for a signal)
        pass

    for last in range(1, 5):
        folder = tmp_path / str(last)
        folder.mkdir()
        installation = site(folder, first, second)
        acts: list[str] = []

        def reached(act: str, acts: list[str] = acts, last: int = last) -> None:
            acts.append(act.split()[0])
            if len(acts) == last:
                raise Killed

        with opened(installation) as found:
            with suppress(Killed):
                found.act(found.decide(), reached)
            assert acts == sorted(acts, reverse=True), "something was decided before every secondary was fenced"
        with opened(installation) as found:
            found.act(found.decide())
            assert found.decide().number == number
        assert values(installation) == [number, number]


def test_all_flashed_can_be_committed_instead(tmp_path: Path) -> None:
    first, second, _, _ = CASES["all flashed"]
    installation = site(tmp_path, first, second)
    with opened(installation) as found:
        found.act(found.decide(commit=True))
        assert found.decide().number == 2
    assert values(installation) == [2, 2]


def test_before_the_first_commit_there_is_no_image_and_nothing_is_changed(tmp_path: Path) -> None:
    installation = site(tmp_path, (flashed(1),), (flashed(1),))
    with opened(installation) as found:
        decision = found.decide()
        assert decision.action is Action.NO_IMAGE
        with pytest.raises(ValueError, match="no consistent image"):
            found.act(decision)
    with opened(installation) as found:
        assert not found.fenced


def test_rows_that_cannot_be_are_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    """A secondary that has missed two increments: its folder is an old copy."""
    installation = site(tmp_path, (formed(1), formed(2), formed(3)), (formed(1),))
    with opened(installation) as found:
        decision = found.decide()
        assert decision.action is Action.REFUSE
        assert decision.volumes == ("a", "b")
    with opened(installation) as found:
        assert not found.fenced


def test_a_volume_that_was_never_part_of_a_commit_is_not_offered_and_its_flash_is_withdrawn(tmp_path: Path) -> None:
    """`spec.recovery.promised`: a unit that joined the installation lately does not make the others unrecoverable."""
    installation = site(tmp_path, (formed(1), flashed(2)), (formed(1),), ((received(9, 1), Relate(0, "flash", 2, 2)),))
    with opened(installation) as found:
        assert [v.name for v in found.volumes if v.offered] == ["a", "b"]
        found.act(found.decide())
        assert [v.relation.state for v in found.volumes] == ["withdrawn", "committed", "withdrawn"]
    assert values(installation) == [1, 1, 0]


def test_an_exported_image_is_the_target_and_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    installation = site(tmp_path, (formed(1), (received(7, 7),)))
    with opened(installation) as found:
        (volume,) = found.volumes
        found.export(volume, tmp_path / "a.img")
        content = (tmp_path / "a.img").read_bytes()
        assert content == bytes([1]) * TRACK_BYTES + bytes(len(content) - TRACK_BYTES)

        def stop(_done: int) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            found.export(volume, tmp_path / "b.img", stop)
    assert not list(tmp_path.glob("*b.img*"))


def test_a_folder_that_is_missing_is_not_made_up(tmp_path: Path) -> None:
    """FACTS section 2: a missing relation is a finding, not an empty row."""
    installation = site(tmp_path, (formed(1),), (formed(1),))
    (installation.units[1].secondary.folder / "store").unlink()
    with pytest.raises(BadInputError, match="secondary-b: no secondary has kept anything there"), opened(installation):
        pass


def test_while_a_secondary_has_its_folder_nothing_is_read(tmp_path: Path) -> None:
    installation = site(tmp_path, (formed(1),))
    unit = installation.units[0]
    storage = open_secondary(unit.secondary.folder, unit.shape)
    with pytest.raises(BadInputError, match="in use by another process"), opened(installation):
        pass
    storage.close()
