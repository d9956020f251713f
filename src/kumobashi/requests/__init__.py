"""Requests of residents for disclosure, correction and suspension (開示・訂正・利用停止等請求).

In go what was asked on which day, and the acts of the offices; out come deadlines by the dated rows
of the law, requests with chained revisions, each with its leaf of evidence, and papers on A4.
``states`` and ``deadlines`` are the rules, ``book`` the deeds. Residents come as sealed numbers
only; names and addresses are not kept.
"""
