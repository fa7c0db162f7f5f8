"""The documents say what is: their commands run, their quotations are the source, their links and names lead somewhere.

A block of kind `console` holds commands after `$ `. Each is run; where output stands below one, it must be the output; where a
verdict word stands behind one as a comment, the command must end in it. The block
under `<!-- counterexample -->` in the README, and the generated pages, are made anew by
``python model_tests/tests/docs/test_docs.py`` from the root of the project.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from mirrorspec.cli import main as cli
from mirrorspec.model_tests import reference
from mirrorspec.model_tests.catalogue import cases
from mirrorspec.oracle.reference import TABLES
from mirrorspec.spec.charts import CHARTS
from mirrorspec.spec.configuration import CONFIGURATIONS, HARDENED, Collision, Hold, Recovery, Restart, Switch
from mirrorspec.spec.deviations import DEVIATIONS
from mirrorspec.spec.environment import FAULTS
from mirrorspec.spec.verdict import Verdict

ROOT = Path(__file__).parents[3]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
WRITTEN = [page for page in PAGES if "reference" not in page.parts]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"^<!-- source: (\S+) -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FOLDER = re.compile(r"commands below run in `([^`]+)`")
"""Where a page has its commands run, if not in the root of the project."""
NEEDED = """unit, volume, track, write, image, consistency group, drain, collision, flash, flash target, hold, cut,
    dependent write, session, channel, fence, taint, revertible, commit, takeover, recovery, membership, covered, term, fold,
    reading, guard, step, model, universe, bounds, environment, deviation, inductive invariant, refinement, increment"""
"""Words that the glossary must have."""
COUNTEREXAMPLE = re.compile(
    r"(?<=^<!-- counterexample -->\n```console\n)\$ (.*?)\n(.*?)(?=^```$)", re.MULTILINE | re.DOTALL
)


def name_of(page: Path) -> str:
    """A page as it is called in a failure."""
    return str(page.relative_to(ROOT))


def commands(text: str) -> list[tuple[str, str]]:
    """The commands in the console blocks of a page, each with the output that stands below it."""
    found = []
    for block in BLOCK.findall(text.replace("\\\n", "")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@cache
def ran(command: str, folder: str = "") -> tuple[int, str, str]:
    """The command run as a user would, from that folder of the project: exit code, output, errors."""
    program, *args = shlex.split(command, comments=True)
    assert program == "mirrorspec"
    done = subprocess.run(
        [sys.executable, "-m", "mirrorspec.cli", *args],
        cwd=ROOT / folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


DOCUMENTED = [(page, *pair) for page in PAGES for pair in commands(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(
    ("page", "command", "output"), DOCUMENTED, ids=[f"{name_of(page)}: {command}" for page, command, _ in DOCUMENTED]
)
def test_every_documented_command_runs(page: Path, command: str, output: str) -> None:
    program, verb, *_ = shlex.split(command)
    if program != "mirrorspec":
        assert not output, "what another program prints cannot be promised"
        pytest.skip(f"LEFT OUT: {program} is another program")
    assert verb in cli.VERBS
    if verb not in cli.cli.list_commands(cli.cli.make_context("mirrorspec", [], resilient_parsing=True)):
        pytest.skip(f"LEFT OUT: the verb {verb} is not there yet")
    folder = FOLDER.search(page.read_text(encoding="utf-8"))
    code, out, err = ran(command, folder[1] if folder else "")
    assert code in (0, 1), err
    assert output in ("", out)
    verdict = command.partition("#")[2].strip()
    if verdict:
        assert code == Verdict(verdict).exit_code
        assert re.search(rf"^{verdict}: ", out, re.MULTILINE)
    else:
        assert verb != "check", "say which verdict this command ends in"


def test_there_are_commands_to_run() -> None:
    assert len(DOCUMENTED) > 10


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_what_is_quoted_is_the_source(page: Path) -> None:
    for path, code in QUOTED.findall(page.read_text(encoding="utf-8")):
        assert code in (ROOT / path).read_text(encoding="utf-8"), f"{path} does not hold what {name_of(page)} quotes"


def test_the_reading_guide_quotes_steps() -> None:
    text = (ROOT / "docs" / "reading-the-specification.md").read_text(encoding="utf-8")
    assert len(QUOTED.findall(text)) == 2
    assert text.count("```python") == 2, "all code in the guide is quoted"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / link.partition("#")[0]).is_file(), f"{name_of(page)}: {link}"


def test_every_page_is_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text(encoding="utf-8"))}
    missing = [name_of(p) for p in PAGES if p not in (README, index) and p.resolve() not in linked]
    assert missing == []


# What is made from the code


def test_the_reference_is_what_the_code_says() -> None:
    folder = ROOT / "docs" / "reference"
    made = reference.pages()
    assert {p.name for p in folder.glob("*.md")} == made.keys()
    for name, text in made.items():
        assert (folder / name).read_text(encoding="utf-8") == text, "run python -m mirrorspec.model_tests.reference"


def test_the_example_counterexamples_are_the_stored_ones() -> None:
    for name, text in reference.examples().items():
        file = ROOT / "examples" / "counterexamples" / name
        assert json.loads(file.read_text(encoding="utf-8")) == json.loads(text)


def test_the_readme_shows_a_real_counterexample() -> None:
    found = COUNTEREXAMPLE.search(README.read_text(encoding="utf-8"))
    assert found, "the README has no marked counterexample"
    assert ran(found[1])[1] == found[2]


# Names


def known_names() -> set[str]:
    """Every name that the documents may put in code marks as one of ours."""
    names = {item["name"] for table in TABLES.values() for item in table.items()}
    names |= set(FAULTS) | set(CONFIGURATIONS) | {f.name for f in fields(HARDENED)} | set(cases())
    names |= {str(word) for choice in (Hold, Collision, Switch, Restart, Recovery) for word in choice}
    names |= {state.id for chart in CHARTS for state in chart.states}
    for file in [
        file
        for root in ("spec", "proofs", "impl", "oracle", "model_tests/mirrorspec")
        for file in (ROOT / root).rglob("*.py")
    ]:
        names.add(file.stem)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names.add(node.value)
    return names


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_names_in_code_marks_exist(page: Path) -> None:
    names = known_names()
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    used = set(re.findall(r"`([a-z]+(?:[_+][a-z]+)+)`", text))
    ours = {name for name in used if "decisions" not in page.parts or name in names}
    outside = {"mypy_path", "consider_namespace_packages", "explicit_package_bases"}
    assert ours - names - outside == set()


def test_every_fault_has_a_deviation_and_every_deviation_a_fault() -> None:
    text = (ROOT / "docs" / "explanation" / "faults.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|")][2:]
    named: set[str] = set()
    for fault, seen, deviations in rows:
        names = set(re.findall(r"`(\w+)`", deviations))
        assert names or "checker" in fault, fault
        assert seen.strip()
        named |= names
    assert named == DEVIATIONS.keys()
    assert len(rows) == 22


def test_the_glossary_has_one_meaning_a_word() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = [w for line in re.findall(r"^\*\*(.*)\*\*$", text, re.MULTILINE) for w in line.split(", ")]
    assert len(words) == len(set(words))
    assert text.count("\n: ") == len(re.findall(r"^\*\*", text, re.MULTILINE))
    for verdict in Verdict:
        assert f"| {verdict} |" in text
    assert {" ".join(w.split()) for w in NEEDED.split(",")} <= set(words)


# House rules


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_speaks_of_one_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w./])/(work|tmp|home|root|Users|var)/", text)
    assert not re.search(r"https?://(?!127\.0\.0\.1)", text), "documents name no hosts"


def test_the_readme_is_short_and_counts_right() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert "Over fifty ways to get it wrong" in text
    assert 50 < sum(not d.harmless for d in DEVIATIONS.values()) < 60


def test_the_readme_lists_every_verb_that_is_there() -> None:
    text = README.read_text(encoding="utf-8")
    there = cli.cli.list_commands(cli.cli.make_context("mirrorspec", [], resilient_parsing=True))
    listed = re.findall(r"^\| `mirrorspec (\w+)", text, re.MULTILINE)
    assert [verb for verb in listed if verb not in there] == [], "verbs that are not there"
    assert [verb for verb in there if verb not in listed] == [], "verbs that the README does not list"


def regenerate() -> None:
    """Write the generated pages, the examples, and the counterexample in the README."""
    reference.main(ROOT)
    text = README.read_text(encoding="utf-8")
    README.write_text(COUNTEREXAMPLE.sub(lambda found: f"$ {found[1]}\n{ran(found[1])[1]}", text), encoding="utf-8")


if __name__ == "__main__":
    regenerate()
