"""How measuring and searching fail.

KumobashiError
└── RiskFailed
    ├── NoColumns
    ├── ColumnUnknown
    ├── ColumnTwice
    ├── NoRows
    ├── TooManyRows
    ├── RowsBroken            lines with another number of columns
    ├── FileUnreadable
    ├── WorkroomFull          neither memory nor the spill folder holds the work
    ├── NotOrdered            an ordered distance was asked for what has no order
    ├── PopulationSmaller
    ├── PopulationMissing     a threshold needs a population
    ├── PopulationUncovered   a value of the population that no hierarchy holds
    ├── ThresholdUnclear
    ├── HierarchyFailed
    │   ├── HierarchyMissing
    │   ├── HierarchyEmpty
    │   ├── HierarchyShort    a line with fewer or more levels than the first
    │   ├── HierarchyGap      a value of the data that the hierarchy lacks
    │   ├── HierarchyTwice    one value on two lines that differ
    │   └── HierarchyForked   one value climbs to two parents
    ├── LatticeTooLarge
    └── BaseTooLarge          more different rows than a search keeps in memory
"""

from kumobashi.kernel import KumobashiError


class RiskFailed(KumobashiError):
    """The risk of some rows could not be told."""

    code = "risk.failed"


class NoColumns(RiskFailed):
    """No quasi-identifier was named."""

    code = "risk.no_columns"
    ja = "準識別子の列が指定されていません。"
    en = "No quasi-identifying column is named."
    remedy_ja = "近所の人が知っていそうな列（生年月、性別、住所など）を --qi に並べてください。"
    remedy_en = "Name with --qi the columns that a neighbour could know: birth, sex, address."


class ColumnUnknown(RiskFailed):
    """A column that the rows do not have."""

    code = "risk.column_unknown"
    status = 404
    ja = "{place} に列「{column}」がありません。ある列: {known}。"
    en = "{place} has no column {column!r}; it has: {known}."
    remedy_ja = (
        "見出しのとおりに書いてください。区切りの文字が違うときは --delimiter で示してください。"
    )
    remedy_en = "Write it as in the header; if the delimiter was taken wrongly, name it."


class ColumnTwice(RiskFailed):
    """One column named twice, or in two roles."""

    code = "risk.column_twice"
    ja = "列「{column}」が2回指定されています。"
    en = "The column {column!r} is named twice."
    remedy_ja = "1つの列は、準識別子か機微な列のどちらかに1回だけ書いてください。"
    remedy_en = "Name each column once, as quasi-identifying or as sensitive."


class NoRows(RiskFailed):
    """Nothing to measure: no row, or none that is not suppressed."""

    code = "risk.no_rows"
    ja = "{place} に測る行がありません（0 行）。"
    en = "{place} holds no row to measure."
    remedy_ja = "見出しだけのファイルではないか、書き出しの条件を確かめてください。"
    remedy_en = "See whether it is only a header, and how it was exported."


class TooManyRows(RiskFailed):
    """More rows than the whole-number arithmetic is exact for."""

    code = "risk.too_many_rows"
    ja = "{rows} 行は測れる行数（{limit} 行）を超えています。"
    en = "{rows} rows are more than can be measured exactly ({limit})."
    remedy_ja = "地区などで分け、分けたものどうしで同じ値の組が重ならないようにしてください。"
    remedy_en = "Part the rows so that no combination of values is in two parts."


class RowsBroken(RiskFailed):
    """Rows with another number of columns than the header: nothing is measured."""

    code = "risk.rows_broken"
    ja = "{place} の {line} 行目は {got} 列です（見出しは {expected} 列。"
    ja += "列数の違う行は全部で {rows} 行）。何も測っていません。"
    en = "Line {line} of {place} has {got} columns, the header {expected}; {rows} such rows in all."
    remedy_ja = "区切りの文字と引用符を確かめ、元のシステムから書き出し直してください。"
    remedy_en = "Look at delimiters and quotation marks there, or export the file again."


class FileUnreadable(RiskFailed):
    """No Parquet, or a damaged one."""

    code = "risk.file_unreadable"
    ja = "ファイル「{file}」を Parquet として読めません。"
    en = "The file {file!r} cannot be read as Parquet."
    remedy_ja = "途中で切れていないか確かめ、もう一度書き出してください。"
    remedy_en = "See whether it was cut short, and write it again."


class WorkroomFull(RiskFailed):
    """Neither memory nor the spill folder holds what has to be counted."""

    code = "risk.workroom_full"
    retryable = True
    status = 507
    ja = "測る途中で、作業用のメモリー（{memory}）か一時フォルダの空きが足りなくなりました。"
    en = "Neither the memory for the work ({memory}) nor the folder for temporary files is enough."
    remedy_ja = "空きのあるフォルダを環境変数 TMPDIR で示すか、列を減らしてください。"
    remedy_en = "Name a folder with more room in TMPDIR, or leave columns out."


class NotOrdered(RiskFailed):
    """An ordered distance was asked for a column that is not numbers throughout."""

    code = "risk.not_ordered"
    ja = "列「{column}」には数でない値（空を含む）が {rows} 行あり、順序のある距離では測れません。"
    en = "{rows} rows of {column!r} hold no number (or nothing): no ordered distance exists."
    remedy_ja = "--ordered から外すか、値を直してください。"
    remedy_en = "Leave it out of --ordered, or mend the values."


class PopulationSmaller(RiskFailed):
    """The population does not hold the released rows: no number would mean anything."""

    code = "risk.population_smaller"
    ja = "母集団が足りません。{rows} 行（{classes} 組）が、母集団の同じ値の組より多いか、"
    ja += "母集団にありません（測る行 {released}、母集団 {population} 行）。"
    en = "The population is too small: {rows} rows in {classes} classes are more than it has there"
    en += " ({released} rows, population {population})."
    remedy_ja = "全住民の表を、同じ列・同じ粗さ・同じ時点で渡してください。"
    remedy_en = "Give all residents, in the same columns, equally coarse, of the same day."


class PopulationMissing(RiskFailed):
    """A threshold speaks of the population, and there is none."""

    code = "risk.population_missing"
    ja = "{threshold} は母集団がないと測れません。"
    en = "{threshold} cannot be told without a population."
    remedy_ja = "母集団（全住民の表）を渡してください。"
    remedy_en = "Give the population: the table of all residents."


class PopulationUncovered(RiskFailed):
    """The population has values that the rows' ladders say nothing of."""

    code = "risk.population_uncovered"
    ja = "母集団の {rows} 行の列「{column}」に、階層にない値があります。"
    en = "{rows} rows of the population hold values of {column!r} that no hierarchy has."
    remedy_ja = "階層に、母集団に出てくる値をすべて書いてください。"
    remedy_en = "Let the hierarchy hold every value that the population has."


class ThresholdUnclear(RiskFailed):
    """A threshold that no rows, or all rows, could meet, or that names no sensitive column."""

    code = "risk.threshold_unclear"
    ja = "しきい値 {threshold} = {value} は使えません（{expected}）。"
    en = "The threshold {threshold} = {value} cannot be used: {expected_en}."
    remedy_ja = "範囲の中の値を書いてください。"
    remedy_en = "Write a value within the bounds."


class HierarchyFailed(RiskFailed):
    """A hierarchy cannot be climbed."""

    code = "risk.hierarchy_failed"


class HierarchyMissing(HierarchyFailed):
    """No file for a column."""

    code = "risk.hierarchy_missing"
    status = 404
    ja = "列「{column}」の階層のファイルが {folder} にありません。"
    en = "{folder} holds no hierarchy for the column {column!r}."
    remedy_ja = "{column}.csv か *_hierarchy_{column}.csv を1つだけ置いてください。"
    remedy_en = "Put exactly one {column}.csv or *_hierarchy_{column}.csv there."


class HierarchyEmpty(HierarchyFailed):
    """A hierarchy without a line."""

    code = "risk.hierarchy_empty"
    ja = "階層「{file}」に行がありません。"
    en = "The hierarchy {file!r} holds no line."
    remedy_ja = "1行に1つの値を、細かい順に「値;段1;段2」と書いてください。"
    remedy_en = "Write a line for each value, the finest first: value;level 1;level 2."


class HierarchyShort(HierarchyFailed):
    """A line that ends before, or behind, the others."""

    code = "risk.hierarchy_short"
    ja = "階層「{file}」の {line} 行目は {got} 段です（1行目は {expected} 段）。"
    en = "Line {line} of {file!r} has {got} levels, the first line {expected}."
    remedy_ja = "どの行も同じ段数にしてください。これより粗くならない値は、同じ値をくり返します。"
    remedy_en = "Give every line as many levels; repeat a value that grows no coarser."


class HierarchyGap(HierarchyFailed):
    """Values of the data that the hierarchy does not hold."""

    code = "risk.hierarchy_gap"
    ja = "階層「{file}」に、列「{column}」の値が {values} 種類（{rows} 行）ありません。"
    ja += "最初はデータの {line} 行目です。"
    en = "{file!r} lacks {values} values of {column!r} ({rows} rows), the first on line {line}."
    remedy_ja = (
        "データに出てくる値を、階層にすべて書いてください（空白や全角・半角の違いも別の値です）。"
    )
    remedy_en = "Let the hierarchy hold every value of the data, to the letter."


class HierarchyTwice(HierarchyFailed):
    """A value on two lines that say different things."""

    code = "risk.hierarchy_twice"
    ja = "階層「{file}」の {line} 行目の値は {first} 行目にもあり、段の上がり方が違います。"
    en = "The value on line {line} of {file!r} is on line {first} too, with other levels."
    remedy_ja = "どちらか1行にしてください。"
    remedy_en = "Keep one of the two lines."


class HierarchyForked(HierarchyFailed):
    """A value of one level that climbs to two values of the next."""

    code = "risk.hierarchy_forked"
    ja = (
        "階層「{file}」の {line} 行目で、段 {level} の値が {first} 行目とは別の値に上がっています。"
    )
    en = "Line {line} of {file!r}: a value of level {level} climbs elsewhere than on line {first}."
    remedy_ja = "同じ値は、いつも同じ値へ上がるようにしてください。"
    remedy_en = "Let equal values climb to equal values."


class LatticeTooLarge(RiskFailed):
    """More combinations of levels than are ever searched."""

    code = "risk.lattice_too_large"
    ja = "段の組み合わせが {nodes} 通りあり、調べられる数（{limit}）を超えています。"
    en = "There are {nodes} combinations of levels, more than the {limit} that are searched."
    remedy_ja = "準識別子の列か、階層の段を減らしてください。"
    remedy_en = "Name fewer columns, or leave levels out of the hierarchies."


class BaseTooLarge(RiskFailed):
    """More different rows than a search keeps in memory."""

    code = "risk.base_too_large"
    ja = "値の組み合わせが {cells} 通りあり、粗さを探せる数（{limit}）を超えています。"
    en = "There are {cells} different rows, more than the {limit} that a search keeps in memory."
    remedy_ja = "先に1段粗くした表で探すか、列を減らしてください。"
    remedy_en = "Search rows that were made one step coarser before, or name fewer columns."
