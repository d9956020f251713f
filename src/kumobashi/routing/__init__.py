"""Which way a bundle goes: the shortest chain of connections that open outward.

In go sites with their ``connects_to``, out comes the chain of hops, or an error that says what is
missing. Pure: no network is touched to find the way.
"""
