"""Whether the files of a workspace fit each other: every name that is used must exist.

A file that could not be read counts as existing under its own name, so that one broken file does
not make ten others look broken.
"""

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kumobashi.catalogue.layouts import Layout, Layouts
from kumobashi.directory.models import Dataset, MunicipalityFile, SiteFile, SystemFile
from kumobashi.directory.store_models import FilesStore
from kumobashi.planning.consent_references import against_texts, covered, same_purpose
from kumobashi.planning.fallbacks import against_fallback
from kumobashi.planning.links import LinkFile
from kumobashi.planning.rule_columns import columns_used
from kumobashi.planning.rule_fit import against_required, against_types
from kumobashi.release.rules import ReleaseRule
from kumobashi.storage.documents import Document, Mistake, Path

_WORDS = {
    "sites": ("サイト", "site"),
    "systems": ("システム", "system"),
    "rules": ("提供ルール", "release rule"),
    "links": ("連携", "link"),
    "calls": ("オンライン連携", "online link"),
    "campaigns": ("通知の定義", "campaign"),
    "consents": ("同意文", "consent text"),
}


@dataclass(slots=True)
class Loaded:
    """The files that could be read, and the names of those that could not."""

    main: Document[MunicipalityFile] | None
    kinds: dict[str, dict[str, Document[Any]]] = field(default_factory=lambda: defaultdict(dict))
    broken: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, kind: str, key: str, file_name: str, document: Document[Any]) -> list[Mistake]:
        """Take a file in; say when its name is taken or not that of the file."""
        name, stem = getattr(document.value, key), file_name.rpartition(".")[0]
        if other := self.kinds[kind].get(name):
            self.broken[kind].add(stem)
            return [
                document.mistake(
                    (key,),
                    code="workspace.twice",
                    ja=f"「{name}」は {other.file} でも使われています。名前を変えてください。",
                    en=f"{name!r} is the name in {other.file} too; choose another.",
                    example=f"{key}: {stem if stem != name else f'{name}-2'}",
                )
            ]
        self.kinds[kind][name] = document
        if file_name != f"{name}.yaml":
            self.broken[kind].add(stem)
            return [
                document.mistake(
                    (key,),
                    code="workspace.file_name",
                    ja=f"ファイル名と {key} が違います。ファイル名を {name}.yaml にするか、"
                    f"{key} を直してください。",
                    en=f"The file must be called {name}.yaml, or {key} must change.",
                    expected=f"{name}.yaml",
                    example=f"{key}: {stem}",
                )
            ]
        return []

    def values(self, kind: str) -> dict[str, Any]:
        """Return the values by name."""
        return {name: document.value for name, document in self.kinds[kind].items()}

    def knows(self, kind: str, name: str) -> bool:
        """Whether there is such a file, readable or not."""
        return name in self.names(kind)

    def names(self, kind: str) -> list[str]:
        """Return the names of all files of a kind, readable or not."""
        return sorted({*self.kinds[kind], *self.broken[kind]})


def check(loaded: Loaded, layouts: Layouts) -> list[Mistake]:
    """Return everything that does not fit."""
    checks = Checks(loaded, layouts)
    found: list[Mistake] = []
    if loaded.main:
        found += checks.municipality(loaded.main)
    for document in loaded.kinds["sites"].values():
        found += checks.site(document)
    for document in loaded.kinds["systems"].values():
        found += checks.system(document)
    for document in loaded.kinds["rules"].values():
        found += checks.rule(document)
        found += against_texts(checks, document)
    for document in loaded.kinds["consents"].values():
        found += covered(checks, document)
    for document in loaded.kinds["links"].values():
        found += checks.link(document)
    for document in loaded.kinds["approvals"].values():
        if not loaded.knows("calls", document.value.link):
            found += checks.name(document, ("link",), "links", document.value.link)
    return found


@dataclass(frozen=True, slots=True)
class Checks:
    """What one file may say of others, by the kind of thing that is named."""

    loaded: Loaded
    layouts: Layouts

    def municipality(self, document: Document[MunicipalityFile]) -> Iterator[Mistake]:
        """Check where the register of protective measures is, and whom to ask about what."""
        channels, known = document.value.channels, list(document.value.contacts)
        if channels and channels.contact not in known:
            at: tuple[str, ...] = ("channels", "contact")
            yield unknown(document, at, channels.contact, known, ("連絡先", "contact"))
        register = document.value.protective_measures
        if register is None:
            return
        path = ("protective_measures",)
        yield from self.dataset(document, (*path, "dataset"), register.dataset)
        if register.contact not in known:
            at = (*path, "contact")
            yield unknown(document, at, register.contact, known, ("連絡先", "contact"))
        layout = self.layout_of(register.dataset)
        columns = [field.name for field in layout.fields] if layout else []
        for key in ("key", "first_day", "last_day", "ended_on"):
            named = getattr(register, key)
            if layout and named and named not in columns:
                what = (f"{layout.ja}の項目", f"column of {layout.layout}")
                yield unknown(document, (*path, key), named, columns, what)

    def site(self, document: Document[SiteFile]) -> Iterator[Mistake]:
        """Check whom a site names."""
        site = document.value
        yield from self.contact(document, site.contact)
        for number, connection in enumerate(site.connects_to):
            path: Path = ("connects_to", number, "site")
            if connection.site == site.site:
                yield document.mistake(
                    path,
                    code="workspace.to_itself",
                    ja="自分自身には接続しません。この行を消してください。",
                    en="A site does not connect to itself; delete this line.",
                )
            yield from self.name(document, path, "sites", connection.site)

    def system(self, document: Document[SystemFile]) -> Iterator[Mistake]:
        """Check the layouts of a system."""
        system = document.value
        yield from self.contact(document, system.contact)
        yield from self.name(document, ("site",), "sites", system.site)
        for name, dataset in system.datasets.items():
            if self.layout(dataset.layout, dataset.version) is None:
                if self.layouts.versions(dataset.layout):
                    yield self.version(document, ("datasets", name, "version"), dataset)
                    continue
                path: Path = ("datasets", name, "layout")
                known = self.layouts.names()
                yield unknown(document, path, dataset.layout, known, ("レイアウト", "layout"))
            elif dataset.records:
                yield from self.records(document, name, dataset)

    def records(
        self, document: Document[SystemFile], name: str, dataset: Dataset
    ) -> Iterator[Mistake]:
        """Check that the items of a record are those of its layout."""
        layout = self.layouts.get(dataset.layout, dataset.version)
        for number, item in enumerate(dataset.records.items if dataset.records else ()):
            if item.name not in layout.names:
                path: Path = ("datasets", name, "records", "items", number, "name")
                what = (f"{layout.ja}の項目", f"item of {layout.layout}")
                yield unknown(document, path, item.name, layout.names, what)

    def version(self, document: Document[SystemFile], path: Path, dataset: Dataset) -> Mistake:
        """Say that a layout has no such version, and which it has, since when and until when."""
        held = [
            self.layouts.get(dataset.layout, version)
            for version in self.layouts.versions(dataset.layout)
        ]
        newest = max(held, key=lambda layout: layout.valid_from)
        listed_ja = "、".join(
            f"第{layout.version}版（{layout.valid_from.isoformat()} から"
            f"{f' {layout.valid_to.isoformat()} まで' if layout.valid_to else ''}）"
            for layout in held
        )
        listed_en = ", ".join(
            f"{layout.version} (from {layout.valid_from.isoformat()}"
            f"{f' to {layout.valid_to.isoformat()}' if layout.valid_to else ''})"
            for layout in held
        )
        return document.mistake(
            path,
            code="workspace.unknown_version",
            ja=f"レイアウト「{newest.ja}」（{newest.layout}）に第{dataset.version}版はありません。"
            f"あるもの: {listed_ja}。",
            en=f"The layout {newest.layout} has no version {dataset.version!r};"
            f" there are: {listed_en}.",
            expected=" | ".join(layout.version for layout in held),
            example=f'version: "{newest.version}"',
        )

    def rule(self, document: Document[ReleaseRule]) -> Iterator[Mistake]:
        """Check the datasets and columns of a release rule."""
        rule = document.value
        for name, reference in rule.datasets.items():
            yield from self.dataset(document, ("datasets", name), reference)
        if rule.coding and self.layout(rule.coding.layout, rule.coding.version) is None:
            layouts, what = self.layouts.names(), ("レイアウト", "layout")
            yield unknown(document, ("coding", "layout"), rule.coding.layout, layouts, what)
        if subject := self.layout_of(rule.datasets[rule.subject.dataset]):
            yield from against_types(document, subject)
        for dataset, path, column in columns_used(rule):
            layout = self.layout_of(rule.datasets[dataset])
            if layout and column not in (known := [f.name for f in layout.fields]):
                what = (f"{layout.ja}の項目", f"column of {layout.layout}")
                yield unknown(document, path, column, known, what)

    def link(self, document: Document[LinkFile]) -> Iterator[Mistake]:
        """Check all that a link names."""
        link = document.value
        yield from self.contact(document, link.contact)
        yield from self.name(document, ("from",), "systems", link.from_)
        yield from self.name(document, ("release",), "rules", link.release)
        yield from self.dataset(
            document, ("to",), f"{link.to.system}.{link.to.dataset}", split=True
        )
        rule = self.loaded.kinds["rules"].get(link.release)
        source = self.loaded.kinds["systems"].get(link.from_)
        if rule:
            if link.fallback:
                yield from self.name(document, ("fallback",), "links", link.fallback)
            yield from against_fallback(self.loaded.kinds, document, rule.value)
        if rule and source:
            yield from self.one_site(document, rule, source.value)
            yield from same_purpose(document, rule)
            coding = rule.value.coding
            layout = (
                self.layout(coding.layout, coding.version)
                if coding
                else self.layout_of(f"{link.to.system}.{link.to.dataset}")
            )
            if layout:
                yield from self.columns_arrive(document, rule, layout)
        receiver = self.loaded.kinds["systems"].get(link.to.system)
        if receiver and link.to.dataset in receiver.value.datasets:
            yield from self.files_arrive(document, receiver)

    def files_arrive(
        self, document: Document[LinkFile], receiver: Document[SystemFile]
    ) -> Iterator[Mistake]:
        """Check that a receiving folder can be written: its name, and the characters it holds."""
        link, store = document.value, receiver.value.store
        if not isinstance(store, FilesStore):
            return
        dataset = receiver.value.datasets[link.to.dataset]
        if dataset.file and "*" in dataset.file:
            yield receiver.mistake(
                ("datasets", link.to.dataset, "file"),
                code="workspace.file_indefinite",
                ja=f"{document.file} がここへ書くので、file に * は使えません。"
                "{date} と {sequence} で書いてください。",
                en=f"{document.file} writes here: file cannot hold *, but {{date}}, {{sequence}}.",
                example=f'file: "{dataset.file.replace("*", "_{sequence}")}"',
            )
        is_cp932 = store.charset == "cp932" or (
            dataset.records is not None and dataset.records.charset == "cp932"
        )
        is_workbook = bool(dataset.file and dataset.file.endswith(".xlsx"))
        if is_cp932 and not is_workbook and link.characters.charset != "cp932":
            yield document.mistake(
                ("characters", "charset"),
                code="workspace.charset",
                ja=f"受け取り側のファイル（{receiver.file}）は cp932 です。表せない字をどうするかを"
                "決められるよう、この連携も cp932 にしてください。",
                en=f"The receiver's files ({receiver.file}) are cp932: let this link say so too, so"
                " that it decides what becomes of other characters.",
                expected="cp932",
                example="characters: {charset: cp932}",
            )

    def one_site(
        self, document: Document[LinkFile], rule: Document[ReleaseRule], source: SystemFile
    ) -> Iterator[Mistake]:
        """Check that a rule joins datasets of one site: nothing travels before it is released."""
        for name, reference in rule.value.datasets.items():
            system = self.loaded.kinds["systems"].get(reference.partition(".")[0])
            if system and system.value.site != source.site:
                yield rule.mistake(
                    ("datasets", name),
                    code="workspace.other_site",
                    ja=f"「{reference}」は {system.value.site} にあり、{document.file} の送り元"
                    f"（{source.site}）から読めません。同じサイトのデータを使ってください。",
                    en=f"{reference!r} is at {system.value.site};"
                    f" {document.file} reads at {source.site}.",
                )

    def columns_arrive(
        self, document: Document[LinkFile], rule: Document[ReleaseRule], layout: Layout
    ) -> Iterator[Mistake]:
        """Check that what is released is what the receiver's layout holds."""
        known = {held.name for held in layout.fields}
        given = [column.name for column in rule.value.released]
        for number, name in enumerate(column.name for column in rule.value.columns):
            if name not in known:
                what = (
                    f"受け取り側「{layout.ja}」の項目",
                    f"column of the receiving layout {layout.layout}",
                )
                yield unknown(rule, ("columns", number, "name"), name, sorted(known), what)
        yield from against_required(rule, layout)
        for held in layout.fields:
            if held.required and held.name not in given:
                yield document.mistake(
                    ("release",),
                    code="workspace.column_missing",
                    ja=f"受け取り側「{layout.ja}」に必要な項目 {held.name}（{held.ja}）が"
                    f" {rule.file} にありません。",
                    en=f"The receiving layout needs {held.name!r}; {rule.file} does not give it.",
                    expected=held.name,
                    example=f"- {{name: {held.name}, op: keep, of: {held.name}}}",
                )

    def contact(self, document: Document[Any], name: str) -> Iterator[Mistake]:
        """Check that there is such a contact."""
        if self.loaded.main and name not in self.loaded.main.value.contacts:
            known = list(self.loaded.main.value.contacts)
            yield unknown(document, ("contact",), name, known, ("連絡先", "contact"))

    def name(self, document: Document[Any], path: Path, kind: str, name: str) -> Iterator[Mistake]:
        """Check that there is a file of this kind and name."""
        if not self.loaded.knows(kind, name):
            yield unknown(document, path, name, self.loaded.names(kind), _WORDS[kind])

    def dataset(
        self, document: Document[Any], path: Path, reference: str, *, split: bool = False
    ) -> Iterator[Mistake]:
        """Check that ``system.dataset`` is there."""
        system, _, name = reference.partition(".")
        at_system, at_dataset = ((*path, "system"), (*path, "dataset")) if split else (path, path)
        if not self.loaded.knows("systems", system):
            known = self.loaded.names("systems")
            yield unknown(document, at_system, system, known, _WORDS["systems"])
        elif (held := self.loaded.kinds["systems"].get(system)) and name not in held.value.datasets:
            yield unknown(
                document,
                at_dataset,
                name,
                held.value.datasets,
                (f" {system} のデータセット", f"dataset of {system}"),
                whole=reference if not split else None,
            )

    def layout(self, name: str, version: str) -> Layout | None:
        """Return a layout, if there is one."""
        return self.layouts.get(name, version) if version in self.layouts.versions(name) else None

    def layout_of(self, reference: str) -> Layout | None:
        """Return the layout of ``system.dataset``, if there is one."""
        system, _, name = reference.partition(".")
        held = self.loaded.kinds["systems"].get(system)
        dataset = held.value.datasets.get(name) if held else None
        return self.layout(dataset.layout, dataset.version) if dataset else None


def unknown(
    document: Document[Any],
    path: Path,
    name: str,
    known: Iterable[str],
    what: tuple[str, str],
    *,
    whole: str | None = None,
) -> Mistake:
    """Say that a name is not known, with the nearest that is."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    listed = "、".join(names[:12]) + ("…" if len(names) > 12 else "")  # noqa: PLR2004 - one line
    said_ja = f"「{name}」という{what[0]}はありません。"
    said_en = f"There is no {what[1]} {name!r}"
    said_ja += f"「{near[0]}」ではありませんか。" if near else f"あるもの: {listed}。"
    said_en += f"; {near[0]!r} was probably meant." if near else f"; there are: {', '.join(names)}."
    right = (near or names or [""])[0]
    if whole:
        right = f"{whole.partition('.')[0]}.{right}"
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    return document.mistake(
        path,
        code="workspace.unknown",
        ja=said_ja,
        en=said_en,
        expected=" | ".join(names),
        example=f"{key}: {right}" if right else "",
    )
