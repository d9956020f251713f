"""The tables of accounts and sessions; ``tenant`` leads every key, times are microseconds."""

import sqlalchemy as sa

metadata = sa.MetaData()

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("shown", sa.String(80), nullable=False),  # how pages and records call them
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password", sa.String(200), nullable=False),  # scrypt
    sa.Column("secret", sa.String(64), nullable=False),  # of the authenticator, Base32
    sa.Column("last_step", sa.BigInteger, nullable=False),  # of the last code that was taken
    sa.Column("failures", sa.Integer, nullable=False),  # in a row
    sa.Column("locked_until", sa.BigInteger, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
)

provider_accounts = sa.Table(  # people whom a provider knows; no password of theirs is kept
    "provider_accounts",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("name", sa.String(80), primary_key=True),  # with a colon: no local account has one
    sa.Column("provider", sa.String(63), nullable=False),
    sa.Column("subject", sa.String(255), nullable=False),
    sa.Column("shown", sa.String(80), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),  # as the rules said when they last came
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
    sa.Column("closed_at", sa.BigInteger),  # shut out here
    sa.Column("closed_by", sa.String(80)),
)

session_origins = sa.Table(  # of sessions that a provider began
    "session_origins",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),  # of the session
    sa.Column("provider", sa.String(63), nullable=False),
    sa.Column("subject", sa.String(255), nullable=False),
    sa.Column("session", sa.String(255)),  # how the provider calls it
    sa.Column("until", sa.BigInteger),  # when the provider wants to be asked again
    sa.Index("session_origins_by_subject", "tenant", "provider", "subject"),
)

provider_names = sa.Table(  # how a SAML provider calls whoever has such a session
    "provider_names",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),  # of the session
    sa.Column("provider", sa.String(63), nullable=False),
    sa.Column("name", sa.String(256), nullable=False),  # NameID
    sa.Column("form", sa.String(256)),
    sa.Column("qualifier", sa.String(1024)),
    sa.Column("sp_qualifier", sa.String(1024)),
    sa.Column("session", sa.String(255)),  # SessionIndex
    sa.Column("kept_at", sa.BigInteger, nullable=False),
    sa.Index("provider_names_by_name", "tenant", "provider", "name"),
)

begun = sa.Table(  # ways to a provider that were begun; each is taken once
    "sign_ons_begun",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("state", sa.String(64), primary_key=True),  # SHA-256 of what the provider returns
    sa.Column("provider", sa.String(63), nullable=False),
    sa.Column("browser", sa.String(64), nullable=False),  # SHA-256 of a cookie
    sa.Column("nonce", sa.String(64), nullable=False),
    sa.Column("verifier", sa.String(128), nullable=False),  # PKCE
    sa.Column("made_at", sa.BigInteger, nullable=False),
)

seen_tokens = sa.Table(  # statements of providers that count once: logout tokens, assertions
    "seen_tokens",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("provider", sa.String(63), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("until", sa.BigInteger, nullable=False),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("digest", sa.String(64), primary_key=True),  # SHA-256 of the cookie's value
    sa.Column("name", sa.String(32), nullable=False),
    sa.Column("form", sa.String(64), nullable=False),  # what its forms must carry
    sa.Column("begun_at", sa.BigInteger, nullable=False),
    sa.Column("seen_at", sa.BigInteger, nullable=False),
)

account_scopes = sa.Table(  # to what an account is bound; none: to nothing
    "account_scopes",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),  # link, system
    sa.Column("value", sa.String(63), primary_key=True),
)

closed_accounts = sa.Table(  # local ones that were shut out; their names are not given again
    "closed_accounts",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("closed_at", sa.BigInteger, nullable=False),
    sa.Column("closed_by", sa.String(80), nullable=False),
)

role_changes = sa.Table(  # roles that are not the first of an account
    "role_changes",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("changed_at", sa.BigInteger, primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
)

access_reviews = sa.Table(  # what was said of an account when access was reviewed; only grows
    "access_reviews",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("reviewed_at", sa.BigInteger, primary_key=True),
    sa.Column("reviewed_by", sa.String(80), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),  # that was looked at
    sa.Column("is_kept", sa.Boolean, nullable=False),
)

provisioned = sa.Table(  # people whom a provider's list of accounts has, or had (SCIM)
    "provisioned",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("provider", sa.String(63), nullable=False),
    sa.Column("external", sa.String(255)),  # how the provider calls them; never given again
    sa.Column("user_name", sa.String(255), nullable=False),
    sa.Column("user_key", sa.String(255), nullable=False),  # the same, as names are compared
    sa.Column("subject", sa.String(255)),  # as whom they signed in
    sa.Column("shown", sa.String(255)),
    sa.Column("is_active", sa.Boolean, nullable=False),
    sa.Column("attributes", sa.Text, nullable=False),  # JSON: the parts of a name, addresses
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
    sa.Column("removed_at", sa.BigInteger),  # the row stays, so that they stay out
)
_IS_HERE = provisioned.c.removed_at.is_(None)
for _column in ("user_key", "external"):
    sa.Index(
        f"provisioned_by_{_column}",
        *(provisioned.c[name] for name in ("tenant", "provider", _column)),
        unique=True,
        sqlite_where=_IS_HERE,
    )

provisioned_groups = sa.Table(  # groups of a provider's list; each gives its members one role
    "provisioned_groups",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("provider", sa.String(63), nullable=False),
    sa.Column("external", sa.String(255)),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("made_at", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.BigInteger, nullable=False),
)

provisioned_members = sa.Table(
    "provisioned_members",
    metadata,
    sa.Column("tenant", sa.String(6), primary_key=True),
    sa.Column("group", sa.String(36), primary_key=True),
    sa.Column("person", sa.String(36), primary_key=True),
    sa.Index("provisioned_members_by_person", "tenant", "person"),
)
