"""The stored table of faulty controllers: by what each is caught, at which seed, and after how many steps.

``python -m mirrorspec.model_tests.faulty.table`` catches all anew, or those that it is given by name, prints how long each
took, and writes the file. A test repeats every run that is stored, and says so when one no longer fails in the same way.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from importlib.resources import files
from pathlib import Path
from time import perf_counter

from mirrorspec.model_tests.faulty.catching import Caught, row
from mirrorspec.model_tests.faulty.controller import FAULTY

STORED = "stored.json"
PACKAGE = "mirrorspec.model_tests.faulty"


@cache
def stored() -> dict[str, tuple[Caught, Caught]]:
    """For each faulty controller how it is caught when refined, and how by its images; without times."""
    data = json.loads(files(PACKAGE).joinpath(STORED).read_text(encoding="utf-8"))
    return {
        name: (
            Caught(name, entry["refined"]["by"], entry["refined"]["seed"], entry["refined"]["steps"], 0.0, ""),
            Caught(name, entry["images"]["by"], entry["images"]["seed"], 0, 0.0, ""),
        )
        for name, entry in data.items()
    }


def line(refined: Caught, images: Caught) -> str:
    """One line for people: what caught it, after how many runs and seconds."""

    def part(caught: Caught) -> str:
        runs = f"{caught.runs:4} runs" if caught.by else " " * 9
        return f"{caught.by or 'not caught':10} {runs} {caught.seconds:6.2f} s"

    return f"{refined.name:36} {part(refined)}   {part(images)}   {refined.says}"


def main(names: list[str]) -> None:
    """Catch those anew, or all, and write the file beside this module."""
    start, file = perf_counter(), Path(__file__).with_name(STORED)
    known = json.loads(file.read_text(encoding="utf-8")) if names else {}
    data = {name: known.get(name) for name in FAULTY}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for refined, images in pool.map(row, names or FAULTY):
            print(line(refined, images), flush=True)
            data[refined.name] = {
                "refined": {"by": refined.by, "seed": refined.seed, "steps": refined.steps},
                "images": {"by": images.by, "seed": images.seed},
            }
    print(f"{len(names or FAULTY)} faulty controllers, {perf_counter() - start:.0f} s")
    file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
