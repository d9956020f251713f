"""All dated tables as one value: asking gives the row that holds on a day, or none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from kumobashi.kernel import Zone
from kumobashi.policy.flow_rows import FormRow, LegalBasisRow, RetentionRow, ZoneFlow
from kumobashi.policy.levels import CertificationRow, CloudRow, LevelMask
from kumobashi.policy.reading import Dated, Origin, R
from kumobashi.policy.row_index import RowIndex
from kumobashi.policy.units import BusinessUnit, InformationKind
from kumobashi.policy.who_may import MayRow, WhoMay

FILES = {  # field → file
    "flows": "zone_flows.csv",
    "bases": "legal_bases.csv",
    "forms": "forms.csv",
    "retentions": "retention_classes.csv",
    "units": "units.csv",
    "kinds": "information_kinds.csv",
    "may": "who_may.csv",
    "masks": "level_masks.csv",
    "clouds": "cloud_levels.csv",
    "certifications": "certification_levels.csv",
}


@dataclass(frozen=True, kw_only=True)
class Tables:
    """All tables; asking gives the row that holds on a day, or none."""

    flows: tuple[ZoneFlow, ...]
    bases: tuple[LegalBasisRow, ...]
    forms: tuple[FormRow, ...]
    retentions: tuple[RetentionRow, ...] = ()
    units: tuple[BusinessUnit, ...] = ()
    kinds: tuple[InformationKind, ...] = ()
    may: tuple[MayRow, ...] = ()
    masks: tuple[LevelMask, ...] = ()
    clouds: tuple[CloudRow, ...] = ()
    certifications: tuple[CertificationRow, ...] = ()

    @cached_property
    def who_may(self) -> WhoMay:
        """The index of who may ask whom for what."""
        return WhoMay(self.may)

    @cached_property
    def _masks(self) -> RowIndex[LevelMask]:
        return RowIndex(self.masks)

    @cached_property
    def _clouds(self) -> RowIndex[CloudRow]:
        return RowIndex(self.clouds)

    def flow(
        self, model: str, from_zone: Zone, to_zone: Zone, by: str, *, on: date
    ) -> ZoneFlow | None:
        """Return the row for a connection; one that names ``by`` goes before ``*``."""
        rows = [
            row
            for row in self.flows
            if (row.model, row.from_zone, row.to_zone) == (model, from_zone, to_zone)
            and row.by in (by, "*")
        ]
        return _first(sorted(rows, key=lambda row: row.by == "*"), on)

    def basis(self, code: str, *, on: date) -> LegalBasisRow | None:
        """Return the row of a legal basis."""
        return _first([row for row in self.bases if row.code == code], on)

    def retention(self, code: str, *, on: date) -> RetentionRow | None:
        """Return the row of a class of retention."""
        return _first([row for row in self.retentions if row.code == code], on)

    def retentions_on(self, on: date) -> list[RetentionRow]:
        """Return all classes of retention that hold on a day."""
        return [row for row in self.retentions if row.origin.holds(on)]

    def bases_on(self, on: date) -> list[LegalBasisRow]:
        """Return all bases that hold on a day."""
        return [row for row in self.bases if row.origin.holds(on)]

    def form(self, sensitivity: str, zone: Zone, form: str, *, on: date) -> FormRow | None:
        """Return the row for an item."""
        key = (sensitivity, zone, form)
        return _first([r for r in self.forms if (r.sensitivity, r.zone, r.form) == key], on)

    def unit(self, name: str, *, on: date) -> BusinessUnit | None:
        """Return a business unit by its name."""
        return _first([row for row in self.units if row.unit == name], on)

    def unit_of_business(self, number: str, *, on: date) -> BusinessUnit | None:
        """Return a business unit by its three-digit number."""
        return _first([row for row in self.units if row.business == number], on)

    def kind(self, name: str, *, on: date) -> InformationKind | None:
        """Return a kind of information by its name."""
        return _first([row for row in self.kinds if row.kind == name], on)

    def kind_of_layout(self, layout: str, *, on: date) -> InformationKind | None:
        """Return the kind of information that a layout holds."""
        return _first([row for row in self.kinds if layout in row.layouts], on)

    def mask(self, from_level: str, to_level: str, kind: str, *, on: date) -> LevelMask | None:
        """Return in which forms a kind crosses between protection levels."""
        return next(iter(self._masks.on(on).find((from_level, to_level, kind))), None)

    def cloud(
        self, confidentiality: str, form: str, level: str, jurisdiction: str, *, on: date
    ) -> CloudRow | None:
        """Return whether a cloud may hold such information in a form."""
        key = (confidentiality, form, level, jurisdiction)
        return next(iter(self._clouds.on(on).find(key)), None)

    def every_row(self) -> Iterator[tuple[str, Dated]]:
        """Give every row of every table with the name of its file."""
        for name, file in FILES.items():
            for row in getattr(self, name):
                yield file, row

    def changing(self, today: date, day: date) -> list[Origin]:
        """Return the rows that hold on just one of two days."""
        origins = (row.origin for _, row in self.every_row())
        return [origin for origin in origins if origin.holds(today) != origin.holds(day)]


def _first(rows: Iterable[R], on: date) -> R | None:
    return next((row for row in rows if row.origin.holds(on)), None)
