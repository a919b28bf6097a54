"""Which addresses this server sends to: the deny table, ports, and what a URL must be (S1 to S3).

The table is our own, after the IANA registries of special-purpose addresses; the standard library's
`is_global` has gaps. No I/O: what a name resolves to is checked where the connection is made.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from byname.domain.errors import Unprocessable

URL_LENGTH_MAX = 2_048
HOST_LENGTH_MAX = 253
PORTS = ((80, 80), (443, 443), (8000, 9999))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DENIED = {
    # IPv4, from iana-ipv4-special-registry, iana-multicast-addresses and iana-ipv4-address-space.
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "metadata of a cloud",
    "169.254.0.0/16": "link-local and metadata of clouds",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "protocol assignments",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "AS112",
    "192.52.193.0/24": "AMT",
    "192.88.99.0/24": "6to4 relay",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "AS112",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
    # IPv6: only 2000::/3 is given out for general use; these parts of it are not.
    "2001::/23": "protocol assignments, Teredo",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4",
    "2620:4f:8000::/48": "AS112",
    "3fff::/20": "documentation",
}
_NAMED = {
    # Outside 2000::/3 everything is refused; these have a name to be told by.
    "::/128": "unspecified",
    "::1/128": "loopback",
    "::/96": "IPv4-compatible",
    "::ffff:0:0/96": "IPv4-mapped",
    "64:ff9b::/96": "NAT64",
    "64:ff9b:1::/48": "NAT64",
    "100::/64": "discard",
    "5f00::/16": "segment routing",
    "fc00::/7": "private",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
_TABLE = [(ipaddress.ip_network(text), why) for text, why in {**_DENIED, **_NAMED}.items()]
_GENERAL_USE = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
"""What systems read as a part of an IPv4 address: no name ends in it (WHATWG URL)."""
_LAST_32 = 0xFFFF_FFFF
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for, in whatever of the ways to write one."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    value = int(address)
    low = ipaddress.IPv4Address(value & _LAST_32)
    if address in _NAT64 or (address in _COMPATIBLE and value > 1):
        return low
    if value >> 32 & _LAST_32 in _ISATAP:
        return low
    return None


def denied(address: Address) -> str | None:
    """Why the deny table refuses the address; None when it is one of general use."""
    inner = _embedded(address)
    why = None if inner is None else denied(inner)
    if why is not None:
        return why
    for network, kind in _TABLE:
        if address.version == network.version and address in network:
            return kind
    if isinstance(address, ipaddress.IPv6Address) and address not in _GENERAL_USE:
        return "reserved"
    return None


@dataclass(frozen=True, slots=True)
class Targets:
    """What the administrator lets this server send to."""

    allowed: tuple[Network, ...] = ()
    """Networks that may be targets although the table refuses them, with all their ports (R143)."""
    ports: tuple[tuple[int, int], ...] = PORTS
    """The ports of all other targets: first and last of each range."""

    def allows(self, address: Address) -> bool:
        """Whether the administrator opened the address; what it embeds must not be refused."""
        inner = _embedded(address)
        if inner is not None and isinstance(address, ipaddress.IPv6Address):
            if address.ipv4_mapped is not None:
                # The system connects to the IPv4 address itself.
                return self.allows(inner)
            if denied(inner) is not None and not self.allows(inner):
                return False
        return any(
            network.version == address.version and address in network for network in self.allowed
        )

    def has_port(self, port: int) -> bool:
        """Whether the port is one of those for all targets."""
        return any(first <= port <= last for first, last in self.ports)

    def refusal(self, host: str, port: int) -> str | None:
        """Why no connection is made to this address, as the system is about to; None: it is made.

        - In a network that the administrator opened, every port may be used.
        - Else the deny table must not hold the address, and the port must be listed.
        """
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return "it is no IP address"
        if self.allows(address):
            return None
        why = denied(address)
        if why is not None:
            return (
                f"{address} is not a public address ({why}); the administrator of this server "
                "may allow its network with BYNAME_WEBHOOK_ALLOW"
            )
        if not self.has_port(port):
            return f"port {port} is not one of {self.ports_told}"
        return None

    @property
    def ports_told(self) -> str:
        """The ports in words."""
        return ", ".join(
            str(first) if first == last else f"{first}-{last}" for first, last in self.ports
        )


PUBLIC = Targets()
"""Public addresses only, on the usual ports."""


def check_url(url: str, targets: Targets) -> str:
    """The address of a receiver, as far as it can be judged before its name is looked up.

    - It begins with http:// or https://, and names a host.
    - It holds no user name or password, no fragment and no white space.
    - Its port is allowed; with networks that the administrator opened, a name may have any.
    - Where the host is an IP address, that may be sent to.

    Raises:
        Unprocessable: one of these does not hold.
    """
    if len(url) > URL_LENGTH_MAX:
        raise Unprocessable(
            f"The URL has {len(url)} characters; at most {URL_LENGTH_MAX} are allowed", field="url"
        )
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Unprocessable(
            "The URL must be written in printable ASCII without spaces and backslashes; "
            "encode others as %XX, and host names in punycode",
            field="url",
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unprocessable("The URL cannot be read", field="url") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise Unprocessable("The URL must begin with https:// or http:// and a host", field="url")
    if "@" in parts.netloc or "#" in url:
        raise Unprocessable(
            "The URL must hold no user name, no password and no '#'; credentials belong into "
            "the access token or the secret",
            field="url",
        )
    _check_place(parts, port, targets)
    return url


def _check_place(parts: SplitResult, port: int | None, targets: Targets) -> None:
    host = parts.hostname or ""
    port = {"http": 80, "https": 443}[parts.scheme] if port is None else port
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        _check_host(host)
        if not targets.allowed and not targets.has_port(port):
            raise Unprocessable(
                f"The URL's port {port} is not one of {targets.ports_told}", field="url"
            ) from None
        return
    why = targets.refusal(host, port)
    if why is not None:
        raise Unprocessable(f"The URL cannot be sent to: {why}", field="url")


def _check_host(host: str) -> None:
    """Return when names are written like that, and no address in an odd spelling is."""
    labels = host.removesuffix(".").split(".")
    if len(host) > HOST_LENGTH_MAX or not all(_LABEL.fullmatch(each) for each in labels):
        raise Unprocessable(f"The URL names no host: {host[:80]!r}", field="url")
    if _NUMBER.fullmatch(labels[-1]):
        raise Unprocessable(
            f"The URL names no host: {host[:80]!r}; write an address as four numbers, "
            "for example 192.0.2.1",
            field="url",
        )


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks, each written as `10.1.0.0/16` or as a single address.

    Raises:
        ValueError: one cannot be read.
    """
    return tuple(ipaddress.ip_network(text) for text in texts)


def parse_ports(texts: Iterable[str]) -> tuple[tuple[int, int], ...]:
    """The ranges of ports, each written as `443` or `8000-9999`.

    Raises:
        ValueError: one cannot be read, or is not within 1 to 65535.
    """
    found = []
    for text in texts:
        first, dash, last = text.partition("-")
        last = last if dash else first
        if not (first.isdecimal() and last.isdecimal()):
            raise ValueError(f"{text!r} is no port or range of ports")
        pair = (int(first), int(last))
        if not 1 <= pair[0] <= pair[1] <= 65_535:
            raise ValueError(f"{text!r} is no range of ports from 1 to 65535")
        found.append(pair)
    return tuple(found)
