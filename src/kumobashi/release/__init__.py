"""What may leave, and how coarse: a rule in YAML becomes SQL over columns, and k is counted.

In go the rows of one or more datasets of the hall, the consents and a business date; out come the
released table, the counts that must add up, and the findings. Coarsened rows are still personal
information (抽象化済の個人情報): report 001, chapter 5, says so and so does the measured k.
"""
