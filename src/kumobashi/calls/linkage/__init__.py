"""The Digital Agency's profile of in-house data linkage (庁内データ連携) as another face of calls.

A system that speaks this profile alone asks its own gateway as if it were the provider: OAuth 2.0
client credentials with ``client_secret_jwt``, one provider per token, no refresh token, romaji
names, ``metadata``/``_links``/``result``, E0001 to E0004, 30 seconds. The shape follows
「地方公共団体情報システム共通機能標準仕様書」 and 住登外者宛名番号付番API v2.0 (デジタル庁,
PDL 1.0, processed).
"""
