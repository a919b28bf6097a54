"""Byname: a self-hosted registry for ML artifacts, built around names you can trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byname.client import Client

__all__ = ["Client", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`byname.Client`, read only by those who ask for it."""
    if name == "Client":
        from byname.client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
