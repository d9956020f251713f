"""Where things are kept: state in SQLite, payloads in folders, systems' tables, YAML files.

``sqlite`` and ``spool`` hold what a gateway must not lose; ``tables`` with its adapters reads and
writes the systems' own tables; ``documents`` reads the files that people write. A relay uses all
but the tables, and loads neither DuckDB nor Arrow.
"""
