"""Guard against requests to internal addresses: which URLs and addresses may be connected to.

What may be dialled is judged three times: the URL when it is given, every record of its name when it is looked up,
and the address itself when the socket is made (``connection``). The last one decides.
"""

import asyncio
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver
from yarl import URL

from antiphon.addresses import Address, Network, kind_of
from antiphon.errors import BadParameter, BlockedAddress
from antiphon.outbound.own_addresses import OwnAddresses

SETTING = "ANTIPHON_CALLBACK_ALLOW"
MAX_URL_CHARS = 2000
LOOKUP_TIMEOUT_S = 3.0  # that a request waits for a name; later the resolver judges it anyway

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff]|[\ud800-\udfff]")
_LABEL = re.compile("[A-Za-z0-9_-]{1,63}")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


def host_of(url: str) -> str:
    """``host:port`` of a URL: what the cap per host counts by."""
    parsed = URL(url)
    host = parsed.raw_host or ""
    return f"[{host}]:{parsed.port}" if ":" in host else f"{host}:{parsed.port}"


class Guard:
    """Blocks everything that is not on the public internet, and this machine itself, but for the networks of ``allow``.

    ``own`` knows this machine's addresses; None for those of its interfaces.
    """

    def __init__(self, allow: Sequence[Network] = (), own: OwnAddresses | None = None) -> None:
        self.allow = tuple(allow)
        self._own = own or OwnAddresses()

    async def learn(self, resolver: AbstractResolver) -> None:
        """Bring what is known of this machine's own addresses up to date; before addresses are judged."""
        await self._own.learn(resolver)

    def blocked_as(self, address: Address) -> str | None:
        """The kind of address that forbids it, such as "loopback"; None when it may be dialled."""
        seen: list[Address] = [address]
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            seen.append(address.ipv4_mapped)  # the kernel dials this very IPv4 address
        if any(one.version == network.version and one in network for one in seen for network in self.allow):
            return None
        return kind_of(address) or self._own.explain(address)

    def check_address(self, address: str, *, what: str) -> None:
        """Raise ``BlockedAddress`` when this address may not be dialled. ``what`` opens the message."""
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            raise BlockedAddress(f"{what}: {address!r} is not an address") from None
        kind = self.blocked_as(parsed)
        if kind:
            raise BlockedAddress(
                f"{what} leads to {parsed}, which is {kind}: only public addresses of others are connected to. "
                f"If it is meant, the operator adds its network to {SETTING} (for example {SETTING}="
                f"{ip_network((parsed, parsed.max_prefixlen))})"
            )

    def check_url(self, url: str, *, field: str = "callBackUrl") -> None:
        """Check all that can be known without a look-up. ``field`` is the parameter that the message names.

        Raises ``BadParameter`` for what is no plain http(s) URL, ``BlockedAddress`` for an address in it that may
        not be dialled, in whichever of its spellings (127.1, 0x7f000001, 2130706433, 0177.0.0.1, [::ffff:7f00:1]).
        """
        parsed = parse_url(url, field=field)
        address = _literal(parsed, field)
        if address is None:
            return
        self.check_address(str(address), what=field)
        if isinstance(address, IPv4Address) and parsed.raw_host != str(address):
            raise BadParameter(f"{field}: write the address {parsed.raw_host} as {address}")

    async def check_name(
        self,
        url: str,
        *,
        field: str = "callBackUrl",
        resolver: AbstractResolver,
    ) -> None:
        """``check_url``, then look the name up: every record must be allowed.

        A name that does not resolve (yet) passes: its records may come up later, and are judged when dialled.

        Raises:
            BadParameter: The URL is wrong; the message names ``field``.
            BlockedAddress: A record of the name may not be connected to.
        """
        parsed = parse_url(url, field=field)
        await self.learn(resolver)
        self.check_url(url, field=field)
        if _literal(parsed, field) is not None:
            return
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                found = await resolver.resolve(parsed.raw_host or "", parsed.port or 0)
        except (OSError, TimeoutError, UnicodeError):
            return
        for record in found:
            self.check_address(record["host"], what=f"{field}: the name {parsed.host}")


def parse_url(url: str, *, field: str) -> URL:
    """Read a URL as the HTTP client will.

    Raises:
        BadParameter: The message names ``field`` and what is wrong.
    """
    example = "expected something like https://example.com/callback"
    if len(url) > MAX_URL_CHARS:
        raise BadParameter(f"{field} has {len(url)} characters; at most {MAX_URL_CHARS} are taken")
    if _FORBIDDEN.search(url):
        raise BadParameter(f"{field} contains a space, backslash or control character; write it percent-encoded")
    try:
        strict, parsed = urlsplit(url), URL(url)
        port = parsed.explicit_port
        same = strict.hostname is not None and bool(parsed.raw_host) and strict.port == port
    except ValueError as error:
        raise BadParameter(f"{field} is not a URL ({error}); {example}") from None
    if parsed.scheme not in ("http", "https"):
        raise BadParameter(f"{field} must start with http:// or https:// (got {url[:40]!r}); {example}")
    if parsed.raw_user is not None or parsed.raw_password is not None or "@" in strict.netloc:
        raise BadParameter(f"{field} must not hold a user name or password; callbacks are signed instead")
    if not same:
        raise BadParameter(f"{field} has no host, or a port that cannot be read; {example}")
    if port == 0:
        raise BadParameter(f"{field} has port 0; a port is a number from 1 to 65535")
    host = (parsed.raw_host or "").removesuffix(".")
    if ":" not in host and (len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split("."))):
        raise BadParameter(f"{field}: {host[:80]!r} cannot be the name of a host; {example}")
    return parsed


def _literal(url: URL, field: str) -> Address | None:
    """The address that the host spells, as a browser would read it; None when the host is a name."""
    host = (url.raw_host or "").rstrip(".")
    if ":" in host:
        try:
            return ip_address(host)
        except ValueError:
            raise BadParameter(f"{field}: [{host}] is not an IPv6 address") from None
    last = host.rpartition(".")[2]
    if not _NUMBER.fullmatch(last):
        return None
    value = _ipv4(host)
    if value is None:
        raise BadParameter(f"{field}: {host} is neither a name nor an IPv4 address")
    return value


def _ipv4(host: str) -> IPv4Address | None:
    """Read the loose spellings of inet_aton: one to four parts, each decimal, octal or hexadecimal."""
    parts = host.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        return None
    *leading, last = numbers
    room = 256 ** (4 - len(leading))
    if any(number > 255 for number in leading) or last >= room:
        return None
    return IPv4Address(sum(number << (24 - 8 * place) for place, number in enumerate(leading)) + last)


def _number(part: str) -> int:
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    return int(part, 8) if part.startswith("0") and len(part) > 1 else int(part)
