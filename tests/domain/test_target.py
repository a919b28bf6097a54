"""Which addresses may be sent to."""

from __future__ import annotations

import ipaddress

import pytest

from byname.domain.errors import Unprocessable
from byname.domain.target import Targets, check_url, parse_networks, parse_ports

REFUSED = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
127.1.2.3 127.255.255.255 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1
172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1
192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9
224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::2 ::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:10.0.0.1
::ffff:169.254.169.254 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::7f00:1
64:ff9b::8.8.8.8 64:ff9b:1::1 64:ff9b:1::10.0.0.1 100::1 100:0:0:1::1 2001::1
2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:1ff:ffff::1 2001:db8::1
2002:7f00:1:: 2002:a00:1::1 2002:808:808::1 2620:4f:8000::1 3fff::1 4000::1 5f00::1 8000::1
fc00::1 fd00::1 fd00:ec2::254 fe80::1 fe80::1%lo fec0::1 feff::1 ff02::1 ff0e::1
2a00:1450:4001:80f:0:5efe:7f00:1 2a00:1450:4001:80f:200:5efe:10.0.0.1
"""
REACHED = "1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 192.0.1.1 11.0.0.1 "
REACHED += "126.255.255.255 128.0.0.1 198.17.255.255 198.20.0.1 223.255.255.255 2001:200::1 "
REACHED += "2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001:80f::200e 3ffe::1 "
REACHED += "2a00:1450:4001:80f:0:5efe:808:808"


class TestDenyTable:
    """S1: loopback, private, shared, link-local, metadata, multicast, reserved, NAT64, 6to4 ..."""

    def test_there_are_at_least_sixty_spellings(self) -> None:
        assert len(set(REFUSED.split())) >= 60

    @pytest.mark.parametrize("address", REFUSED.split())
    def test_is_refused(self, address: str) -> None:
        assert Targets().refusal(address, 443) is not None

    @pytest.mark.parametrize("address", REACHED.split())
    def test_general_addresses_are_not(self, address: str) -> None:
        assert Targets().refusal(address, 443) is None

    @pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "1.1"])
    def test_what_is_no_address_is_refused(self, text: str) -> None:
        assert Targets().refusal(text, 443) == "it is no IP address"

    def test_it_refuses_all_that_the_standard_library_calls_private(self) -> None:
        for text in REACHED.split():
            assert ipaddress.ip_address(text).is_global


class TestAllowedNetworks:
    """R143: private targets are refused unless the server's administrator allows them."""

    targets = Targets(parse_networks(["127.0.0.0/8", "10.1.0.0/16", "fd00::/8", "64:ff9b::/96"]))

    @pytest.mark.parametrize(
        "address", ["127.0.0.1", "::ffff:127.0.0.1", "10.1.2.3", "fd00::1", "64:ff9b::8.8.8.8"]
    )
    def test_they_may_be_reached_on_every_port(self, address: str) -> None:
        assert self.targets.refusal(address, 22) is None

    @pytest.mark.parametrize(
        "address",
        # The last: an opened NAT64 prefix is no way around the table for what it leads to.
        ["10.2.0.1", "::1", "::ffff:10.2.0.1", "192.168.0.1", "64:ff9b::192.168.0.1"],
    )
    def test_others_stay_refused(self, address: str) -> None:
        assert self.targets.refusal(address, 443) is not None

    def test_other_targets_keep_their_ports(self) -> None:
        assert self.targets.refusal("8.8.8.8", 22) is not None


class TestPorts:
    """S3: ports are listed: 80, 443, 8000-9999 by default."""

    @pytest.mark.parametrize("port", [80, 443, 8000, 9999])
    def test_listed(self, port: int) -> None:
        assert Targets().refusal("8.8.8.8", port) is None

    @pytest.mark.parametrize("port", [1, 22, 25, 79, 6379, 7999, 10000, 65535])
    def test_not_listed(self, port: int) -> None:
        why = Targets().refusal("8.8.8.8", port)
        assert why is not None
        assert "80, 443, 8000-9999" in why

    def test_are_a_setting(self) -> None:
        targets = Targets(ports=parse_ports(["22", "5000-5001"]))
        assert targets.refusal("8.8.8.8", 5001) is None
        assert targets.refusal("8.8.8.8", 443) is not None

    @pytest.mark.parametrize("text", ["", "0", "x", "80-", "9-8", "70000", "-1", "1-70000"])
    def test_that_cannot_be_read(self, text: str) -> None:
        with pytest.raises(ValueError, match="port"):
            parse_ports([text])


class TestUrl:
    """S3: http and https only, no credentials; the port is looked at, and a literal address."""

    @pytest.mark.parametrize(
        "url",
        [
            "https://hooks.example.org/a?b=c",
            "http://hooks.example.org:8080/",
            "https://[2606:4700:4700::1111]/",
            "http://8.8.8.8",
            "HTTPS://Hooks.Example.org",
            "https://my_hooks-2.xn--bcher-kva.example./",
            "http://7hooks:8080/",
        ],
    )
    def test_may_be(self, url: str) -> None:
        assert check_url(url, Targets()) == url

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "hooks.example.org",
            "//hooks.example.org/",
            "ftp://hooks.example.org/",
            "file:///etc/passwd",
            "gopher://hooks.example.org/",
            "javascript:alert(1)",
            "https://",
            "https:///path",
            "https://ann:secret@hooks.example.org/",
            "https://ann@hooks.example.org/",
            "https://@hooks.example.org/",
            "https://hooks.example.org/#part",
            "https://hooks.example.org:22/",
            "https://hooks.example.org:99999/",
            "https://hooks.example.org:x/",
            "https://hooks.example.org/a b",
            "https://hooks.example.org\\@evil.example.org/",
            "https://hooks.example.org/\r\nX-Header: 1",
            "https://hööks.example.org/",
            "https://[::1/",
            "https://[::g]/",
            "http://127.1:8000/",
            "http://2130706433:8000/",
            "http://0:8000/",
            "http://0x7f.1:8000/",
            "http://8.8.8.8.:8000/",
            "https://hooks..example.org/",
            "https://-hooks.example.org/",
            "https://hooks%2eexample.org/",
            "https://*/",
            "https://" + "a" * 64 + ".example.org/",
            "https://" + "a." * 127 + "org/",
            "http://127.0.0.1:8000/",
            "http://[::1]:8000/",
            "http://[::ffff:7f00:1]:8000/",
            "http://[fe80::1%25lo]:8000/",
            "http://169.254.169.254/latest/meta-data",
            "https://hooks.example.org/" + "a" * 2048,
        ],
    )
    def test_must_not_be(self, url: str) -> None:
        with pytest.raises(Unprocessable, match="URL"):
            check_url(url, Targets())

    def test_a_name_in_an_opened_network_may_have_any_port(self) -> None:
        targets = Targets(parse_networks(["10.0.0.0/8"]))
        url = "http://ci.internal:5000/"
        assert check_url(url, targets) == url
        with pytest.raises(Unprocessable):
            check_url("http://8.8.8.8:5000/", targets)
