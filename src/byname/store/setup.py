"""The one-time set-up token, as a fact about this server. Only its hash is kept."""

from __future__ import annotations

from byname.store.database import Transaction

KEY = "setup_token"


def find_token(tx: Transaction) -> str | None:
    """The SHA-256 (hex) of the token that is good now; None when there is none."""
    row = tx.one("SELECT value FROM meta WHERE key = :key", {"key": KEY})
    return None if row is None else row["value"]


def put_token(tx: Transaction, sha256: str) -> None:
    """This token is good from now on, and no earlier one."""
    tx.run(
        "INSERT INTO meta (key, value) VALUES (:key, :value)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        {"key": KEY, "value": sha256},
    )


def remove_token(tx: Transaction) -> None:
    """No token is good."""
    tx.run("DELETE FROM meta WHERE key = :key", {"key": KEY})
