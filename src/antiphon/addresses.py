"""Kinds of IP addresses: public or not. What a URL given by another party may reach is decided by them."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK, PRIVATE, CARRIERS = "loopback", "private", "shared by carriers (CGNAT)"
OF_A_NETWORK = frozenset({LOOPBACK, PRIVATE, CARRIERS})
"""The kinds that machines of one's own network have. The other kinds that are not public are no place for a file."""


def _networks(kinds: dict[str, str]) -> list[tuple[Network, str]]:
    return [(ip_network(block), kind) for kind, blocks in kinds.items() for block in blocks.split()]


# The special-purpose registries of IANA (RFC 6890 and what came after it); first match names the kind. Not
# ``is_global``: what that says depends on the patch level of Python.
_NOT_PUBLIC = _networks(
    {
        # One of them is public, the others lie among the private ones.
        "cloud metadata": "100.100.100.200/32 168.63.129.16/32 192.0.0.192/32 fd00:ec2::254/128 fd20:ce::254/128",
        "unspecified": "0.0.0.0/8 ::/128",
        LOOPBACK: "127.0.0.0/8 ::1/128",
        PRIVATE: "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10",
        "link-local (cloud metadata is there)": "169.254.0.0/16 fe80::/10",
        CARRIERS: "100.64.0.0/10",
        "multicast": "224.0.0.0/4 ff00::/8",
        "reserved": "192.0.0.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.175.48.0/24 "
        "198.18.0.0/15 240.0.0.0/4",
        "documentation": "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20",
        "IPv4 within IPv6": "::ffff:0:0/96 ::ffff:0:0:0/96 ::/96",
        "NAT64": "64:ff9b::/96 64:ff9b:1::/48",
        "6to4": "2002::/16",
        "reserved, Teredo among it": "2001::/23",
    }
)
_GIVEN_OUT = IPv6Network("2000::/3")  # all of IPv6 that is in public use
_NAT64 = IPv6Network("64:ff9b::/96")  # how a host without IPv4 reaches all of IPv4


def unwrapped(address: Address) -> Address:
    """The IPv4 address that is wrapped for the way and is what will be reached (v4-mapped, NAT64); else itself.

    Not 6to4 and Teredo: their relays are gone, and nobody needs them, so they are refused whatever is inside.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def kind_of(address: Address) -> str | None:
    """The kind of address that keeps it off the public internet, such as "loopback"; None for a public one. One that is
    wrapped for the way is judged by what is inside."""
    address = unwrapped(address)
    for network, kind in _NOT_PUBLIC:
        if address.version == network.version and address in network:
            return kind
    if isinstance(address, IPv6Address) and address not in _GIVEN_OUT:
        return "reserved"
    return None


def not_public(address: str) -> str | None:
    """The kind of an address given as text, such as "loopback"; None for a public one.

    An IPv4 address inside an IPv6 one (v4-mapped, NAT64) is judged as itself.

    Raises:
        ValueError: ``address`` is no IP address.
    """
    return kind_of(ip_address(address.partition("%")[0]))


def parsed(address: str) -> Address | None:
    """The address that a text is, an IPv4 address that was wrapped as itself; None for what is none."""
    try:
        found: Address = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def is_within(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address lies in one of these networks. What is no address lies in none."""
    found = parsed(address)
    return found is not None and any(found.version == one.version and found in one for one in networks)


def neighbourhood(address: str) -> str:
    """What bounds per address count as one caller: an IPv4 address, or a /64 of IPv6, all of which one caller has."""
    found = parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return address if found is None else str(found)
