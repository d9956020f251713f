"""Write the city where systems keep their data: embedded files, or a real PostgreSQL."""

from collections.abc import Mapping
from pathlib import Path

from kumobashi.testing.city.city import City
from kumobashi.testing.city.schema import SYSTEMS


def write_embedded(city: City, path_by_system: Mapping[str, Path]) -> dict[str, int]:
    """Write one DuckDB file per system, each table in the order of its key; return rows by table.

    A file that exists is replaced. Systems that only receive get their tables, empty.
    """
    written = {}
    for system, path in path_by_system.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        city.connection.execute(f"attach '{str(path).replace(chr(39), chr(39) * 2)}' as store")
        try:
            for table in SYSTEMS[system]:
                city.connection.execute(f"create table store.{table.name} ({table.ddl()})")
                if not table.is_received:
                    row = city.connection.execute(
                        f"insert into store.{table.name} from memory.{table.name} "
                        f"order by {', '.join(table.key)}"
                    ).fetchone()
                    written[table.name] = int(row[0]) if row else 0
        finally:
            city.connection.execute("detach store")
    return written
