"""What the next version shall hold, as the ledger says it: edits that stay, new ones, and those of another base."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from governance.corrections import Correction, Remedy, Status
from governance.lifecycle import IN_FORCE
from server.services import Records


@dataclass(frozen=True, slots=True)
class Release:
    """What the next version shall hold.

    kept    live edits that stay
    new     approved corrections
    moved   live ones whose edit was made for another base or other layers: they are solved and judged anew, as new ones
    yields  edits that stay only if the new one fails that answers their question otherwise: old -> new
    served  the corrections of the version that is served now
    wanted  the version that was wanted when this was planned
    """

    kept: tuple[Correction, ...]
    new: tuple[Correction, ...]
    moved: tuple[Correction, ...]
    yields: Mapping[str, str]
    served: frozenset[str]
    wanted: str

    @property
    def is_needed(self) -> bool:
        return bool(self.new or self.moved) or {c.id for c in self.kept} != self.served

    def kept_beside(self, new: Collection[str]) -> tuple[Correction, ...]:
        """The edits that stay if these new ones come."""
        return tuple(c for c in self.kept if self.yields.get(c.id) not in new)


def plan_release(records: Records, *, base_sha256: str, weights_sha256: str, layers: Sequence[int]) -> Release:
    """Read from the ledger what is wanted. Changes nothing.

    base_sha256     the base that the ledger is bound to
    weights_sha256  its weights alone, which edits are made for
    layers          those that edits change
    """
    ledger, served = records.ledger, records.versions.served()
    contested = ledger.contested()
    in_force = {c.id for c in ledger.in_status(*IN_FORCE)} if contested else frozenset()
    live = [
        c
        for c in ledger.in_status(Status.LIVE)
        if not c.erased
        and not c.undo_requested
        and c.edit.get("unfit_for") != base_sha256
        and contested.get(c.id) not in in_force
    ]
    made_for = (weights_sha256, list(layers))
    moved = [c for c in live if (c.edit.get("base_sha256", made_for[0]), c.edit.get("layers", made_for[1])) != made_for]
    # One that waits while a newer answer to its question is being decided is edited only if that one fails.
    approved = [c for c in ledger.in_status(Status.APPROVED) if c.remedy is Remedy.WEIGHTS and not c.erased]
    new = [c for c in approved if c.id not in contested]
    limit = records.policy.limits.weight_edits_per_batch
    return Release(
        kept=tuple(c for c in live if c not in moved),
        new=tuple(new[:limit]),
        moved=tuple(moved[:limit]),
        yields=contested,
        served=frozenset(served.corrections if served else ()),
        wanted=records.versions.serving().desired,
    )
