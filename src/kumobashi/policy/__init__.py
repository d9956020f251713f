"""Whether something may be done, decided from dated tables and nothing else.

In go the zones on the way, the legal basis, and each item with its sensitivity and the form it
leaves in; out comes a decision with reasons that name the article, the row of the table and what to
do. Unknown means no: a zone pair, a basis or a form without a valid row does not pass.

The tables are CSV files under ``tables/`` with a source and dates in every row; deciding is pure.
"""
