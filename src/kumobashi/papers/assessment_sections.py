"""The sections of the facts for an assessment. Pure."""

from collections.abc import Sequence

from kumobashi.directory.models import By
from kumobashi.papers.assessed import Assessed, individual_numbers, receiver_of
from kumobashi.papers.important import Party
from kumobashi.papers.rules import SizeRow
from kumobashi.papers.sheet import Line, Section, Table, blank
from kumobashi.papers.wording import SENSITIVITIES_JA
from kumobashi.policy.reading import FORMS_JA
from kumobashi.release.gates import Gate
from kumobashi.release.rules import Subject


def affair(known: Assessed) -> Section:
    """Return 1: the affair and the link."""
    made = known.plan
    return Section(
        title="1　事務と連携",
        lines=(
            Line(label="評価書の番号・名称", text=blank("評価書番号と評価書名")),
            Line(label="事務の名称", text=blank("特定個人情報ファイルを取り扱う事務の名称")),
            Line(label="連携", text=f"{made.link.name}（{made.link.link}）", source="連携設定"),
            Line(
                label="取り扱うシステム",
                text=f"{made.from_name} → {made.to_name}",
                source="連携設定",
            ),
            Line(label="個人番号", text=_numbers_text(known), source="この連携のレイアウト"),
            Line(
                label="判定",
                text=f"{made.number}（{'送れる' if made.is_permitted else '送れない'}）",
                source="事前点検",
            ),
        ),
    )


def size(persons: int | None, size: SizeRow | None) -> Section:
    """Return 2: which kind of assessment a number of persons asks for."""
    lines = [
        Line(
            label="この連携で渡る件数",
            text=f"{persons:,} 件" if persons is not None else blank("渡る件数"),
            source="承認のときに数えた件数" if persons is not None else "",
        ),
        Line(label="対象人数（ファイル全体）", text=blank("特定個人情報ファイルの対象人数")),
        Line(label="取扱者数", text=blank("取扱者数（委託先を含む。500人以上か）")),
        Line(label="重大事故", text=blank("過去1年以内の重大事故の有無")),
    ]
    if size is not None:
        mark = "" if size.origin.is_verified else "【未確認】"
        lines.append(
            Line(
                label="件数だけから見た評価の種類",
                text=f"{size.ordinary_ja}（取扱者が多いか重大事故があれば {size.heavy_ja}）",
                source=f"{mark}{size.origin.source}（{size.origin.place}）",
            )
        )
    return Section(
        title="2　しきい値判断",
        lines=tuple(lines),
        notes=("件数は連携で渡る分だけで、ファイル全体の対象人数は、これより多いことがあります。",),
    )


def file(known: Assessed) -> Section:
    """Return 3: the items."""
    return Section(
        title="3　記録・提供する項目",
        table=Table(
            heads=("項目", "元の項目", "操作", "形", "機微度"),
            rows=tuple(
                (
                    one.ja,
                    one.source_ja or "—",
                    one.operation_ja,
                    FORMS_JA.get(one.form, one.form),
                    SENSITIVITIES_JA.get(one.sensitivity, one.sensitivity),
                )
                for one in known.plan.items
            ),
        ),
        notes=(f"出さない項目: {'、'.join(known.plan.left_out) or 'なし'}",),
    )


def obtaining(known: Assessed) -> Section:
    """Return 4: where they come from, and about whom."""
    rule = known.workspace.rules[known.plan.link.release]
    sources = sorted({*rule.datasets.values()})
    return Section(
        title="4　入手",
        lines=(
            Line(label="入手元のデータ", text="、".join(sources), source="提供ルール"),
            Line(label="本人からの入手の方法", text=blank("本人などから入手する方法と時期")),
            Line(
                label="対象となる本人の範囲",
                text=_scope(rule.subject),
                source="提供ルールの subject",
            ),
        ),
    )


def _scope(subject: Subject) -> str:
    """Say whom the rule chooses, in the words of its file."""
    said = [f"{column} が {'・'.join(map(str, codes))}" for column, codes in subject.only.items()]
    if subject.age:
        said.append(f"年齢 {subject.age.from_}〜{subject.age.to} 歳")
    if subject.without:
        said.append(f"{subject.without.dataset} に行のある人を除く")
    return f"{subject.dataset} の {subject.key} ごとに1人" + "".join(f"、{one}" for one in said)


def use(known: Assessed) -> Section:
    """Return 5: purpose and basis."""
    made = known.plan
    basis, link = made.basis, made.link.legal_basis
    consent = known.workspace.rules[made.link.release].consent
    return Section(
        title="5　使用",
        lines=(
            Line(label="使用の目的（符号）", text=made.link.purpose, source="連携設定"),
            Line(label="使用の目的", text=blank("使用の目的を文で")),
            Line(
                label="法的根拠",
                text=f"{basis.article_ja}（{basis.ja}）" if basis else blank("法的根拠"),
                source=(
                    ("" if basis.origin.is_verified else "【未確認】") + basis.origin.place
                    if basis
                    else ""
                ),
            ),
            Line(label="番号法の根拠", text=blank("番号法9条と別表の項、条例の条")),
            Line(label="根拠の終わり", text=str(link.until) if link and link.until else "定めなし"),
            Line(label="本人同意", text="同意した人だけ" if consent else "確かめない"),
        ),
    )


def entrusting(processors: Sequence[Party] | None) -> Section:
    """Return 6: processors."""
    if processors is None:
        return Section(
            title="6　委託",
            lines=(Line(label="委託先", text=blank("委託先・再委託先と、委託する内容")),),
        )
    return Section(
        title="6　委託",
        lines=()
        if processors
        else (Line(label="委託先", text="台帳に委託先はありません", source="利用協議の台帳"),),
        table=Table(
            heads=("事業者", "業務・所在・国・委託元・許可"),
            rows=tuple((one.name, one.text) for one in processors),
        )
        if processors
        else None,
    )


def providing(known: Assessed) -> Section:
    """Return 7: to whom, when, which way."""
    made, place = known.plan, known.workspace.sites[receiver_of(known)]
    way = " → ".join(
        [
            made.from_site_name,
            *(f"（{_by(hop.by)}）{made.site_names[hop.to_site]}" for hop in made.hops),
        ]
    )
    return Section(
        title="7　提供・移転",
        lines=(
            Line(label="提供先", text=f"{made.to_name}（{made.to_site_name}）", source="連携設定"),
            Line(label="運営者・国", text=f"{place.provider}、{place.jurisdiction}"),
            Line(label="時期・頻度", text=_when(known)),
            Line(label="経路", text=way, source="事前点検"),
            Line(
                label="認証",
                text="、".join(one.name for one in place.certifications) or "書かれていない",
                source="連携設定（人が書いたもの）",
            ),
        ),
    )


def _when(known: Assessed) -> str:
    schedule = known.plan.link.schedule
    kind = "全件" if known.plan.link.mode == "full" else "差分"
    return f"毎日 {schedule.daily}（{kind}）" if schedule else f"定めなし（{kind}）"


def keeping(known: Assessed) -> Section:
    """Return 8: how long it is kept, and how it goes."""
    kept, row = known.plan.retention, known.plan.retention_row
    return Section(
        title="8　保管と消去",
        lines=(
            Line(
                label="受け取り側の保持期間",
                text=f"{kept.days} 日（{row.ja if row else kept.name}）"
                if kept
                else blank("保持期間"),
                source="連携設定と規則の表" if kept else "",
            ),
            Line(
                label="消去の方法",
                text="期限か依頼で、行と、転送ごとの鍵を消し、受け取り側が署名した受領で示す",
                source="連携基盤の仕組み",
            ),
            Line(label="保管場所の入退室など", text=blank("保管場所の物理的な安全管理措置")),
        ),
    )


def guarding(known: Assessed) -> Section:
    """Return 9: what the platform does against risks."""
    rule = known.workspace.rules[known.plan.link.release]
    gate = rule.gate
    has_measures = known.workspace.municipality.protective_measures is not None
    return Section(
        title="9　リスク対策（連携基盤がしていること）",
        lines=(
            Line(label="暗号化", text="転送ごとの鍵で封緘（age X25519）。受け手の鍵でだけ開く"),
            Line(
                label="改ざん・なりすまし",
                text="送り手の署名、分割片ごとのハッシュ、4段階の到達確認",
            ),
            Line(
                label="記録", text="追記だけの証跡（Merkle 木）。署名つきで、別の機械でも検証できる"
            ),
            Line(
                label="危険度の確認",
                text="出す前に測り、足りなければ粗くするか出さない"
                if isinstance(gate, Gate)
                else f"測らない（{gate.none}）"
                if gate
                else "決められていない",
            ),
            Line(
                label="支援措置の人",
                text="自動では出さない" if has_measures else blank("支援措置の扱い"),
            ),
            Line(label="職員の権限・教育", text=blank("利用者の権限の管理と教育")),
            Line(label="自己点検・監査", text=blank("自己点検と監査の時期と方法")),
        ),
    )


def _numbers_text(known: Assessed) -> str:
    found = individual_numbers(known)
    if not found:
        return "この連携基盤は個人番号を扱いません。この連携のデータに個人番号の項目はありません。"
    names = "、".join(field.ja for field in found)
    return f"この連携基盤は個人番号を扱いませんが、そう読める項目があります（{names}）。" + blank(
        "個人番号でないことの確認"
    )


def _by(name: str) -> str:
    return "同じサイトの中" if name == "same_site" else By(name).ja
