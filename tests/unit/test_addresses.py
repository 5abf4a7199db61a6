from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AddressRefused, SiteUnavailable
from core.web.addresses import AddressGuard, literal, why_refused


class Names:
    """A resolver with a table; it counts what it is asked."""

    def __init__(self, **table: list[str]) -> None:
        self.table = {name.replace("_", "."): answers for name, answers in table.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if host not in self.table:
            raise OSError("no such host")
        return self.table[host]


FORBIDDEN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 - refused here, bound nowhere
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "2002:7f00:1::",
    "2002:0a00:0001::1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",  # Teredo, the client behind it is 10.0.0.1
    "2a00::5efe:10.0.0.1",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_of_the_open_internet_is_refused(address: str) -> None:
    assert why_refused(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "64:ff9b::8.8.8.8"],
)
def test_an_address_of_the_open_internet_is_not_refused(address: str) -> None:
    assert why_refused(ipaddress.ip_address(address)) is None


@given(st.ip_addresses(v=4))
def test_a_v4_address_is_refused_in_v6_clothes_exactly_when_it_is_refused_itself(
    address: ipaddress.IPv4Address,
) -> None:
    plain = why_refused(address) is not None
    for prefix in (0xFFFF << 32, int(ipaddress.IPv6Address("64:ff9b::"))):
        dressed = ipaddress.IPv6Address(prefix | int(address))
        assert (why_refused(dressed) is not None) == plain


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("0x7f.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0177.0.0.01", "127.0.0.1"),
        ("0", "0.0.0.0"),  # noqa: S104 - as above
        ("10.1", "10.0.0.1"),
        ("0xa9.0xfe.43518", "169.254.169.254"),
        ("[::1]", "::1"),
        ("8.8.8.8", "8.8.8.8"),
    ],
)
def test_a_host_written_as_a_number_is_the_address_it_means(host: str, address: str) -> None:
    assert literal(host) == ipaddress.ip_address(address)


def test_a_name_is_not_a_number() -> None:
    assert literal("example.com") is None
    assert literal("1e100.net") is None


@pytest.mark.parametrize(
    "host", ["256.1.1.1", "1.2.3.4.5", "127.0.0.0x1g.1", "09.1.1.1", "99999999999"]
)
async def test_a_number_that_is_no_address_is_refused_without_asking(host: str) -> None:
    names = Names()
    with pytest.raises(AddressRefused):
        await AddressGuard((), names).addresses(host, 80)
    assert names.asked == []


@pytest.mark.parametrize(
    "host", ["0x7f.1", "2130706433", "[::1]", "::ffff:127.0.0.1", "169.254.169.254"]
)
async def test_every_spelling_of_a_forbidden_address_is_refused_without_asking(host: str) -> None:
    names = Names()
    with pytest.raises(AddressRefused):
        await AddressGuard((), names).addresses(host, 80)
    assert names.asked == []


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "a.localhost",
        "printer.local",
        "metadata.google.internal",
        "metadata",
        "LOCALHOST.",
    ],
)
async def test_a_name_of_this_machine_or_network_is_refused_without_asking(host: str) -> None:
    names = Names()
    with pytest.raises(AddressRefused):
        await AddressGuard((), names).addresses(host, 80)
    assert names.asked == []


async def test_a_name_with_one_private_address_among_public_ones_is_refused() -> None:
    names = Names(mixed_example=["93.184.216.34", "10.0.0.1"])
    with pytest.raises(AddressRefused, match="private"):
        await AddressGuard((), names).addresses("mixed.example", 443)


async def test_a_name_with_public_addresses_gives_them_in_their_order() -> None:
    names = Names(good_example=["93.184.216.34", "2606:4700::1111"])
    found = await AddressGuard((), names).addresses("good.example", 443)
    assert found == ["93.184.216.34", "2606:4700::1111"]


async def test_a_link_local_answer_with_a_zone_is_refused() -> None:
    names = Names(zoned_example=["fe80::1%eth0"])
    with pytest.raises(AddressRefused):
        await AddressGuard((), names).addresses("zoned.example", 443)


async def test_an_unknown_name_is_an_unavailable_site() -> None:
    with pytest.raises(SiteUnavailable, match="no such host"):
        await AddressGuard((), Names()).addresses("nowhere.example", 443)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("wiki.example", "wiki.example", 443),
        ("wiki.example", "WIKI.example.", 8080),
        ("wiki.example:8080", "wiki.example", 8080),
        ("10.0.0.1", "10.0.0.1", 80),
        ("[::1]:8080", "::1", 8080),
        ("::1", "[::1]", 80),
    ],
)
async def test_an_allowed_host_is_not_judged(entry: str, host: str, port: int) -> None:
    names = Names(wiki_example=["10.0.0.7"])
    assert await AddressGuard((entry,), names).addresses(host, port)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("wiki.example:8080", "wiki.example", 80),
        ("wiki.example", "sub.wiki.example", 80),
        ("127.0.0.1:8080", "127.0.0.1", 80),
        ("127.0.0.1:8080", "0x7f.1", 8080),
    ],
)
async def test_allowing_a_host_allows_exactly_that_host_and_port(
    entry: str, host: str, port: int
) -> None:
    names = Names(wiki_example=["10.0.0.7"], sub_wiki_example=["10.0.0.7"])
    with pytest.raises(AddressRefused):
        await AddressGuard((entry,), names).addresses(host, port)
