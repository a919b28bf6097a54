"""The opaque ids of the SDK's face; see `domain/ids.py`."""

from byname.domain.ids import find_number, from_id, to_id

__all__ = ["find_number", "from_id", "to_id"]
