"""How secrets are kept in rows: encrypted, with keys that the server has and the database has not.

The first key encrypts; all of them decrypt, so that a key can be replaced (R148). Keys that come from
a file are read again when the file has changed: a server that runs notices a rotation.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from byname.domain.errors import Unavailable
from byname.store.database import Transaction

KEY_LENGTH_MIN = 32
CHECK = "byname encryption key"
_META = "encryption_check"


def _fernet(key: str) -> Fernet:
    # Any long text may be a key; Fernet wants exactly 32 bytes.
    derived = hashlib.sha256(b"byname encryption\0" + key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(derived))


class Vault:
    """Seals texts, and opens what was sealed. Says nothing of itself when printed."""

    def __init__(self, keys: Sequence[str] = (), file: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._keys = list(keys)
        if file is not None:
            self._read()
        self._box = MultiFernet([_fernet(key) for key in self._keys])

    def __repr__(self) -> str:
        return "Vault()"

    def _read(self) -> bool:
        """Whether the file holds other keys than before. Those known before still open."""
        assert self._file is not None  # noqa: S101  Asked by the callers.
        state = self._file.stat()
        if self._seen == (state.st_mtime_ns, state.st_ino):
            return False
        keys = read_keys(self._file)
        self._seen = (state.st_mtime_ns, state.st_ino)
        self._keys = list(dict.fromkeys([*keys, *self._keys]))
        return True

    def _refresh(self) -> bool:
        if self._file is None:
            return False
        with self._lock:
            try:
                changed = self._read()
            except OSError:
                return False  # Gone while the server runs: it goes on with the keys it knows.
            if not changed:
                return False
            self._box = MultiFernet([_fernet(key) for key in self._keys])
            return True

    def seal(self, text: str) -> str:
        """The text, encrypted. Call it inside the write that keeps it, so that a rotation sees it."""
        self._refresh()
        return self._box.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text that was sealed.

        Raises:
            Unavailable: no key of this server opens it.
        """
        try:
            return self._box.decrypt(sealed.encode()).decode()
        except InvalidToken:
            if self._refresh():
                return self.open(sealed)
            raise Unavailable(
                "A secret cannot be decrypted: the server has not the key it was encrypted with"
            ) from None

    def renew(self, sealed: str) -> str:
        """The same text, sealed with the first key."""
        return self.seal(self.open(sealed))

    def close(self, tx: Transaction) -> None:
        """From now on only servers with this vault's first key open the database."""
        tx.run(
            "INSERT INTO meta (key, value) VALUES (:key, :value)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            {"key": _META, "value": self.seal(CHECK)},
        )

    def fits(self, tx: Transaction) -> bool:
        """Whether this vault's keys are those of the database. A new database has none yet."""
        row = tx.one("SELECT value FROM meta WHERE key = :key", {"key": _META})
        if row is None:
            return True
        try:
            return self.open(row["value"]) == CHECK
        except Unavailable:
            return False


def is_used(tx: Transaction) -> bool:
    """Whether the database was used with a key already."""
    return tx.one("SELECT 1 FROM meta WHERE key = :key", {"key": _META}) is not None


def read_keys(file: Path) -> list[str]:
    """The keys in a file, a line each, the newest first.

    Raises:
        Unavailable: it holds no key, or one that is too short.
    """
    keys = file.read_text(encoding="utf-8").split()
    if not keys or any(len(key) < KEY_LENGTH_MIN for key in keys):
        raise Unavailable(
            f"The encryption key {file} is damaged: each line must be a key of at least "
            f"{KEY_LENGTH_MIN} characters"
        )
    return keys
