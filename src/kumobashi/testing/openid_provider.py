"""An OpenID provider in memory, with real keys: it answers as told, also wrongly.

It stands behind ``Fetching``, so that what asks it is the real thing. A test changes what it says
of itself (``metadata``), which claims it signs (``claims``) and with what (``sign``).
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey

from kumobashi.crypto import base64url
from kumobashi.identity.errors import ProviderAway
from kumobashi.identity.oidc.fetching import Fetching, Said
from kumobashi.kernel import Clock

ISSUER = "https://login.city.example.jp"
_OK, _REFUSED = 200, 400


@cache
def _first_key() -> RSAKey:
    """Return a key that many tests share: making one takes longer than a test."""
    return RSAKey.generate_key(2048, parameters={"kid": "k1", "use": "sig"})


class SimulatedProvider(Fetching):
    """Meets :class:`Fetching` with what a provider would answer."""

    def __init__(self, clock: Clock, *, client_id: str = "kumobashi", issuer: str = ISSUER) -> None:
        super().__init__("city-login")
        self._clock = clock
        self._client_id = client_id
        self.key = _first_key()
        self.metadata: dict[str, Any] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "end_session_endpoint": f"{issuer}/end",
        }
        self.jwks: dict[str, Any] = {"keys": [self.key.as_dict(private=False)]}
        self.claims: dict[str, Any] = {}  # over those that are right; None takes one away
        self.user: dict[str, Any] = {"sub": "s-1", "name": "佐藤", "groups": ["情報政策課"]}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.is_away: Callable[[str], bool] = lambda _path: False
        self.asked: list[str] = []  # paths, in order
        self.forms: list[Mapping[str, str]] = []
        self._codes: dict[str, tuple[str, str]] = {}  # code → nonce, challenge
        self._pushed: dict[str, dict[str, str]] = {}

    def recognise(self, address: str) -> dict[str, str]:
        """Be the browser of somebody whom the provider recognises; return its answer."""
        wanted = {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}
        wanted = self._pushed.pop(wanted.get("request_uri", ""), wanted)
        if wanted["code_challenge_method"] != "S256":
            raise ValueError("no S256")
        code = secrets.token_urlsafe(16)
        self._codes[code] = (wanted["nonce"], wanted["code_challenge"])
        return {"state": wanted["state"], "code": code, "iss": self.metadata["issuer"]}

    def good(self, nonce: str | None, access: str | None = None) -> dict[str, Any]:
        """Return the claims of an ID token, changed as the test wants them."""
        now = int(self._clock.now().timestamp())
        said = {
            "iss": self.metadata["issuer"],
            "aud": self._client_id,
            "sub": "s-1",
            "iat": now,
            "exp": now + 300,
            "auth_time": now - 5,
            "nonce": nonce,
            "amr": ["pwd", "otp"],
            "sid": "session-1",
        }
        if access:
            half = hashlib.sha256(access.encode()).digest()[:16]
            said["at_hash"] = base64url.encode(half)
        return {key: value for key, value in (said | self.claims).items() if value is not None}

    def signed(self, claims: Mapping[str, Any], **header: object) -> str:
        """Sign claims with the key of the provider."""
        head = {"alg": "RS256", "kid": self.key.kid, "typ": "JWT"} | header
        said = ".".join(base64url.encode(json.dumps(part).encode()) for part in (head, claims))
        # Signed by hand: a library would refuse to write some of these headers.
        private: Any = self.key.private_key
        return f"{said}.{base64url.encode(private.sign(said.encode(), PKCS1v15(), SHA256()))}"

    async def _ask(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        fields: Mapping[str, str] | None,
    ) -> Said:
        path = urlsplit(address).path
        del method  # the path says it all
        self.asked.append(path)
        if self.is_away(path):
            raise ProviderAway(provider="city-login")
        if path.startswith("/.well-known/"):
            return Said(status=_OK, body=self.metadata)
        if path == "/jwks":
            return Said(status=_OK, body=self.jwks)
        if path == "/userinfo":
            return Said(status=_OK, body=self.user)
        form = dict(fields or {})
        self.forms.append({**form, **headers})
        if path == "/par":
            reference = f"urn:ietf:params:oauth:request_uri:{secrets.token_urlsafe(8)}"
            self._pushed[reference] = form
            return Said(status=201, body={"request_uri": reference, "expires_in": 60})
        return self._token(form)

    def _token(self, form: Mapping[str, str]) -> Said:
        nonce, challenge = self._codes.pop(form["code"], (None, ""))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64url.encode(digest) != challenge:
            return Said(status=_REFUSED, body={"error": "invalid_grant"})
        access = secrets.token_urlsafe(16)
        id_token = self.sign(self.good(nonce, access))
        body = {"access_token": access, "token_type": "Bearer", "id_token": id_token}
        return Said(status=_OK, body=body)
