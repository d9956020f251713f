"""Where things are kept: state in SQLite, payloads in folders, systems' tables, YAML files.

``state`` says what a gateway's state must be able to do, ``sqlite`` and ``postgresql`` do it, and
``spool`` keeps the parts of bundles; ``tables`` with its adapters reads and
writes the systems' own tables; ``documents`` reads the files that people write. A relay uses all
but the tables, and loads neither DuckDB nor Arrow.
"""
