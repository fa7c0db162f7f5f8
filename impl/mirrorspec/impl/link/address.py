"""Where a party listens or is reached, and the rule that nothing beyond this machine can reach it unless that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A host, by number or by name, and a TCP port; port 0 is any that is free."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches it. A name other than `localhost` may mean anything, so it is not."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address ``HOST:PORT`` or ``[HOST]:PORT``. Raises `ValueError`."""
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if bracketed:
            host = host[1:-1]
        number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else -1
        if not (colon and host and not host.isspace() and 0 <= number <= 65535 and bracketed == (":" in host)):
            raise ValueError(f"{text!r} is not an address: write HOST:PORT, as 127.0.0.1:7101 or [::1]:7101")
        return cls(host, number)


def check_bind(address: Address, beyond_loopback: bool) -> None:
    """Refuse to listen where others than this machine can connect, unless *beyond_loopback*. Raises `ValueError`."""
    if not (address.loopback or beyond_loopback):
        raise ValueError(
            f"{address} can be reached from other machines, and links are not authenticated: "
            "listen on 127.0.0.1 or [::1], or set beyond_loopback = true"
        )
