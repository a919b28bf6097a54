"""A small Python client of a Byname server. It needs nothing but the standard library.

from byname import Client

client = Client("http://127.0.0.1:8080", api_key)
client.download("acme/wandb-registry-Model/Zoo:production", "model")
"""

from byname.client.client import Alias, Client, Download, Upload, Version
from byname.client.errors import Corrupt
from byname.client.watch import Swap
from byname.domain.errors import (
    Conflict,
    DomainError,
    Forbidden,
    HolderChanged,
    Invalid,
    NotFound,
    PreconditionFailed,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    Unsupported,
)

__all__ = [
    "Alias",
    "Client",
    "Conflict",
    "Corrupt",
    "DomainError",
    "Download",
    "Forbidden",
    "HolderChanged",
    "Invalid",
    "NotFound",
    "PreconditionFailed",
    "Swap",
    "Throttled",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unprocessable",
    "Unsupported",
    "Upload",
    "Version",
]
