"""A private certificate authority, and TLS contexts with its certificates."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# Python's default context insists on it.
_MAY_SIGN = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Certificates:
    """Makes TLS contexts; every call makes new ones."""

    def __init__(self, folder: Path) -> None:
        """Make the authority; files go into `folder`."""
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._authority = _certificate("A private authority", self._key)

    def trusting(self) -> ssl.SSLContext:
        """Return a client's context that trusts the authority and nobody else."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=_pem(self._authority).decode())
        return context

    def authority_file(self) -> Path:
        """Return a file with the authority's certificate."""
        path = self._folder / "authority.pem"
        path.write_bytes(_pem(self._authority))
        return path

    def server(
        self, address: str = "127.0.0.1", *, expired: bool = False
    ) -> ssl.SSLContext:
        """Return the context of a server at `address`, signed by the authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        age = timedelta(days=2 if expired else 0)
        return self._server_context(
            key, _certificate(address, key, (self._authority, self._key), age=age)
        )

    def self_signed_server(self) -> ssl.SSLContext:
        """Return the context of a server that nobody vouches for."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._server_context(key, _certificate("127.0.0.1", key))

    def _server_context(
        self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
    ) -> ssl.SSLContext:
        path = self._folder / f"{certificate.serial_number}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + _pem(certificate)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None,
    *,
    age: timedelta = timedelta(),
) -> x509.Certificate:
    """Return a certificate, signed by its own key where there is no issuer."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC) - age
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
    )
    if issuer is None:
        builder = builder.add_extension(_MAY_SIGN, critical=True)
    else:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key()),
            critical=False,
        )
    if name[0].isdigit():
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]),
            critical=False,
        )
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
