"""SQS by hand, on a kept connection: an answer, a refusal, or nobody there. Never a retry."""

import http.client
import json

from harness.wire import AUTHORIZATION


class Away(Exception):
    """No answer: nobody knows whether it happened."""


class Refused(Exception):
    """An answer that says no."""

    def __init__(self, operation: str, status: int, code: str, message: str):
        super().__init__(f"{operation}: {status} {code}: {message}")
        self.status, self.code, self.message = status, code, message

    @property
    def again(self) -> bool:
        """Whether a client should come again: throttled, or the server's own fault."""
        return self.status >= 500 or "Throttl" in self.code


class Wire:
    """One connection, opened when it is needed."""

    def __init__(self, port: int, timeout: float = 10.0):
        self.port, self.timeout = port, timeout
        self.connection = None

    def call(self, operation: str, **body) -> dict:
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AmazonSQS.{operation}",
            "Authorization": AUTHORIZATION,
        }
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            self.connection.request("POST", "/", json.dumps(body), headers)
            response = self.connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as failure:
            self.close()
            raise Away(f"{operation}: {failure!r}") from failure
        return understood(operation, response.status, data)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def understood(operation: str, status: int, data: bytes) -> dict:
    answer = json.loads(data) if data else {}
    if status == 200:
        return answer
    code = str(answer.get("__type", "")).rsplit("#", 1)[-1]
    message = answer.get("message") or answer.get("Message") or answer.get("error")
    raise Refused(operation, status, code, str(message))
