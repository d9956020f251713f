"""Links whose columns leave under codes: which layout has the logical names, and which the codes.

The rule, the plan and every screen of the hall speak of the logical layout. The receiver's dataset
has the coded one, a file of the workspace that ``coded_layout_text`` writes; it holds codes, types
and digits, and nothing of what they mean.
"""

from collections import Counter
from datetime import date

from kumobashi.catalogue.fields import Field, Layout
from kumobashi.planning.links import LinkFile
from kumobashi.planning.workspace import Workspace
from kumobashi.policy.questions import Reason
from kumobashi.release.coding import Codebook, Coding, days_of
from kumobashi.storage.sentences import flow


def logical_layout(workspace: Workspace, link: LinkFile) -> Layout:
    """Return the layout that a link's rule is written for: the receiver's, before any coding."""
    coding = workspace.rules[link.release].coding
    if coding is None:
        return workspace.layout(f"{link.to.system}.{link.to.dataset}")
    return workspace.layouts.get(coding.layout, coding.version)


def against_coding(workspace: Workspace, link: LinkFile, *, on: date) -> tuple[Reason, ...]:
    """Return the reasons why a link may not run with the coding of its rule."""
    coding = workspace.rules[link.release].coding
    if coding is None:
        return ()
    file = f"rules/{link.release}.yaml"
    found = []
    first, last = days_of(coding.epoch)
    if not first <= on <= last:
        found.append(
            Reason(
                code="planning.epoch_over",
                ja=f"鍵の期 {coding.epoch} は {first} から {last} までで、{on} には使えません",
                en=f"The key epoch {coding.epoch} runs from {first} to {last}, not on {on}",
                where=workspace.where(file, "coding", "epoch"),
                remedy_ja="次の期にして、コードブックと受け取り側の表を新しくしてください。",
                remedy_en="Take the next epoch, with a new codebook and a new table there.",
                example="epoch: 2026Q4",
            )
        )
    coded = workspace.layout(f"{link.to.system}.{link.to.dataset}")
    if not is_coded_from(coded, logical_layout(workspace, link)):
        found.append(
            Reason(
                code="planning.layout_not_coded",
                ja=f"受け取り側のレイアウト「{coded.layout}」は、{coding.layout} を符号にしたもの"
                "ではありません",
                en=f"The receiver's layout {coded.layout} is not {coding.layout} under codes",
                where=workspace.where(
                    f"systems/{link.to.system}.yaml", "datasets", link.to.dataset
                ),
                remedy_ja="符号にしたレイアウトを作り、データセットの layout に書いてください: "
                f"kumobashi release codebook {link.link} --make",
                remedy_en="Make the coded layout and name it as the dataset's layout:"
                f" kumobashi release codebook {link.link} --make",
                example=f"layout: {coding.coded_layout}",
            )
        )
    return tuple(found)


def is_coded_from(coded: Layout, logical: Layout) -> bool:
    """Whether a layout may be another one under codes: no name of it, and the same columns."""
    is_alike = Counter(map(_shape, coded.fields)) == Counter(map(_shape, logical.fields))
    return is_alike and not set(coded.names) & set(logical.names)


def coded_layout_text(logical: Layout, book: Codebook, coding: Coding) -> str:
    """Return the file ``layouts/<coded layout>.yaml``: codes in order, and what tables need."""
    codes, names = book.codes, book.names
    lines = [
        "# yaml-language-server: $schema=../.schemas/layout.json",
        "# kumobashi release codebook が書きました。項目の意味は庁内のコードブックにあります。",
        "kumobashi: 1",
        f"layout: {coding.coded_layout}",
        f"version: {flow(coding.version)}",
        f"name: 符号にした表（{coding.epoch}）",
        "source: コードブック",
        f"key: {flow([codes[name] for name in logical.key])}",
        "fields:",
    ]
    for code in book.order:
        field = logical.field(names[code])
        said = {"name": code, "ja": code, "type": field.type}
        digits = f", digits: {flow(field.size) if field.decimals else field.size}"
        lines.append(
            f"  - {flow(said)[:-1]}{digits if field.digits else ''},"
            f" required: {str(field.required).lower()}, sensitivity: attribute}}"
        )
    return "\n".join(lines) + "\n"


def _shape(field: Field) -> tuple[str, int | None, int | None, bool]:
    return field.type, field.digits, field.decimals, field.required
