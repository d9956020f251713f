"""Whether what a plan rests on holds: the directory says what the files say, layouts last."""

from collections.abc import Iterator
from datetime import date

from kumobashi.catalogue.fields import Layout
from kumobashi.directory.entries import Directory
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.deciding import Reason, Where
from kumobashi.routing.finding import Hop


def unpublished(where: Where) -> Reason:
    """Say that no directory was published."""
    ja, en = "署名付きディレクトリがまだ発行されていません", "No directory has been published"
    return _publish("planning.no_directory", ja, en, where)


def stale_directory(*, ja: str, en: str, where: Where) -> Reason:
    """Say in what the published directory is not what the files say."""
    return _publish("planning.directory_stale", ja, en, where)


def stale_sites(
    workspace: Workspace, directory: Directory, hops: tuple[Hop, ...]
) -> tuple[Reason, ...]:
    """Return the reason when a site on the way is another in the directory, the first of them."""
    for name in dict.fromkeys(name for hop in hops for name in (hop.from_site, hop.to_site)):
        held, written = directory.sites.get(name), workspace.sites[name]
        said = [(c.site, c.by) for c in held.connects_to] if held else None
        if (
            held is None
            or said != [(c.site, c.by) for c in written.connects_to]
            or (held.zone, held.role, held.url) != (written.zone, written.role, written.url)
        ):
            reason = stale_directory(
                ja=f"発行済みのディレクトリ第{directory.version}版が sites/{name}.yaml と違います",
                en=f"Version {directory.version} of the directory differs from sites/{name}.yaml",
                where=workspace.where(f"sites/{name}.yaml", "site"),
            )
            return (reason,)
    return ()


def against_layout(layout: Layout, *, on: date, where: Where) -> Iterator[Reason]:
    """Give the reason when a layout may not be used on a day."""
    if layout.is_valid(on):
        return
    end = layout.valid_to.isoformat() if layout.valid_to else ""
    yield Reason(
        code="planning.layout_not_valid",
        ja=f"{on.isoformat()} にはレイアウト「{layout.ja}」第{layout.version}版を使えません"
        f"（{layout.valid_from.isoformat()} から {end}）",
        en=f"The layout {layout.layout} {layout.version} holds from"
        f" {layout.valid_from.isoformat()} to {end or 'now'}, not on {on.isoformat()}",
        where=where,
        remedy_ja="その日に有効な版を書いてください。",
        remedy_en="Write the version that holds on that day.",
    )


def _publish(code: str, ja: str, en: str, where: Where) -> Reason:
    return Reason(
        code=code,
        ja=ja,
        en=en,
        where=where,
        remedy_ja="発行してください: kumobashi directory publish",
        remedy_en="Publish it: kumobashi directory publish",
    )
