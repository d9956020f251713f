"""Standards as data: a registry of items, layouts of datasets, and lists of codes, with sources.

In go YAML and CSV files, shipped here or written by a municipality; out come frozen values, and in
``checking`` the findings of a table that was held against its layout. Nothing here is a copy of a
national standard: the layouts follow its shape where it is public, and say where they are our own.

An item is defined once, in ``items.csv``; a layout says which items a dataset holds, in which order
and under which conditions. Only ``checking`` and ``exporting`` need DuckDB; the rest is light.
"""

from kumobashi.catalogue.code_lists import CodeList, load_code_lists
from kumobashi.catalogue.items import Item, load_items
from kumobashi.catalogue.layouts import Field, Layout, Layouts, load_layouts

__all__ = [
    "CodeList",
    "Field",
    "Item",
    "Layout",
    "Layouts",
    "load_code_lists",
    "load_items",
    "load_layouts",
]
