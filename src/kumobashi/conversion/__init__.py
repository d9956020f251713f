"""Characters and layouts on the way from one system to another.

In go columns as Arrow arrays and the charset that the receiver can hold; out come the columns with
agreed substitutes, and every character that would be lost, with how many rows it touches. Nothing
is lost silently: what cannot be written is reported, never replaced by a mark.
"""
