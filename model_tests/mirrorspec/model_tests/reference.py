"""The pages in docs/reference and the examples, made from the code.

``python -m mirrorspec.model_tests.reference`` writes them anew, from the root of the project.

They hold what would otherwise be copied by hand and go stale: the tables of `mirrorspec list`, and how long the shortest
counterexample of each deviation, unsafe variant and finding is (`catalogue`). A test makes them again and compares.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from mirrorspec.impl.link import frame
from mirrorspec.impl.link.wire import KINDS, Kind
from mirrorspec.model_tests import mutants
from mirrorspec.model_tests.catalogue import Case, cases, counterexample, stored
from mirrorspec.model_tests.faulty import FAULTY, table
from mirrorspec.model_tests.faulty.catching import CATCHERS, MOMENTS, SEEDS
from mirrorspec.oracle.reference import TABLES
from mirrorspec.proofs.mutation.judge import DEVIATION, Fate
from mirrorspec.proofs.mutation.possible import GOALS, PATIENTLY
from mirrorspec.spec.counterexample import to_json
from mirrorspec.spec.reordering import Wrong
from mirrorspec.spec.reorderings import REORDERINGS

NOTE = "<!-- Made by `python -m mirrorspec.model_tests.reference`; a test compares it with the code. -->"

EXAMPLES = {"increment-timer.json": "increment_timer_in_seed"}
"""The counterexamples in examples/counterexamples, and the cases that they are of."""

FOREWORDS: dict[str, str] = {
    "steps": "What can happen, in reading order. A step with a fault takes part only where the environment has that switch.",
    "fields": "The state: a record of sets, in the order in which `state.py` declares them.",
    "guards": "Why a step is refused: for each guard the words that follow \"refused:\".",
    "properties": "What is promised. *safety* and *progress* hold always, *sometimes* must be reachable, *availability* is "
    "that every hold ends.",
    "environments": "What the world may do. An environment is a set of switches; a step that is a fault names its switch.",
    "bounds": "How many of everything an exhaustive search has. A claim of *exhausted* always names its bounds.",
    "clauses": "Every paragraph and block of the seed that must show up, and where it does. *in part*: something is still to "
    "come, and the last column says in which part of the project.",
}  # fmt: skip
"""What stands above each table that is printed as it is."""


def pages() -> dict[str, str]:
    """Every page by its file name."""
    found = {
        f"{name}.md": _page(
            TABLES[name].title, foreword, _table(list(TABLES[name].columns.values()), TABLES[name].rows())
        )
        for name, foreword in FOREWORDS.items()
    }
    found["deviations.md"] = _deviations()
    found["frames.md"] = _frames()
    found["mutants.md"] = _mutants()
    found["faulty-controllers.md"] = _faulty()
    found["reorderings.md"] = _reorderings()
    return found


def _mutants() -> str:
    found = [outcome for outcome in mutants.stored() if outcome.part != DEVIATION]
    caught = [
        [o.name, o.by, str(len(o.labels)), o.configuration, o.environment, o.bounds]
        for o in found
        if o.fate is Fate.CAUGHT
    ]
    harmless = [[o.name, o.reason, o.strengthening] for o in found if o.fate is Fate.HARMLESS]
    goals = [[goal.name, goal.meaning] for goal in (*GOALS, PATIENTLY)]
    return _page(
        "Mutants",
        "What becomes of the protocol when one guard, or one changed field, of one step is left out; `mirrorspec mutate` "
        f"judges all of them anew. There are {len(found)}: {len(caught)} are caught, each with a trace that a test replays, "
        f"and {len(harmless)} are harmless: every promise is proved at every size all the same, and nothing that must stay "
        "possible is lost. None is open. The named [deviations](deviations.md) are judged beside them.",
        "Beside the [properties](properties.md), a mutant may break what must stay possible:",
        _table(["lost", "what must stay possible"], goals),
        "*never* names what must happen sometimes and does not.",
        "## Caught",
        _table(["left out", "breaks", "steps", "configuration", "environment", "bounds"], caught),
        "## Harmless",
        "Where the induction needs another strengthening of the invariant, the last column names it.",
        _table(["left out", "why nothing goes wrong", "proved with"], harmless),
    )


def _faulty() -> str:
    caught = table.stored()
    rows = []
    for name, fault in FAULTY.items():
        refined, images = caught[name]
        by_images = f"{images.by}, run {images.runs}" if images.by else "not caught"
        cells = [fault.words, fault.cites, fault.faults, fault.scenario.configuration.name]
        rows.append([name, *cells, f"{refined.by}, run {refined.runs}, step {refined.steps}", by_images])
    of_images = sum(images.by == "image" for _, images in caught.values())
    return _page(
        "Faulty controllers",
        f"The reference controller with one function replaced, in {len(rows)} ways, each caught by the simulation. A "
        "[deviation](deviations.md) of the specification that makes sense in code is here by its name. Each is tried twice, "
        f"one run a seed, from seed 0 on: with the specification beside it, at most {SEEDS[True]} runs, and by its images "
        f"alone, at most {SEEDS[False]}: there nothing looks at the controller, and an image is recovered and judged "
        f"{MOMENTS} times a run. "
        f"{of_images} lose an image within so many runs; a fault with *not caught* in the last column was seen beside the "
        "specification only. Run 1 is of seed 0.",
        "What catches it:",
        _table(["catcher", "what is seen"], CATCHERS.items()),
        "## The faults",
        _table(["name", "what is wrong", "breaks", "world", "configuration", "specification", "images"], rows),
    )


def _reorderings() -> str:
    rows = TABLES["reorderings"].items()
    safe = [
        [r["name"], r["cites"], r["words"], r["verdict"].removeprefix("safe: "), r["because"]]
        for r in rows
        if r["safe"]
    ]
    unsafe = [
        [
            row.name,
            row.cites,
            row.words,
            ", ".join(f"`{name}` ({_length(name)})" for name in row.decision.cases),
            row.because,
        ]
        for row in REORDERINGS.values()
        if isinstance(row.decision, Wrong)
    ]
    heads = ["order", "seed", "what is done otherwise"]
    return _page(
        TABLES["reorderings"].title,
        "What the seed permits in general words [0053], decided: by the induction, at every size, or by a counterexample. "
        "`mirrorspec verify` decides every row anew.",
        "## Safe",
        "*Either order leads to the same state*: so the two may also happen at once, in several processes. *The proof covers "
        "both orders*: they lead to different states, and SAFETY holds in either. *Proved anew*: the protocol with its steps "
        "taken apart, every promise and every safe combination again.",
        _table([*heads, "decided by", "because"], safe),
        "## Unsafe",
        "With the counterexample, and how many steps it takes. Search one with `mirrorspec check --deviate NAME`; a name with "
        "plus signs is a variant.",
        _table([*heads, "counterexample", "because"], unsafe),
    )


def _length(name: str) -> str:
    return f"{stored()[name]['length']} steps"


def _deviations() -> str:
    by_kind: dict[str, list[Case]] = {}
    for case in cases().values():
        by_kind.setdefault(case.kind, []).append(case)
    heads = ["name", "what is wrong", "environment", "bounds", "breaks", "steps"]
    harmful = [c for c in by_kind["deviation"] if not c.harmless]
    harmless = [c for c in by_kind["deviation"] if c.harmless]
    return _page(
        "Deviations and their counterexamples",
        "Each line is one way to be wrong, and the number of steps of the shortest counterexample in that environment within "
        "those bounds. A deviation is searched with `mirrorspec check --deviate NAME`.",
        "## Deviations that are caught",
        _table(heads, map(_case, harmful)),
        "## Deviations that break nothing",
        _table(["name", "what is different", "why it is harmless"], ([c.name, c.words, c.harmless] for c in harmless)),
        "## Variants of the seed that are unsafe",
        "Every combination of hold, collision policy and switch that is not in this table is safe. All of them: "
        "`mirrorspec list variants`.",
        _table(heads, map(_case, by_kind["variant"])),
        "## Findings about the seed's own configuration",
        _table(heads, map(_case, by_kind["finding"])),
    )


def _frames() -> str:
    def row(kind: Kind) -> list[str]:
        fields = "; ".join(f"{name}: {how.words}" for name, how in kind.fields)
        return [str(kind.number), kind.name, kind.group.value, fields or "nothing"]

    layout = (frame.__doc__ or "").split("\n\n")[1]
    return _page(
        "Frames: what parties and hosts say over TCP",
        f"A frame begins with a header of {frame.HEADER_BYTES} bytes. Numbers are unsigned, the most significant byte first.",
        f"```text\n{inspect.cleandoc(layout)}\n```",
        "The payload holds these fields, in this order. A frame of no such kind, at another moment, of a length or with a "
        "value out of range closes the connection with the reason.",
        _table(["kind", "name", "is said", "payload"], map(row, KINDS.values())),
    )


def _case(case: Case) -> list[str]:
    record = stored()[case.name]
    return [
        case.name, case.words, case.setting.environment.name, case.bounds, str(record["property"]), str(record["length"])
    ]  # fmt: skip


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", NOTE, *parts]) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(heads), _line(["---"] * len(heads)), *map(_line, rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def examples() -> dict[str, str]:
    """Every counterexample that is kept as a file to look at, by its file name."""
    found = {}
    for name, case in EXAMPLES.items():
        data = to_json(counterexample(cases()[case]))
        data["#meta"]["mirrorspec"]["versions"] = {}
        found[name] = json.dumps(data, indent=1) + "\n"
    return found


def main(root: Path) -> None:
    """Write every page and example, and remove the pages that are no longer made."""
    folder = root / "docs" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in folder.glob("*.md"):
        if old.name not in made and NOTE in old.read_text(encoding="utf-8"):
            old.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, text in examples().items():
        (root / "examples" / "counterexamples" / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path.cwd())
