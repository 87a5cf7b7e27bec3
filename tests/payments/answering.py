"""A Daraja that answers as a test says, over real HTTP."""

import threading
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

PUSH, QUERY = "/mpesa/stkpush/v1/processrequest", "/mpesa/stkpushquery/v1/query"
PULL = "/pulltransactions/v1/query"


class Server:
    """Answers as a test says, over real HTTP; keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.asked: list[tuple[str, Any]] = []
        app = Flask("daraja")

        @app.get("/oauth/v1/generate")
        def token() -> Response:
            self.asked.append(("token", None))
            return jsonify(access_token="c9SQ", expires_in="3599")

        @app.post("/<path:path>")
        def answer(path: str) -> Response:
            self.asked.append((f"/{path}", request.get_json()))
            status, body = self.answers[f"/{path}"].pop(0)
            return Response(body, status) if isinstance(body, str) else Response(jsonify(body).data, status)

        self.http = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def pushes(self) -> int:
        return sum(path == PUSH for path, _body in self.asked)

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def error(code: str, message: str) -> dict[str, str]:
    return {"requestId": "r", "errorCode": code, "errorMessage": message}
