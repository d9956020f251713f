"""What a cloud is like: its tables, its limits, its faults; as JSON, so that a process reads it."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

CLIENT_ID: Final = "kumobashi"
CLIENT_SECRET: Final = "correct horse battery staple"  # noqa: S105 - opens nothing but this
At = Literal["token", "create", "upload", "close", "look", "results", "list"]
How = Literal[
    "drop_before",  # the line is cut before anything is done
    "drop_after",  # … after it is done
    "error_before",  # 500
    "error_after",  # 500, and yet it is done
    "busy",  # 503 with Retry-After
    "too_many",  # 429 with Retry-After
    "slow",  # the answer comes late
    "end_token",  # 401: the token ended before its time
    "cut",  # half of the body, with the length of the whole
    "short",  # half of the rows, as if that were all
    "miscount",  # one row fewer than there were
    "lose_row",  # says that all is done, and has left one row out
    "forget",  # the job is unknown from now on
    "fail",  # the job fails halfway
    "fail_passing",  # … for a reason that passes
    "lock_row",  # one row is refused because somebody else works on it
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table of the cloud."""

    kind: Literal["text", "number", "date", "moment"] = "text"
    longest: int = 255
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table; ``key`` is the column by which rows are found again."""

    key: str
    columns: dict[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudLimits:
    """What is published of large clouds, in their units; tests make them small."""

    upload_bytes: int = 150_000_000
    field_characters: int = 32_000
    row_characters: int = 400_000
    columns: int = 5_000
    rows_a_day: int = 150_000_000
    jobs_a_day: int = 10_000
    open_jobs: int = 100
    open_seconds: float = 86_400.0  # then a job that was not closed ends
    results_seconds: float = 7 * 86_400.0
    token_seconds: float = 3_600.0
    page_rows: int = 100_000
    listed_jobs: int = 1_000
    asks_a_second: int = 0  # none: as many as come


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong, ``times`` times, after ``after`` times when it did not."""

    at: At
    how: How
    times: int = 1
    after: int = 0
    seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """All of it."""

    tables: dict[str, Table]
    limits: CloudLimits = field(default_factory=CloudLimits)
    work_seconds: float = 0.05  # before a closed job is begun
    batch_rows: int = 10_000
    names_on_every_page: bool = True

    def with_limits(self, **changes: Any) -> "CloudSettings":  # noqa: ANN401 - fields of limits
        """Return it with other limits."""
        return replace(self, limits=replace(self.limits, **changes))

    def write(self, path: Path) -> None:
        """Write it."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "CloudSettings":
        """Read what :meth:`write` wrote."""
        said = json.loads(path.read_text(encoding="utf-8"))
        tables = {
            name: Table(
                key=one["key"],
                columns={column: Column(**of) for column, of in one["columns"].items()},
            )
            for name, one in said.pop("tables").items()
        }
        return cls(tables=tables, limits=CloudLimits(**said.pop("limits")), **said)
