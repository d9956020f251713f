"""How fast kumobashi carries a city's data, beside what people would use instead, on the same data.

In go a number of residents and how often to repeat; out comes a :class:`~.results.Report` with
every single timing, medians, and ratios. The ways that are compared:

``ours``       the link ``notice-attributes`` between four gateways that run as processes
``same_work``  a shell pipeline that abstracts, makes tokens and counts k in SQL
``moving``     the same pipeline for a table that was prepared before: it only moves the rows
``soap_row``   one row a call, ``soap_200`` 200 rows a call, each call committed, one after the
               other; ``…_four_at_once`` the same with four calls under way
``dlt``        what people would pick today to copy one database table into another

``docs/performance.md`` says what each does exactly, what is left out, and what came out.
"""
