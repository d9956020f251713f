"""Print papers on A4, from templates that the staff may edit (``templates/papers``).

What a template sees is the finished paper, cut at its blanks, so that it can mark and number them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kumobashi.papers.errors import PaperTemplateUnfit
from kumobashi.papers.sheet import Paper, Section, pieces
from kumobashi.sheets import Sheets

FOLDER: Final = Path("templates") / "papers"  # in the workspace
PAGES: Final = {
    "breach": "breach.html",
    "register": "register.html",
    "assessment": "assessment.html",
    "change": "change.html",
}
"""The papers that can be printed, and their template."""
_PARTS: Final = ("style.html", "body.html", "foot.html")
_TEMPLATES: Final = Sheets(
    own=Path(__file__).parent / "templates",
    pages=PAGES,
    parts=_PARTS,
    unfit=PaperTemplateUnfit,
)
MEANINGS: Final[Mapping[str, str]] = {
    "書類": "一覧（個人情報ファイル簿は1つのデータセットに1枚、ほかは1つ）。下の項目を持つ",
    "書類 .題名": "書類の名前",
    "書類 .対象": "連携・データセット・事案",
    "書類 .団体名": "市区町村の名前",
    "書類 .作成日時": "この紙を作った日時（日本時間）",
    "書類 .節": "一覧。.見出し .行（.項目 .片 .出所） .表（.見出し .行） .注",
    "書類 .節 .行 .片": "一覧。.文字 .空欄（空欄か） .番号",
    "書類 .空欄": "一覧。.番号 .内容 .場所",
}
"""Every placeholder, and what it is; ``kumobashi papers templates`` shows them."""


def render(*papers: Paper, folder: Path | None = None) -> str:
    """Return papers of one kind as one HTML file; ``folder`` holds what the staff edited.

    Raises:
        PaperTemplateUnfit: says file and line.
    """
    shown = [_shown(paper) for paper in papers]
    return _TEMPLATES.render(papers[0].kind, {"書類": shown}, folder=folder)


def write_templates(folder: Path) -> list[Path]:
    """Copy our templates for the staff to edit; return those that were not there."""
    return _TEMPLATES.write(folder)


def _shown(paper: Paper) -> dict[str, Any]:
    numbers = iter(range(1, len(paper.blanks) + 1))

    def cut(text: str) -> list[dict[str, Any]]:
        return [
            {"文字": piece, "空欄": is_blank, "番号": next(numbers) if is_blank else 0}
            for piece, is_blank in pieces(text)
        ]

    def section(one: Section) -> dict[str, Any]:
        return {
            "見出し": one.title,
            "行": [
                {"項目": line.label, "片": cut(line.text), "出所": line.source}
                for line in one.lines
            ],
            "表": {
                "見出し": list(one.table.heads),
                "行": [[cut(cell) for cell in row] for row in one.table.rows],
            }
            if one.table
            else None,
            "注": [cut(note) for note in one.notes],
        }

    return {
        "題名": paper.title,
        "対象": paper.about,
        "団体名": paper.town,
        "作成日時": paper.made,
        "節": [section(one) for one in paper.sections],
        "空欄": [
            {"番号": number, "内容": one.what, "場所": one.where}
            for number, one in enumerate(paper.blanks, 1)
        ],
    }
