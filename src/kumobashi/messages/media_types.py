"""Media types and JWS types of the peer protocol, version 1."""

FORMAT = 1  # the major version of every document here; another one is refused

JSON = "application/vnd.kumobashi.v1+json"  # announcements and answers
JOSE = "application/jose"  # a signed manifest
PART = "application/octet-stream"
WRAPPED_KEY = "application/age"  # the identity of a transfer, sealed to the receiving site
TAKES_KEYS = "transfer_key"  # in an answer: wrapped keys are taken there
PROBLEM = "application/problem+json"  # RFC 9457

PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"

MANIFEST_TYP = "kumobashi-manifest+jws"
RECEIPT_TYP = "kumobashi-receipt+jws"
DELETION_TYP = "kumobashi-deletion+jws"
WITHDRAWAL_TYP = "kumobashi-withdrawal+jws"
WITHDRAWAL_RECEIPT_TYP = "kumobashi-withdrawal-receipt+jws"
PULSE_TYP = "kumobashi-pulse+jws"
