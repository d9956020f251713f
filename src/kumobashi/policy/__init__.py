"""Whether something may be done, decided from dated tables and nothing else.

In go the zones on the way, the legal basis, the kinds of information with the units that give and
receive them, and each item with its sensitivity and the form it leaves in; out comes a decision
with reasons that name the article, the row of the table and what to do. Unknown means no: whatever
has no valid row does not pass. ``deciding`` is where to begin; ``who_may`` is the table of who may
have what.

The tables are CSV files under ``tables/`` with a source and dates in every row; a municipality adds
rows of its own (``tables``). Rows that contradict each other are refused when they are read
(``consistency``). Deciding is pure.
"""
