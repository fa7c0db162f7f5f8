"""The named bounds of exhaustive search: so many units, volumes, tracks and writes, each bound with its reason.

A bound is never part of the specification; whoever claims *exhausted* names it. Sessions follow from the environment: one,
and a rival where sessions can take over.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirrorspec.spec.environment import Environment
from mirrorspec.spec.errors import unknown_name
from mirrorspec.spec.universe import Layout, Universe


@dataclass(frozen=True, slots=True)
class Bounds:
    """So many of everything, and why just so many."""

    name: str
    layout: Layout
    reason: str

    def universe(self, environment: Environment) -> Universe:
        """The universe of these bounds in an environment."""
        return Universe.of(self.layout, environment.sessions)

    @property
    def words(self) -> str:
        """The bounds as they are stated beside a claim."""
        tracks = [track for unit in self.layout for volume in unit for track in volume]
        volumes = [volume for unit in self.layout for volume in unit]
        counts = ((len(self.layout), "unit"), (len(volumes), "volume"), (len(tracks), "track"), (sum(tracks), "write"))
        return ", ".join(f"{n} {word}{'s' if n != 1 else ''}" for n, word in counts)


def _named(name: str, layout: Layout, reason: str) -> tuple[str, Bounds]:
    return name, Bounds(name, layout, reason)


BOUNDS: dict[str, Bounds] = dict(
    [
        _named("1u1t2w", (((2,),),), "one track written twice: collisions, bits and their acknowledgements"),
        _named("1u2t2w", (((1, 1),),), "two tracks of one volume: one sent, one not"),
        _named("1u2v2w", (((1,), (1,)),), "two volumes of one unit: flash relations apart, commands together"),
        _named("2u2t2w", (((1,),), ((1,),)), "one write to each of two units: the least at which units disagree"),
        _named(
            "1u2t3w",
            (((2, 1),),),
            "a dependent write between two writes to one track: smaller bounds let faults through",
        ),
        _named(
            "2u2t3w",
            (((2,),), ((1,),)),
            "the same across units: writes cached while pending go wrong here and at no smaller bound",
        ),
        _named(
            "1u2t4w",
            (((3, 1),),),
            "three writes to one track and one beside it: an older transfer, a newer write, a collision",
        ),
        _named("2u2t4w", (((2,),), ((2,),)), "two writes to each unit: collisions on both"),
        _named("2u3t4w", (((2, 1),), ((1,),)), "two tracks on one unit and a second unit, with a collision"),
        _named("3u3t3w", (((1,),), ((1,),), ((1,),)), "three units: one in each mode at once"),
    ]
)


def bounds(name: str) -> Bounds:
    """The bounds of that name. Raises `BadInputError` with the near names."""

    if name not in BOUNDS:
        raise unknown_name("bounds", name, BOUNDS)
    return BOUNDS[name]
