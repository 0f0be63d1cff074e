"""Devices with keys that nobody has taken in (protocol.md §10.2, 10)."""

from dataclasses import dataclass

from ...cloud import read_bssid
from ...identity import key_hash
from ...kinds import catalog
from ...local_cloud.pending_device import PendingDevice


@dataclass(frozen=True, slots=True)
class PendingHardware:
    """A device that knocks, as far as it has told of itself.

    Attributes:
        key_hash: of its master key, which itself stays in the server.
        kind: what it seems to be, one of `catalog.NAMES`.
        is_told: whether it has told that, rather than nothing yet.
        mac: its address in lower case with colons, "" where it told none.
        firmware: the version that it runs, "" where it told none.
        address: where it is in the network.
        streams: the datastreams to which it has posted.
    """

    key_hash: str
    kind: str
    is_told: bool
    mac: str
    firmware: str
    address: str
    streams: tuple[str, ...]

    @classmethod
    def of(cls, pending: PendingDevice) -> PendingHardware:
        """Return what may leave the server of a pending device."""
        streams = tuple(pending.streams)
        return cls(
            key_hash=key_hash(pending.key),
            kind=catalog.kind_of(
                ptype=pending.ptype,
                rom_version=pending.rom_version,
                streams=streams,
                answer=pending.state,
            ),
            is_told=pending.ptype is not None or bool(streams),
            mac=read_bssid(pending.bssid),
            firmware=pending.rom_version,
            address=pending.address,
            streams=streams,
        )
