"""Addresses that lead inside are told from public ones."""

import pytest

from lib.download.http.addresses import is_public

# address, whether it is public, why this row
ADDRESSES = [
    ("8.8.8.8", True, "a public resolver"),
    ("2001:4860:4860::8888", True, "the same, IPv6"),
    ("::ffff:8.8.8.8", True, "public, wrapped"),
    ("64:ff9b::808:808", True, "public, through NAT64"),
    ("127.0.0.1", False, "this machine"),
    ("0.0.0.0", False, "this machine on most systems"),
    ("10.0.0.1", False, "private"),
    ("172.16.0.1", False, "private"),
    ("192.168.1.1", False, "private"),
    ("100.64.0.1", False, "a provider's inside; Alibaba's metadata lie there"),
    ("169.254.169.254", False, "metadata of most clouds"),
    ("168.63.129.16", False, "Azure's services"),
    ("192.0.0.192", False, "Oracle's metadata"),
    ("224.0.0.1", False, "multicast"),
    ("255.255.255.255", False, "broadcast"),
    ("203.0.113.1", False, "documentation"),
    ("::1", False, "this machine"),
    ("::", False, "this machine"),
    ("fe80::1%eth0", False, "link-local with its scope"),
    ("fd00:ec2::254", False, "metadata, IPv6"),
    ("fec0::1", False, "withdrawn site-local"),
    ("ff02::1", False, "multicast"),
    ("::ffff:169.254.169.254", False, "metadata, wrapped"),
    ("64:ff9b::a9fe:a9fe", False, "metadata, through NAT64"),
    ("2002:a00:1::", False, "private, through 6to4"),
    ("::127.0.0.1", False, "withdrawn form"),
]


@pytest.mark.parametrize(("address", "public", "why"), ADDRESSES, ids=[a[0] for a in ADDRESSES])
def test_is_public(address: str, public: bool, why: str) -> None:
    """Wrapped, withdrawn and metadata addresses count as what they lead to."""
    assert is_public(address) is public, why
