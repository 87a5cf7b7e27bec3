"""Daraja's error envelope."""

import secrets

from flask import Response, jsonify


class DarajaError(Exception):
    """A request that Daraja refuses: HTTP status, its error code, its words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> Response:
        envelope = {"requestId": request_id(), "errorCode": self.code, "errorMessage": self.message}
        answer = jsonify(envelope)
        answer.status_code = self.status
        return answer


def invalid(what: str) -> DarajaError:
    return DarajaError(400, "400.002.02", f"Bad Request - Invalid {what}")


INVALID_TOKEN = (404, "404.001.03", "Invalid Access Token")
NO_SUCH_MERCHANT = (500, "500.001.1001", "Merchant does not exist")
WRONG_CREDENTIALS = (500, "500.001.1001", "Wrong credentials")
LOCKED = (
    500,
    "500.001.1001",
    "Unable to lock subscriber, a transaction is already in process for the current subscriber",
)
PROCESSING = (500, "500.001.1001", "The transaction is being processed")
TOO_MANY = (
    429,
    "429",
    "Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=5, periodInMicroseconds=60000000, "
    "maxBurstMessageCount=1.0}",
)
INTERNAL = (500, "500.003.1001", "Internal Server Error")
REGISTERED = (500, "500.003.1001", "Urls are already registered")


def request_id() -> str:
    """In the form of Daraja's own, as in 29115-34620561-1."""
    return f"{secrets.randbelow(90000) + 10000}-{secrets.randbelow(90000000) + 10000000}-1"
