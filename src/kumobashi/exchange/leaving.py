"""The released rows as the receiver's table has them: every column, under the names that leave.

The hall works with logical names up to here. What is dropped leaves as an empty column, because a
receiver takes a table only as its layout is. Under a coding, names are codes and their order is
that of the codebook.
"""

from kumobashi.exchange.orders import Order
from kumobashi.exchange.packing import OPERATION
from kumobashi.release.columns import Token
from kumobashi.storage.tables import quoted


def leaving(relation: str, order: Order, *, is_difference: bool) -> str:
    """Return the relation that is written, from one with the released columns.

    A difference has its operation before all columns. Rows with tokens leave in the order of
    these, which must not tell who lives with whom.
    """
    given = {column.name for column in order.rule.released}
    names = order.coded.codebook.codes if order.coded else {}
    columns = {
        names.get(column.spec.name, column.spec.name): (
            quoted(column.spec.name)
            if column.spec.name in given
            else f"null::{column.spec.sql_type}"
        )
        for column in order.columns
    }
    in_order = order.coded.codebook.order if order.coded else tuple(columns)
    selected = [OPERATION] if is_difference else []
    selected += [f"{columns[name]} as {quoted(name)}" for name in in_order]
    tokens = [column.name for column in order.rule.columns if isinstance(column, Token)]
    # A number sorts faster than a text.
    ordered = f" order by hash({quoted(tokens[0])})" if tokens else ""
    return f"(select {', '.join(selected)} from (from {relation}{ordered}))"
