"""The file of an installation is read strictly: what it cannot mean is refused with the place and what would be right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mirrorspec.impl.core.options import Drained, PrimaryOptions, SessionOptions
from mirrorspec.impl.link.stream import LinkOptions
from mirrorspec.impl.service import blocks
from mirrorspec.impl.service.config import LARGEST_BYTES, load, parse
from mirrorspec.impl.storage.secondary import Method
from mirrorspec.model_tests.running import config, free_ports
from mirrorspec.spec.configuration import HARDENED, Collision
from mirrorspec.spec.errors import BadInputError

EXAMPLE = Path(__file__).parents[3] / "examples" / "installations" / "two-units.toml"
UNIT = """
[[unit]]
name = "a"
track_bytes = 512
volume = [{name = "v", tracks = 4}, {name = "w", tracks = 2}]
primary = {folder = "p", listen = "127.0.0.1:1", hosts = "127.0.0.1:2"}
secondary = {folder = "s", listen = "127.0.0.1:3"}
"""
SESSION = "[session]\n"


def test_what_is_left_out_has_the_defaults_of_the_options() -> None:
    found = parse(SESSION + UNIT, Path("base"))
    (unit,), (place,) = found.units, found.sessions
    assert (unit.shape.volumes, unit.volumes, unit.shape.track_bytes) == ((4, 2), ("v", "w"), 512)
    assert unit.primary.options == PrimaryOptions()
    assert (place.name, place.folder, place.options) == ("home", Path("base/session"), SessionOptions())
    assert (found.links, unit.secondary.folder) == (LinkOptions(), Path("base/s"))


def test_protocol_and_drained_hold_for_every_party() -> None:
    found = parse('[protocol]\ncollision = "send_copy"\ndrained = "query"\n' + SESSION + UNIT, Path())
    for options in (found.units[0].primary.options, found.sessions[0].options):
        assert options.configuration == HARDENED.with_options(collision=Collision.SEND_COPY)
        assert options.drained is Drained.QUERY


def test_the_example_says_what_its_comments_say() -> None:
    found = load(EXAMPLE)
    assert [unit.volumes for unit in found.units] == [("accounts",), ("ledger",)]
    assert found.sessions[0].options == SessionOptions(interval_seconds=1.0)
    assert found.units[0].primary.options == PrimaryOptions()
    assert [unit.secondary.method for unit in found.units] == [Method.COPY, Method.REDIRECT]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SESSION, "the file: 'unit' is missing"),
        (SESSION + UNIT + "[else]\n", "the file: 'else' means nothing here"),
        (SESSION + "interval = 1\n" + UNIT, "session: 'interval' means nothing here"),
        (SESSION + "interval_seconds = -1\n" + UNIT, "session.interval_seconds: seconds from 0 to 64800"),
        (SESSION + "interval_seconds = nan\n" + UNIT, "session.interval_seconds: seconds from 0 to 64800"),
        (SESSION + "interval_seconds = true\n" + UNIT, "session.interval_seconds: seconds"),
        (SESSION + "failures = 0\n" + UNIT, "session.failures: a whole number from 1"),
        (SESSION + "place = []\n" + UNIT, "session.place: a list of 1 to 256 tables"),
        (SESSION + UNIT.replace('"a"', '"a b"'), "unit[0].name: letters, digits"),
        (SESSION + UNIT.replace("tracks = 4", "tracks = 0"), "unit[0].volume[0].tracks: a whole number from 1"),
        (SESSION + UNIT.replace("127.0.0.1:1", "127.0.0.1"), "unit[0].primary.listen: '127.0.0.1' is not an address"),
        (SESSION + UNIT.replace('"p"', "7"), "unit[0].primary.folder: text is expected"),
        (SESSION + UNIT.replace('"p"', '"s"'), "the folder"),
        (SESSION + UNIT.replace(":2", ":1"), "the address 127.0.0.1:1 is there twice"),
        (SESSION + UNIT.replace('"w"', '"v"'), "the volume v is there twice"),
        (SESSION + UNIT + UNIT, "the unit a is there twice"),
        ('[protocol]\ncollision = "lose"\n' + SESSION + UNIT, "protocol.collision: one of send_first, preserve"),
        ('[protocol]\nrecovery = "newest"\n' + SESSION + UNIT, "recovery from the newest target is unsafe"),
        ('[protocol]\nhold = "in_cache"\ncollision = "send_first"\nswitch = "before_run"\n' + SESSION + UNIT, "is unsafe"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=re.escape(reason)):
        parse(text, Path("base"))


@pytest.mark.parametrize("content", [b"[session\n", b"\xff", b"#" * (LARGEST_BYTES + 1)])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "installation.toml"
    file.write_bytes(content)
    with pytest.raises(BadInputError, match=re.escape(str(file))):
        load(file)
    with pytest.raises(BadInputError, match=r"missing\.toml: cannot be read"):
        load(tmp_path / "missing.toml")


def test_the_installation_of_the_tests_uses_nothing_twice() -> None:
    assert len(parse(config(["a", "b", "c"]), Path()).units) == 3


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "usage: "),
        (["read", "v", "0"], "usage: "),
        (["read", "x", "0", "1"], "there is no volume x: there are v, w"),
        (["write", "v", "0"], "refused"),
    ],
)
def test_a_host_in_one_command_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    (port,) = free_ports(1)
    file = tmp_path / "installation.toml"
    file.write_text(SESSION + UNIT.replace("127.0.0.1:2", f"127.0.0.1:{port}"), encoding="utf-8")
    assert blocks.main([str(file), *arguments]) == 2
    assert reason in capsys.readouterr().err
