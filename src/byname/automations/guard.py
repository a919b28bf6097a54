"""Where connections are made to: nowhere but where the administrator allows (S1, S2).

The guard is asked right before a connection is made, with the address that the system is about to
use. What the name resolved to earlier, or how the address was spelled, does not matter to it.
"""

from __future__ import annotations

import socket

from byname.domain.target import Targets

AddressInfo = tuple[
    int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]
]


class Refused(OSError):
    """No connection is made to this address; the message says why."""


class Guard:
    """Makes the sockets of one request, or refuses to. `refusals` are the reasons so far."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self.refusals: list[str] = []
        self.passed = False

    def __call__(self, info: AddressInfo) -> socket.socket:
        """A socket for the address.

        Raises:
            Refused: the address may not be a target.
        """
        family, kind, protocol, _, address = info
        if family in (socket.AF_INET, socket.AF_INET6):
            host, port = str(address[0]), int(str(address[1]))
            why = self._targets.refusal(host, port)
        else:
            why = "it is no IP address"
        if why is not None:
            self.refusals.append(why)
            raise Refused(why)
        self.passed = True
        return socket.socket(family, kind, protocol)
