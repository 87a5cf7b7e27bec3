"""The key pair with which an initiator's password is kept secret on its way."""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from simulators.daraja.settings import DarajaSettings

YEAR = timedelta(days=365)


class Keys:
    """One pair for the life of the simulator; its certificate is written where the settings say."""

    def __init__(self, settings: DarajaSettings) -> None:
        self._password = settings.initiator_password
        self._private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "apicrypt.simulator")])
        today = datetime.now(UTC)
        signed = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - YEAR)
            .not_valid_after(today + YEAR)
            .sign(self._private, hashes.SHA256())
        )
        self.certificate = signed.public_bytes(Encoding.PEM)
        if settings.certificate_file:
            Path(settings.certificate_file).write_bytes(self.certificate)

    def opens(self, credential: str) -> bool:
        """Whether this is the initiator's password, encrypted for our certificate (RSA, PKCS #1 v1.5)."""
        try:
            said = self._private.decrypt(base64.b64decode(credential, validate=True), padding.PKCS1v15())
        except ValueError:
            return False
        return hmac.compare_digest(said, self._password.encode())
