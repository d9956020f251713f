"""How the catalogue fails.

KumobashiError
└── CatalogueFailed
    ├── LayoutUnknown
    ├── LayoutBroken
    ├── CodeListUnknown
    └── CodeListBroken
"""

from kumobashi.kernel import KumobashiError


class CatalogueFailed(KumobashiError):
    """A layout or a code list is not to be had."""

    code = "catalogue.failed"


class LayoutUnknown(CatalogueFailed):
    """No layout of this name and version."""

    code = "catalogue.layout_unknown"
    status = 404
    ja = "レイアウト「{layout}」版「{version}」がありません。"
    en = "There is no layout {layout!r} in version {version!r}."
    remedy_ja = "次のどれかを書くか、layouts/ に置いてください: {known}"
    remedy_en = "Write one of these, or put yours into layouts/: {known}."


class LayoutBroken(CatalogueFailed):
    """A layout file that cannot be read; one bad field spoils the file."""

    code = "catalogue.layout_broken"
    ja = "レイアウト {file} を読めません（{key}: {expected}）。"
    en = "Cannot read the layout {file} ({key}: expected {expected})."
    remedy_ja = "{key} を直してください。例: {example}"
    remedy_en = "Correct {key}, for example: {example}."


class CodeListUnknown(CatalogueFailed):
    """No code list of this name."""

    code = "catalogue.code_list_unknown"
    status = 404
    ja = "コード表「{code_list}」がありません。"
    en = "There is no code list {code_list!r}."
    remedy_ja = "次のどれかを書いてください: {known}"
    remedy_en = "Write one of these: {known}."


class CodeListBroken(CatalogueFailed):
    """A code list file that cannot be read."""

    code = "catalogue.code_list_broken"
    ja = "コード表 {file} の {line} 行目を読めません（{expected}）。"
    en = "Cannot read line {line} of the code list {file}: expected {expected}."
    remedy_ja = "見出しと同じ数の列を、UTF-8 のカンマ区切りで書いてください。"
    remedy_en = "Write as many columns as the header has, separated by commas, in UTF-8."
