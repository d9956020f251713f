"""The ways an alert leaves by: mail, webhook, short message, telephone; or as a mail to a bridge.

In goes a letter with an address; out comes that somebody has taken it over, which is not to say
that it arrived.
"""
