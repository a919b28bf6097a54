"""A small provider of log-ins (OpenID Connect) on loopback, honest or not as a test wishes."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

CLIENT_ID = "byname"
CLIENT_SECRET = "a secret: with/signs?"


@dataclass(slots=True)
class Provider:
    """The provider, and what it is to say of whoever logs in."""

    address: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    person: dict[str, Any] = field(
        default_factory=lambda: {
            "sub": "subject-1",
            "email": "ann@example.org",
            "email_verified": True,
            "name": "Ann Example",
            "preferred_username": "ann",
        }
    )
    changes: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token that are otherwise than they should be; None leaves one out."""
    issuer: str | None = None
    """What the provider calls itself, when not by its address."""
    sign: str = "RS256"
    """How ID tokens are signed: `none`, `HS256` with the client's secret, or honestly."""
    signing_key: RSAKey | None = None
    """A key that is not among those published."""
    userinfo: dict[str, Any] | None = None
    jwks_uri: str | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """What is published of the provider."""
        return {
            "issuer": self.issuer or self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": self.jwks_uri or f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        } | ({} if self.userinfo is None else {"userinfo_endpoint": f"{self.address}/userinfo"})

    def approve(self, query: dict[str, str]) -> str:
        """Where the browser is sent once the person has agreed."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def id_token(self, nonce: str) -> str:
        """The token for a log-in with that nonce."""
        now = int(time.time())
        claims = {
            "iss": self.address, "aud": CLIENT_ID, "nonce": nonce, "iat": now, "exp": now + 300,
            **self.person, **self.changes,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.sign == "none":
            head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=")
            body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
            return (head + b"." + body + b".").decode()
        if self.sign == "HS256":
            # As if what is published were a secret between the two: a classic confusion.
            key = OctKey.import_key(CLIENT_SECRET)
            return jwt.encode({"alg": "HS256", "kid": "one"}, claims, key, algorithms=["HS256"])
        signing = self.signing_key or self.key
        return jwt.encode({"alg": self.sign, "kid": signing.kid}, claims, signing)

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """What the code is traded for; checked as RFC 6749 and RFC 7636 want it."""
        kind, _, pair = authorization.partition(" ")
        given = base64.b64decode(pair).decode() if kind == "Basic" else ":"
        name, _, secret = given.partition(":")
        if (unquote(name), unquote(secret)) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        query = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            query is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != query["redirect_uri"]
            or query["code_challenge_method"] != "S256"
            or base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() != query["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {
            "access_token": "access", "token_type": "Bearer",
            "id_token": self.id_token(query["nonce"]),
        }  # fmt: skip


@contextmanager
def providing() -> Iterator[Provider]:
    """The provider listens on a free port of loopback."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def _send(self, status: int, body: bytes, kind: str, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _json(self, value: Any, status: int = 200) -> None:
            self._send(status, json.dumps(value).encode(), "application/json")

        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, urlsplit(self.path).query
            provider.asked.append(path)
            if path == "/.well-known/openid-configuration":
                self._json(provider.document())
            elif path == "/keys":
                self._json(KeySet([provider.key]).as_dict(private=False))
            elif path == "/userinfo" and self.headers["Authorization"] == "Bearer access":
                self._json(provider.userinfo)
            elif path == "/authorize":
                found = {name: values[0] for name, values in parse_qs(query).items()}
                to = provider.approve(found).replace("&", "&amp;")
                page = f'<title>Provider</title><h1>Provider</h1><a href="{to}">Continue</a>'
                self._send(200, page.encode(), "text/html")
            else:
                self._json({"error": "not found"}, 404)

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
            status, answer = provider.token(
                dict(parse_qsl(body)), self.headers["Authorization"] or ""
            )
            self._json(answer, status)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
