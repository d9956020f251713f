"""What rows reveal about the people in them, measured; and how coarse they must be to reveal less.

In goes a relation of DuckDB: some of its columns a neighbour could know (quasi-identifiers), some
tell what nobody should learn (sensitive columns), and beside it, where there is one, the whole
population. Out come the published measures (``measuring``), the limits they break
(``thresholds``), and the least coarse levels at which they break none (``searching``), exactly.
The package knows nothing of release rules, workspaces or transfers.
"""
