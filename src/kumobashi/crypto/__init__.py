"""Keys, canonical bytes, signatures and seals: standards of others behind few, strict functions.

What goes in are bytes, streams and keys; what comes out are bytes that other people's tools can
read: JSON in one form (RFC 8785), compact JWS with EdDSA (RFC 7515, RFC 8037), age files for X25519
recipients, HTTP message signatures (RFC 9421) with Content-Digest (RFC 9530). No cryptography is
invented here, every algorithm is pinned to its key, and what cannot be read strictly is refused.

Import from the modules: ``canonical``, ``keys``, ``jws``, ``sealing``, ``http_signatures``; the
failures are in ``errors``. Nothing here knows what a bundle or a receipt is.
"""
