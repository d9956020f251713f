"""Tables of a system in a public cloud that takes and gives rows by jobs (asynchronous REST).

Such a cloud takes much at once in five steps: a job is made, CSV is uploaded, the job is closed, it
is asked how far it is, and the results are fetched row by row: taken, refused, not processed. Rows
are given by query jobs, page by page. In go a load and the settings of a cloud; out comes that
every row is there, once, or which were refused and why.

The paths, states, fields and default limits follow the shape of the bulk interfaces that large
public clouds publish (their developer guides and limits pages, 2021 to 2026); vendors put a prefix
of their own before the names of headers and result columns, so these are read by how they end.
"""
