"""The initiator's password on its way to Daraja: encrypted for the environment's certificate.

Daraja 3.0, "Security Credential": base64 of RSA with PKCS #1 v1.5 padding, with the public key of the sandbox's or
of production's certificate. There is no newer padding to choose.
"""

import base64
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class NoCertificate(ValueError):
    """The certificate cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Initiator:
    """An API operator of the organisation, as made in M-Pesa's portal."""

    name: str
    password: str = field(repr=False)
    certificate: Path

    def credential(self) -> str:
        """The SecurityCredential of one request, new for each. Raises NoCertificate."""
        sealed = _public_key(self.certificate).encrypt(self.password.encode(), padding.PKCS1v15())
        return base64.b64encode(sealed).decode()


def _public_key(file: Path) -> rsa.RSAPublicKey:
    """The key in a certificate, in either of the two ways in which it is handed out (PEM, DER)."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise NoCertificate(f"DARAJA_CERTIFICATE: {error.strerror}") from None
    try:
        is_text = raw.lstrip().startswith(b"-----BEGIN")
        certificate = x509.load_pem_x509_certificate(raw) if is_text else x509.load_der_x509_certificate(raw)
    except ValueError:
        raise NoCertificate("DARAJA_CERTIFICATE is no certificate") from None
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise NoCertificate("DARAJA_CERTIFICATE holds no RSA key")
    return key
