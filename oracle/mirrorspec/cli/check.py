"""`mirrorspec check`: search every state within named bounds; `--deviate` breaks one thing first and shows how it goes wrong.

The bound stands beside the claim, always. What the search did not reach (a SOMETIMES, a step) is named, not hidden.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from mirrorspec.cli.output import Progress, console, json_option, quiet_option, write_json
from mirrorspec.spec.configuration import CHOICES
from mirrorspec.spec.errors import BadInputError, unknown_name
from mirrorspec.spec.verdict import Verdict

if TYPE_CHECKING:
    from mirrorspec.proofs.search import SearchResult
    from mirrorspec.spec.configuration import Configuration
    from mirrorspec.spec.counterexample import Setting
    from mirrorspec.spec.model import Model

MEGABYTE = 1 << 20
DEFAULTS = ("hardened", "standard", "2u2t3w")
VALUES = "A variant: " + "; ".join(f"{name}={'|'.join(values)}" for name, values in CHOICES.items()) + "."
"""What `--option` takes, from the configuration's own table."""


@click.command("check")
@click.option("--configuration", metavar="NAME", help="seed or hardened (the default).")
@click.option("--option", "options", multiple=True, metavar="CHOICE=VALUE", help=VALUES)
@click.option("--environment", metavar="NAME", help="What may fail: see `list environments`. Default: standard.")
@click.option("--bounds", metavar="NAME", help="How many of everything: see `list bounds`. Default: 2u2t3w.")
@click.option("--deviate", metavar="NAME", help="Break one thing first (see `list deviations`), in its own bounds.")
@click.option("--property", "properties", multiple=True, metavar="NAME", help="Look for violations of this one only.")
@click.option("--engine", default="auto", show_default=True, metavar="NAME", help="auto, batch or compiled.")
@click.option("--symmetry/--no-symmetry", default=True, help="Store one state for all that are images of one another.")
@click.option("--max-states", type=click.IntRange(1), help="Give up beyond so many states.")
@click.option(
    "--max-memory",
    type=click.IntRange(1),
    metavar="MIB",
    help="Give up when the stored states and their index take so much. What a search works with comes on top: "
    "some 200 to 800 MiB within the large bounds.",
)
@click.option("--emit", type=click.Choice(["promela"]), help="Print the model in another language instead.")
@json_option
@quiet_option
def command(
    configuration: str | None,
    options: Sequence[str],
    environment: str | None,
    bounds: str | None,
    deviate: str | None,
    properties: Sequence[str],
    engine: str,
    symmetry: bool,
    max_states: int | None,
    max_memory: int | None,
    emit: str | None,
    json_path: str | None,
    quiet: bool,
) -> Verdict | None:
    """Search every state of the protocol within bounds. Exit 0: none violates; 1: a shortest counterexample is printed."""
    from mirrorspec.proofs.search import search

    model, setting, size = _subject(configuration, options, environment, bounds, deviate)
    if emit:
        if json_path is not None:
            raise BadInputError("--emit prints the model and searches nothing: leave --json out")
        from mirrorspec.spec.readings.promela import emit as promela

        click.echo(promela(model, setting.universe), nl=False)
        return None
    out = console(json_path=json_path)
    subject = (
        f"{setting.configuration.name}{f' with {deviate}' if deviate else ''}, environment {setting.environment.name}"
    )
    out.print(f"searching {subject}: every state of {size}")
    notes, idle = _notes(setting, model, size, deviate)
    for note in notes:
        out.print(f"note: {note}")
    if idle:
        out.print(f"{Verdict.INCONCLUSIVE}: nothing was searched, since the answer would not speak of the deviation")
        return Verdict.INCONCLUSIVE
    with Progress("check", quiet=quiet) as line:
        result = search(
            model,
            setting.universe,
            engine=engine,
            symmetry=symmetry,
            properties=properties or None,
            max_states=max_states,
            max_bytes=max_memory * MEGABYTE if max_memory else None,
            progress=lambda p: line.update(
                f"{p.doing}: {p.states:,} states, frontier {p.frontier:,}, depth {p.depth}, "
                f"{p.states_a_second():,.0f} states/s, {p.bytes / MEGABYTE:,.0f} MiB"
            ),
        )
    data, shown = _as_json(setting, result, size), ""
    if result.verdict is Verdict.VIOLATED:
        stream = sys.stderr if json_path == "-" else sys.stdout
        data, shown = _counterexample(setting, result, data, stream.encoding)
    if json_path is not None:
        write_json(json_path, data)
    for text in (*shown.splitlines(), *_figures(result, size)):
        out.print(text, soft_wrap=True)
    return result.verdict


def _notes(setting: Setting, model: Model, size: str, deviate: str | None) -> tuple[list[str], bool]:
    """What a reader of the verdict must know of a deviation, and whether it changes nothing at all here."""
    from mirrorspec.spec.deviation import Deviation
    from mirrorspec.spec.deviations import deviation

    if deviate is None:
        return _idle_options(setting, model), False
    broken = deviation(deviate)
    notes = [f"{deviate} is listed as harmless: {broken.harmless}"] if broken.harmless else []
    world = setting.environment
    if world.name != broken.environment or f"({broken.bounds})" not in size:
        notes.append(
            f"{deviate} is known to show in environment {broken.environment} at {broken.bounds}; perhaps not here"
        )
    same = Deviation("", "", broken.environment, broken.bounds, configuration=broken.right).model(world)
    idle = (same.steps, same.properties) == (model.steps, model.properties)
    if idle:
        notes.append(f"in environment {world.name} {deviate} changes nothing: what it gets wrong does not happen there")
    return notes, idle


def _idle_options(setting: Setting, model: Model) -> list[str]:
    """Choices that differ from the configuration's own and change nothing here; and a hold that no timer could end."""
    from dataclasses import replace

    from mirrorspec.spec.configuration import CONFIGURATIONS
    from mirrorspec.spec.model import build
    from mirrorspec.spec.properties import PROPERTIES, Kind

    own = CONFIGURATIONS["hardened" if setting.configuration.hardened else "seed"]
    notes = []
    for choice in CHOICES:
        usual = getattr(own, choice)
        if getattr(setting.configuration, choice) is usual:
            continue
        without = build(replace(setting.configuration, **{choice: usual}), setting.environment)
        if (without.steps, without.properties) == (model.steps, model.properties):
            notes.append(f"{choice}={getattr(setting.configuration, choice)} changes nothing in this environment")
    if not model.of_kind(Kind.AVAILABILITY) and "run_timer" not in setting.environment.faults:
        names = ", ".join(p.name for p in PROPERTIES.values() if p.kind is Kind.AVAILABILITY)
        notes.append(f"{names} is not asked: without the fault run_timer no timer ends a hold")
    return notes


def _subject(
    configuration: str | None, options: Sequence[str], environment: str | None, bounds: str | None, deviate: str | None
) -> tuple[Model, Setting, str]:
    """What is to be searched: the model, its setting, and its bounds in words."""
    from mirrorspec.spec.bounds import bounds as bounds_named
    from mirrorspec.spec.configuration import CONFIGURATIONS
    from mirrorspec.spec.counterexample import Setting
    from mirrorspec.spec.deviations import deviation
    from mirrorspec.spec.environment import ENVIRONMENTS
    from mirrorspec.spec.model import build

    name, world_name, size_name = DEFAULTS
    broken = deviation(deviate) if deviate is not None else None
    if broken is not None:
        if configuration is not None or options:
            raise BadInputError("--deviate brings its own configuration: leave --configuration and --option out")
        world_name, size_name = broken.environment, broken.bounds
    chosen = name if configuration is None else configuration
    if chosen not in CONFIGURATIONS:
        raise unknown_name("configuration", chosen, CONFIGURATIONS)
    world_name = world_name if environment is None else environment
    if world_name not in ENVIRONMENTS:
        raise unknown_name("environment", world_name, ENVIRONMENTS)
    world = ENVIRONMENTS[world_name]
    size = bounds_named(size_name if bounds is None else bounds)
    variant = broken.configuration if broken else _variant(CONFIGURATIONS[chosen], options)
    model = broken.model(world) if broken else build(variant, world)
    setting = Setting(variant, world, size.layout, world.sessions, deviate)
    return model, setting, f"{size.words} ({size.name})"


def _variant(configuration: Configuration, options: Sequence[str]) -> Configuration:
    chosen = {}
    for option in options:
        name, _, value = option.partition("=")
        if name not in CHOICES:
            raise unknown_name("option", name, CHOICES)
        if value not in list(CHOICES[name]):
            raise unknown_name(f"value of {name}", value, list(CHOICES[name]))
        chosen[name] = CHOICES[name](value)
    return configuration.with_options(**chosen) if chosen else configuration


def _as_json(setting: Setting, result: SearchResult, size: str) -> dict[str, object]:
    """The result of a search, in the place where a counterexample carries it too."""
    return {
        "#meta": {
            "mirrorspec": {
                "verdict": str(result.verdict),
                "configuration": setting.configuration.name,
                "environment": setting.environment.name,
                "deviation": setting.deviation,
                "bounds": size,
                "search": {
                    "states": result.states,
                    "transitions": result.transitions,
                    "depth": result.depth,
                    "seconds": round(result.seconds, 3),
                    "compile_seconds": round(result.compile_seconds, 3),
                    "bytes_a_state": round(result.bytes_a_state, 1),
                    "engine": result.engine,
                    "symmetry": result.symmetry,
                    "fired": result.fired,
                    "sometimes": result.sometimes,
                    "reason": result.reason,
                },
            }
        }
    }


def _counterexample(
    setting: Setting, result: SearchResult, data: dict[str, object], encoding: str | None
) -> tuple[dict[str, object], str]:
    """The counterexample, replayed, as JSON with the figures of the search in it, and as text."""
    from mirrorspec.oracle.explain.text import can_draw, render
    from mirrorspec.spec.counterexample import replayed, to_json

    try:
        found = replayed(setting, result.labels, str(result.property), engine=result.engine, shortest=True)
    except BadInputError as error:
        raise RuntimeError(f"the engine {result.engine} found a trace that does not replay: {error}") from error
    written = to_json(found)
    meta = data["#meta"]
    assert isinstance(meta, dict)
    figures = meta["mirrorspec"]
    written["#meta"]["mirrorspec"] |= {k: figures[k] for k in ("verdict", "bounds", "search")}
    return written, f"\n{render(found, ascii_only=not can_draw(encoding))}\n"


def _figures(result: SearchResult, size: str) -> list[str]:
    claims = {
        Verdict.EXHAUSTED: f"no violation in any state of {size}",
        Verdict.VIOLATED: f"{result.property} in {len(result.labels)} steps",
    }
    lines = [
        f"{result.verdict}: {claims.get(result.verdict, result.reason)}",
        (
            f"  {result.states:,} states, {result.transitions:,} steps, depth {result.depth}; {result.seconds:.1f} s, "
            f"{result.states_a_second():,.0f} states/s, {result.bytes_a_state:.1f} bytes a state; "
            f"engine {result.engine}, symmetry {'on' if result.symmetry else 'off'}"
        ),
    ]
    if result.verdict is Verdict.EXHAUSTED:
        unseen = [name for name, seen in result.sometimes.items() if not seen]
        never = sorted(name for name, times in result.fired.items() if not times)
        lines += [f"  SOMETIMES not reached within these bounds: {', '.join(unseen)}"] if unseen else []
        lines += [f"  steps never taken within these bounds: {', '.join(never)}"] if never else []
    return lines
