"""Consent of residents (本人同意): what they were shown, what they said, and what counts now.

In go applications, withdrawals and what becomes of people; out come records whose history shows
every later change, the set of residents that a release may speak of, receipts, and what receivers
must be told. ``texts`` are the files that people agree to, ``states`` the rules of order,
``ledger`` the deeds, ``snapshot`` what a release joins with. No table of it holds a resident's
number in the clear.
"""
