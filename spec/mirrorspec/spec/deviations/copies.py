"""Transfers, and the secondary's flashes and commits."""

from __future__ import annotations

from mirrorspec.spec.deviation import Deviation
from mirrorspec.spec.steps import broken

COPIES = (
    Deviation(
        "acknowledged_before_hardened",
        "the secondary acknowledges a track that is only in its cache, and crashes before it is hardened",
        "crashes",
        "1u1t2w",
        puts=(
            broken.secondary.acknowledged_on_receipt,
            broken.secondary.sent_when_hardened,
            broken.secondary.flash_when_hardened,
            broken.secondary.harden_track,
        ),
    ),
    Deviation(
        "synchronised_when_sent",
        "a track counts as synchronised when it was sent, as blocks 608 and 758 read literally",
        "reliable",
        "1u1t2w",
        drops=("acknowledge_track.hardened",),
    ),
    Deviation(
        "older_transfer_accepted",
        "a transfer that was given up or overtaken arrives late and is applied",
        "links",
        "1u1t2w",
        drops=("deliver_lingering.in_sequence",),
    ),
    Deviation(
        "overwritten_before_copied",
        "a track of a secondary is overwritten before the flash target has a hardened copy of it",
        "reliable",
        "1u2t2w",
        puts=(broken.secondary.overwritten_before_copied,),
    ),
    Deviation(
        "flashed_before_all_drained",
        "some volumes are flashed while units have not drained",
        "reliable",
        "2u2t2w",
        drops=("all_drained.replied", "all_drained.current"),
    ),
    Deviation(
        "committed_before_all_flashed",
        "some volumes are committed while others are not yet flashed",
        "reliable",
        "2u2t2w",
        drops=("all_flashed.replied", "all_flashed.current"),
    ),
    Deviation(
        "flash_while_resynchronising",
        "a pair counts as synchronised while its initial copy is under way",
        "membership",
        "1u1t2w",
        forgets=("establish.out_of_sync",),
    ),
    Deviation(
        "existing_flash_taken_for_success",
        "a relation of a failed increment is found, taken for the flash that was asked for, and its copy kept",
        "links",
        "2u2t2w",
        puts=(broken.secondary.flash_finds_relation,),
    ),
    Deviation(
        "flash_despite_taint",
        "a flash is obeyed after data arrived that was sent after its unit had left the increment",
        "standard",
        "2u2t2w",
        drops=("flash.untainted",),
    ),
)
