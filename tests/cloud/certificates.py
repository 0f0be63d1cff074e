"""A private certificate authority, and TLS contexts with its certificates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
import ssl

import trustme


class Certificates:
    """Makes TLS contexts; every call makes new ones."""

    def __init__(self, folder: Path) -> None:
        """Make the authority; files go into `folder`."""
        self._folder = folder
        self._authority = trustme.CA()

    def trusting(self) -> ssl.SSLContext:
        """Return a client's context that trusts the authority and nobody else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._authority.configure_trust(context)
        return context

    def authority_file(self) -> Path:
        """Return a file with the authority's certificate."""
        path = self._folder / "authority.pem"
        self._authority.cert_pem.write_to_path(path)
        return path

    def server(
        self, address: str = "127.0.0.1", *, expired: bool = False
    ) -> ssl.SSLContext:
        """Return the context of a server at `address`, signed by the authority."""
        yesterday = datetime.now(UTC) - timedelta(days=1)
        certificate = self._authority.issue_cert(
            address,
            not_before=yesterday - timedelta(days=1),
            not_after=yesterday if expired else yesterday + timedelta(days=2),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context

    def self_signed_server(self) -> ssl.SSLContext:
        """Return the context of a server that nobody vouches for."""
        nobody = trustme.CA()
        path = self._folder / "self-signed.pem"
        nobody.private_key_pem.write_to_path(path)
        nobody.cert_pem.write_to_path(path, append=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context
