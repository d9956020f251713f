"""What gateways say to each other about a bundle: announcement, manifest, parts, receipts.

What goes in are facts about a transfer, and bytes from peers; what comes out are frozen values and
their canonical bytes. Everything is pure but the cutting and joining of streams. Nothing in these
documents names a column or a person, for relays read them. ``docs/protocol.md`` is their
specification.

Import from the modules: ``announcement``, ``manifest``, ``receipts``, ``parts``, ``media_types``;
the failures are in ``errors``.
"""
