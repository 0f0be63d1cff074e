"""A certificate for 127.0.0.1."""

from pathlib import Path

import trustme


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate and its key into the folder and return their paths.

    The authority's own stands behind it in the file, which so tells a client, too, whom to trust.
    """
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(cert_file)
    authority.cert_pem.write_to_path(cert_file, append=True)
    certificate.private_key_pem.write_to_path(key_file)
    return cert_file, key_file
