"""MTN's error envelope."""

from flask import Response, jsonify


class MtnError(Exception):
    """A request that MTN refuses: HTTP status, its code, its words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> Response:
        answer = jsonify(code=self.code, message=self.message)
        answer.status_code = self.status
        return answer


DENIED = (401, "ACCESS_DENIED", "Access denied due to invalid token or subscription key.")
EXISTS = (409, "RESOURCE_ALREADY_EXIST", "Duplicated reference id. Creation of resource failed.")
NOT_FOUND = (404, "RESOURCE_NOT_FOUND", "Requested resource was not found.")
WRONG_HOST = (500, "INVALID_CALLBACK_URL_HOST", "Callback URL with different host name then configured for API User.")
WRONG_ENVIRONMENT = (500, "NOT_ALLOWED_TARGET_ENVIRONMENT", "Access to target environment is forbidden.")
WRONG_CURRENCY = (500, "INVALID_CURRENCY", "Currency not supported.")
TOO_MANY = (429, "TOO_MANY_REQUESTS", "Rate limit is exceeded. Try again later.")
BROKEN = (500, "INTERNAL_PROCESSING_ERROR", "An internal error occurred while processing.")


def invalid(what: str) -> MtnError:
    return MtnError(400, "INVALID_REQUEST", f"{what} is missing or wrong.")
