"""How the catalogue fails.

KumobashiError
└── CatalogueFailed
    ├── LayoutUnknown
    ├── LayoutBroken
    ├── LayoutsOverlap
    ├── ItemUnknown
    ├── RegistryBroken
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


class LayoutsOverlap(CatalogueFailed):
    """Two versions of one layout are valid on the same day, and neither says that this is meant."""

    code = "catalogue.layouts_overlap"
    ja = (
        "レイアウト「{layout}」の版 {version}（{span}）と版 {other}（{other_span}）の"
        "期間が重なっています。"
    )
    en = (
        "Versions {version!r} ({span}) and {other!r} ({other_span}) of the layout {layout!r}"
        " are valid on the same days."
    )
    remedy_ja = (
        "古い版に valid_to を書くか、並行して使うなら新しい版に parallel: [{other}] と"
        "書いてください。"
    )
    remedy_en = (
        "Write valid_to into the older one; if both are to run side by side, write"
        " parallel: [{other}] into the newer one."
    )


class ItemUnknown(CatalogueFailed):
    """No item of this name, neither in the registry nor in a layout."""

    code = "catalogue.item_unknown"
    status = 404
    ja = "項目「{item}」がありません。"
    en = "There is no item {item!r}."
    remedy_ja = "近いもの: {known}。一覧は kumobashi catalogue list --items で見られます。"
    remedy_en = "The nearest are: {known}. See kumobashi catalogue list --items."


class RegistryBroken(CatalogueFailed):
    """The file of items cannot be read."""

    code = "catalogue.registry_broken"
    ja = "項目の登録簿 {file} の {line} 行目を読めません（{key}: {expected}）。"
    en = "Cannot read line {line} of the registry {file} ({key}: expected {expected})."
    remedy_ja = "見出しと同じ列を、UTF-8 のカンマ区切りで書いてください。"
    remedy_en = "Write the columns that the header names, separated by commas, in UTF-8."


class CodeListUnknown(CatalogueFailed):
    """No code list of this name."""

    code = "catalogue.code_list_unknown"
    status = 404
    ja = "コード表「{code_list}」がありません。"
    en = "There is no code list {code_list!r}."
    remedy_ja = "次のどれかを書いてください: {known}"
    remedy_en = "Write one of these: {known}."


class CodeListBroken(CatalogueFailed):
    """A code list file that cannot be read, or that holds a code twice."""

    code = "catalogue.code_list_broken"
    ja = "コード表 {file} の {line} 行目を読めません（{expected}）。"
    en = "Cannot read line {line} of the code list {file}: expected {expected}."
    remedy_ja = "見出しと同じ数の列を、UTF-8 のカンマ区切りで、同じコードは1回だけ書いてください。"
    remedy_en = (
        "Write as many columns as the header has, separated by commas, in UTF-8, each code once."
    )
