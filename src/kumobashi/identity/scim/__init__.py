"""Accounts by SCIM 2.0 (RFC 7643, 7644): a provider's list received, ours pushed to linked clouds.

A provider says who works here, who does not any more, and who is in which group; a group is a
role. ``answering`` takes its requests, ``register`` keeps what it says, ``people`` is what signing
on asks before somebody comes in. ``pushing`` is the other direction: another cloud's list is
compared with ours, and made to agree.
"""
