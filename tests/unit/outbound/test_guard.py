"""Which URLs and addresses may be connected to."""

import contextlib
import socket
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest
from aiohttp import ClientConnectorError, ClientSession
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import BadParameter, BlockedAddress
from antiphon.outbound.connection import BlockedConnection, GuardedResolver, Resolver, guarded_connector
from antiphon.outbound.guard import Guard
from antiphon.outbound.own_addresses import OwnAddresses, is_of_an_interface

INSIDE = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7F.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "0x7f.1",
    "127.0.0.1.",
    "0",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "0xC0A80101",
    "3232235777",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.43518",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.2.7",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
    "[fd00:ec2::254]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::10.0.0.1]",
    "127。0。0。1",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[100::1]",
    "[4000::1]",
    "[5f00::1]",
]
OUTSIDE = [
    "8.8.8.8", "172.32.0.1", "100.128.0.1", "11.0.0.1", "[2606:4700::1111]", "[2a00:1450::1]", "[::ffff:8.8.8.8]",
    "[64:ff9b::8.8.8.8]"]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
@pytest.mark.parametrize("template", ["http://{}/hook", "https://{}:8443/hook?x=1"])
def test_an_address_inside_is_refused_in_every_spelling_and_the_setting_named(host: str, template: str) -> None:
    with pytest.raises(BlockedAddress, match="callBackUrl") as refused:
        Guard().check_url(template.format(host))
    assert "ANTIPHON_CALLBACK_ALLOW" in refused.value.message


@pytest.mark.parametrize("host", OUTSIDE)
def test_a_public_address_is_taken(host: str) -> None:
    Guard().check_url(f"http://{host}/hook")


def test_full_width_digits_are_the_address_that_they_look_like() -> None:
    with pytest.raises(BadParameter):
        Guard().check_url("http://１２７.０.０.１/")


def test_an_exception_opens_its_network_and_no_other() -> None:
    guard = Guard([ip_network("127.0.0.0/8"), ip_network("fd00::/8")])
    for host in ("127.0.0.1", "[fd00::1]", "[::ffff:127.0.0.1]"):
        guard.check_url(f"http://{host}:3000/")
    for host in ("10.0.0.1", "[::1]", "[fc00::1]", "[64:ff9b::127.0.0.1]", "[::ffff:10.0.0.1]"):
        with pytest.raises(BlockedAddress):
            guard.check_url(f"http://{host}:3000/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hook",
        "/hook",
        "//example.com/hook",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///hook",
        "http://:80/",
        "http://user:secret@example.com/",
        "http://user@example.com/",
        "http://@example.com/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:-1/",
        "http://example.com:http/",
        "http://example.com:80:80/",
        "http://exam ple.com/",
        "http://example.com/a b",
        "http://example.com/\n",
        "http://example.com/\x00",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/\ud800",
        "http://[::1",
        "http://[nonsense]/",
        "http://[fe80::1%25eth0]/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://1.2.3.0x1ff/",
        "http://09.1.1.1/",
        "http://0x08080808/",
        "http://8.8.8.8./",
        "http://a..b/",
        "http://example.0x/",
        "http://" + "a" * 300 + ".com/",
        "http://example.com/" + "a" * 2000,
    ],
)
def test_what_is_no_plain_http_url_is_refused_by_field(url: str) -> None:
    with pytest.raises(BadParameter, match="someField"):
        Guard().check_url(url, field="someField")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://example.com:8443/a/b?c=d&e=%2F#f",
        "HTTPS://EXAMPLE.COM/",
        "https://bücher.example/größe",
        "http://localhost:3000/hook",  # its addresses are judged when it is looked up
        "http://a.b.c.d.example.co.uk./",
        "http://123.example.com/",
        "http://under_score.example.com/",
    ],
)
def test_plain_urls_are_taken(url: str) -> None:
    Guard().check_url(url)


@given(
    url=st.one_of(st.text(), st.text().map("http://{}".format), st.text("0123456789xa.:[]@/%").map("http://{}".format))
)
def test_no_text_gets_any_other_error(url: str) -> None:
    with contextlib.suppress(BadParameter):
        Guard().check_url(url)


@given(number=st.integers(0, 2**32 - 1))
def test_all_spellings_of_an_ipv4_address_are_judged_alike(number: int) -> None:
    guard = Guard()
    first, rest = divmod(number, 2**24)
    verdict = guard.blocked_as(ip_address(number)) is None
    for host in (
        str(ip_address(number)),
        str(number),
        hex(number),
        f"{first:#x}.{rest}",
        f"0{number:o}" if number else "0",
    ):
        try:
            guard.check_url(f"http://{host}/")
            blocked = False
        except BadParameter as error:
            blocked = isinstance(error, BlockedAddress)
        assert blocked != verdict, host


class Names(AbstractResolver):
    """A resolver that knows the records of a table."""

    def __init__(self, **records: Sequence[str]) -> None:
        self.records: dict[str, Sequence[str]] = records

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if host not in self.records:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.records[host]
        ]

    async def close(self) -> None:
        pass


NAMES = Names(good=["8.8.8.8", "2606:4700::1111"], inside=["10.0.0.1"], mixed=["8.8.8.8", "fd00::1"], dead=[])


async def test_a_name_is_refused_when_any_of_its_records_is_inside() -> None:
    guard = Guard()
    await guard.check_name("https://good/hook", resolver=NAMES)
    for name in ("inside", "mixed"):
        with pytest.raises(BlockedAddress, match=f"callBackUrl: the name {name}"):
            await guard.check_name(f"https://{name}/hook", resolver=NAMES)


async def test_a_name_that_does_not_resolve_yet_is_taken() -> None:
    await Guard().check_name("https://unknown/hook", resolver=NAMES)
    await Guard().check_name("https://dead/hook", resolver=NAMES)


async def test_the_resolver_gives_out_all_records_of_a_name_or_none() -> None:
    resolver = GuardedResolver(Guard(), NAMES)
    assert [record["host"] for record in await resolver.resolve("good", 80)] == NAMES.records["good"]
    for name in ("inside", "mixed"):
        with pytest.raises(BlockedConnection, match="ANTIPHON_CALLBACK_ALLOW"):
            await resolver.resolve(name, 80)


async def test_the_system_resolver_looks_up_a_name() -> None:
    resolver = Resolver(threads=1)
    found = await resolver.resolve("localhost", 3000)
    assert {"127.0.0.1", "::1"} & {record["host"] for record in found}
    with pytest.raises(BlockedAddress, match="loopback"):
        await Guard().check_name("http://localhost:3000/", resolver=resolver)
    await resolver.close()


async def test_a_name_that_changes_its_address_after_the_check_is_not_dialled() -> None:
    names = Names(moving=["8.8.8.8"])
    guard = Guard()
    await guard.check_name("http://moving/", resolver=names)
    names.records["moving"] = ["169.254.169.254"]
    async with ClientSession(connector=guarded_connector(guard, names)) as session:
        with pytest.raises(ClientConnectorError) as refused:
            await session.get("http://moving/")
    assert isinstance(refused.value.os_error, BlockedConnection)


async def test_a_literal_address_is_judged_again_when_it_is_dialled() -> None:
    async with ClientSession(connector=guarded_connector(Guard(), NAMES)) as session:
        with pytest.raises(ClientConnectorError) as refused:
            await session.get("http://127.0.0.1:9/")
    assert isinstance(refused.value.os_error, BlockedConnection)


OWN = "5.6.7.8"  # a public address, which an interface of this machine has


def owning(public_url: str | None = None, allow: Sequence[str] = ()) -> Guard:
    own = OwnAddresses(public_url, of_an_interface=lambda address: str(address) == OWN)
    return Guard([ip_network(one) for one in allow], own)


@pytest.mark.parametrize("host", [OWN, "0x05060708", "5.6.1800", "[::ffff:5.6.7.8]", "[64:ff9b::5.6.7.8]"])
def test_a_public_address_of_this_machine_is_refused_unless_it_is_allowed(host: str) -> None:
    with pytest.raises(BlockedAddress, match="an address of this machine") as refused:
        owning().check_url(f"http://{host}/hook")
    assert "ANTIPHON_CALLBACK_ALLOW" in refused.value.message
    owning().check_url("http://5.6.7.9/hook")
    owning(allow=["5.6.7.8/32"]).check_url(f"http://{OWN}/hook")


def test_the_kernel_tells_which_addresses_its_interfaces_have() -> None:
    assert is_of_an_interface(ip_address("127.0.0.1"))
    for address in ("8.8.8.8", "192.0.2.1", "2606:4700::1111"):
        assert not is_of_an_interface(ip_address(address))


async def test_where_the_public_url_leads_is_refused_by_name_and_by_address() -> None:
    names = Names(**{"api.example": ["9.8.7.6"], "alias.example": ["8.8.8.8", "9.8.7.6"], "other.example": ["8.8.8.8"]})
    guard = owning("https://api.example/music")
    for url in ("https://api.example:9000/", "http://alias.example/", "http://9.8.7.6/", "http://[::ffff:9.8.7.6]/"):
        with pytest.raises(BlockedAddress, match="where ANTIPHON_PUBLIC_URL leads"):
            await guard.check_name(url, resolver=names)
    await guard.check_name("http://other.example/", resolver=names)
    allowing = owning("https://api.example/music", ["9.8.7.0/24"])
    await allowing.check_name("https://api.example/", resolver=names)
    with pytest.raises(BlockedAddress):
        await owning("http://9.8.7.6:8080").check_name("http://9.8.7.6/", resolver=NAMES)


async def test_an_address_to_which_the_public_url_leads_is_not_dialled() -> None:
    names = Names(**{"api.example": ["9.8.7.6"]})
    async with ClientSession(connector=guarded_connector(owning("https://api.example"), names)) as session:
        for url in ("http://9.8.7.6:9/", "http://api.example:9/"):
            with pytest.raises(ClientConnectorError) as refused:
                await session.get(url)
            assert isinstance(refused.value.os_error, BlockedConnection)


async def test_what_the_public_url_led_to_is_looked_up_again_and_kept_while_that_fails() -> None:
    names, now = Names(**{"api.example": ["9.8.7.6"]}), [0.0]
    own = OwnAddresses("https://api.example", of_an_interface=lambda address: False, clock=lambda: now[0])
    guard = Guard(own=own)
    await guard.learn(names)
    names.records = {}
    now[0] += 61
    await guard.learn(names)
    assert guard.blocked_as(ip_address("9.8.7.6"))
    names.records = {"api.example": ["9.8.7.5"]}
    now[0] += 61
    await guard.learn(names)
    assert guard.blocked_as(ip_address("9.8.7.5")) and not guard.blocked_as(ip_address("9.8.7.6"))
