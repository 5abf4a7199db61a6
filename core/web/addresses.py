"""Which addresses we may connect to, and the only place where names become addresses.

Whoever can post a link can make this machine send a request. So nothing in a private network,
on this machine or at a cloud's metadata service is ever asked, however it is written, and a
name is judged by every address it resolves to. What comes out of `AddressGuard.addresses` is
what gets dialled: there is no second look-up that could answer differently.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from core.errors import AddressRefused, SiteUnavailable

IPAddress = IPv4Address | IPv6Address


class Resolver(Protocol):
    """Name to addresses. Raises OSError where there are none."""

    async def __call__(self, host: str, port: int) -> list[str]: ...


async def system_resolver(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    answers = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


# --- addresses

# Refused in so many words although ipaddress knows most of them: its tables change with the
# Python version, ours must not.
_REFUSED: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "an unspecified address"),
    ("10.0.0.0/8", "a private address"),
    ("100.64.0.0/10", "an address of a provider's own network"),
    ("127.0.0.0/8", "this machine"),
    ("168.63.129.16/32", "a metadata service"),
    ("169.254.0.0/16", "a link-local or metadata address"),
    ("172.16.0.0/12", "a private address"),
    ("192.0.0.0/24", "a reserved address"),
    ("192.0.2.0/24", "a documentation address"),
    ("192.88.99.0/24", "a reserved address"),
    ("192.168.0.0/16", "a private address"),
    ("198.18.0.0/15", "a benchmarking address"),
    ("198.51.100.0/24", "a documentation address"),
    ("203.0.113.0/24", "a documentation address"),
    ("224.0.0.0/4", "a multicast address"),
    ("240.0.0.0/4", "a reserved address"),
    ("::/128", "an unspecified address"),
    ("::1/128", "this machine"),
    ("64:ff9b:1::/48", "a private address"),
    ("100::/64", "a reserved address"),
    ("2001:db8::/32", "a documentation address"),
    ("3fff::/20", "a documentation address"),
    ("5f00::/16", "a reserved address"),
    ("fc00::/7", "a private address"),
    ("fe80::/10", "a link-local address"),
    ("fec0::/10", "a private address"),
    ("ff00::/8", "a multicast address"),
)
_NETWORKS = tuple((ipaddress.ip_network(network), why) for network, why in _REFUSED)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = ipaddress.IPv6Network("::/96")
_ISATAP = re.compile(r"0[02]005efe")


def why_refused(address: IPAddress) -> str | None:
    """Why an address is not asked, None for one of the open internet."""
    for network, why in _NETWORKS:
        if address in network:
            return why
    inner = _embedded(address) if isinstance(address, IPv6Address) else ()
    for v4 in inner:
        if (why_inner := why_refused(v4)) is not None:
            return f"{why_inner}, written as IPv6"
    if not inner and not address.is_global:
        return "a reserved address"
    return None


def _embedded(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """The v4 addresses that a v6 address leads to: mapped, 6to4, Teredo, NAT64, ISATAP."""
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64 or address in _V4_COMPATIBLE:
        return (last,)
    if _ISATAP.fullmatch(f"{(int(address) >> 32) & 0xFFFFFFFF:08x}"):
        return (last,)
    return ()


# --- hosts

_REFUSED_NAMES = ("localhost", "local", "localdomain", "internal", "home.arpa")
_METADATA_NAMES = frozenset({"metadata", "instance-data", "metadata.azure.com"})
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


def literal(host: str) -> IPAddress | None:
    """The address that a host is written as, in every way that a C library reads, or None.

    Raises ValueError for a host that is meant as a number but is no address.
    """
    bare = host.removeprefix("[").removesuffix("]")
    if ":" in bare:
        return IPv6Address(bare)
    labels = bare.lower().removesuffix(".").split(".")
    if not _NUMBER.fullmatch(labels[-1]):
        return None
    if len(labels) > 4:
        raise ValueError(f"{host} has too many parts")
    *leading, last = (_number(label) for label in labels)
    if any(value > 255 for value in leading) or last >= 256 ** (4 - len(leading)):
        raise ValueError(f"{host} is too large for an address")
    value = last
    for place, part in enumerate(leading):
        value += part << (8 * (3 - place))
    return IPv4Address(value)


def _number(label: str) -> int:
    if not _NUMBER.fullmatch(label):
        raise ValueError(f"{label} is not a number")
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8) if label.startswith("0") and len(label) > 1 else int(label)


def _is_refused_name(host: str) -> bool:
    return host in _METADATA_NAMES or any(
        host == name or host.endswith(f".{name}") for name in _REFUSED_NAMES
    )


class AddressGuard:
    """Names to addresses that may be dialled.

    `allow_hosts` are intranet hosts a person vouches for: `host` on every port, `host:port` on
    that one. They are resolved like any other, only not judged.
    """

    def __init__(self, allow_hosts: Iterable[str], resolver: Resolver = system_resolver) -> None:
        self._allowed = frozenset(_entry(host) for host in allow_hosts)
        self._resolver = resolver

    async def addresses(self, host: str, port: int) -> list[str]:
        """Every address of a host. Raises AddressRefused if a single one must not be asked."""
        name = _plain(host)
        allowed = (name, None) in self._allowed or (name, port) in self._allowed
        try:
            written = literal(name)
        except ValueError as error:
            raise AddressRefused(host, "not a valid address") from error
        if not allowed and _is_refused_name(name):
            raise AddressRefused(host, "a name of this machine or its network")
        found = [written] if written is not None else await self._resolve(name, port)
        if not allowed:
            for address in found:
                if (why := why_refused(address)) is not None:
                    raise AddressRefused(host, why)
        return [str(address) for address in found]

    async def _resolve(self, name: str, port: int) -> list[IPAddress]:
        try:
            answers = await self._resolver(name, port)
        except (OSError, UnicodeError) as error:
            raise SiteUnavailable(name, "no such host") from error
        if not answers:
            raise SiteUnavailable(name, "no such host")
        try:
            return [ipaddress.ip_address(answer) for answer in answers]
        except ValueError as error:  # an address with a zone: link-local by definition
            raise AddressRefused(name, "a link-local address") from error


def _plain(host: str) -> str:
    return host.lower().removeprefix("[").removesuffix("]").removesuffix(".")


def _entry(text: str) -> tuple[str, int | None]:
    """`host`, `host:port`, `[v6]:port` or a bare v6 address."""
    entry = text.strip()
    if entry.startswith("["):
        host, _, port = entry[1:].partition("]")
        return _plain(host), int(port[1:]) if port else None
    host, colon, port = entry.partition(":")
    if colon and port.isdigit():
        return _plain(host), int(port)
    return _plain(entry), None
