"""What is on the public internet, and what is not."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.addresses import OF_A_NETWORK, neighbourhood, not_public


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("169.254.169.254", "link-local (cloud metadata is there)"),
        ("100.64.0.1", "shared by carriers (CGNAT)"),
        ("100.127.255.255", "shared by carriers (CGNAT)"),
        ("224.0.0.1", "multicast"),
        ("255.255.255.255", "reserved"),
        ("198.18.0.1", "reserved"),
        ("203.0.113.9", "documentation"),
        ("::1", "loopback"),
        ("::", "unspecified"),
        ("fe80::1", "link-local (cloud metadata is there)"),
        ("fe80::1%eth0", "link-local (cloud metadata is there)"),
        ("fc00::1", "private"),
        ("fd12:3456::1", "private"),
        ("ff02::1", "multicast"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:10.0.0.1", "private"),
        ("::127.0.0.1", "IPv4 within IPv6"),
        ("64:ff9b::a00:1", "private"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b:1::a00:1", "NAT64"),
        ("2002:7f00:1::", "6to4"),
        ("2001::1", "reserved, Teredo among it"),
        ("2001:db8::1", "documentation"),
        ("4000::1", "reserved"),
        ("168.63.129.16", "cloud metadata"),
        ("100.100.100.200", "cloud metadata"),
        ("fd00:ec2::254", "cloud metadata"),
        ("64:ff9b::6464:64c8", "cloud metadata"),
    ],
)
def test_an_address_that_is_not_public_is_named_by_its_kind(address: str, kind: str) -> None:
    assert not_public(address) == kind


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.167.1.1", "2606:4700::1111",
     "::ffff:1.1.1.1", "64:ff9b::101:101"],
)  # fmt: skip
def test_a_public_address_has_nothing_against_it(address: str) -> None:
    assert not_public(address) is None


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_what_python_holds_for_private_is_never_public(address: IPv4Address | IPv6Address) -> None:
    if address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified:
        assert not_public(str(address))
    if isinstance(address, IPv4Address) and address.is_private:
        assert not_public(str(address)) and not_public(f"::ffff:{address}") and not_public(f"64:ff9b::{address}")


@pytest.mark.parametrize(("address", "own"), [("10.1.2.3", True), ("192.168.1.9", True), ("fd12::1", True),
    ("100.64.0.1", True), ("127.0.0.1", True), ("::1", True), ("169.254.1.1", False), ("fe80::1", False),
    ("100.100.100.200", False), ("fd00:ec2::254", False), ("0.0.0.0", False), ("224.0.0.1", False)])  # fmt: skip
def test_the_kinds_that_a_network_of_ones_own_has_leave_out_the_special_ones(address: str, own: bool) -> None:
    assert (not_public(address) in OF_A_NETWORK) == own


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f.1", "[::1]"])
def test_what_is_no_address_is_not_judged(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        not_public(text)


@pytest.mark.parametrize(
    ("address", "holder"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:ffff::", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("/run/antiphon.sock", "/run/antiphon.sock"),
        ("", ""),
    ],
)
def test_an_ipv6_address_is_held_by_its_network(address: str, holder: str) -> None:
    assert neighbourhood(address) == holder
