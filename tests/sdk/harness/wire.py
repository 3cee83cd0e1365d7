"""HTTP by hand: for requests that no SDK would send and for answers that an SDK hides."""

import http.client
import json
import socket
import xml.etree.ElementTree as ElementTree
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

# The scope of a signature carries region and service; nobody checks the signature itself here.
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)

NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"


class Answer(NamedTuple):
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The error's shape name, without the namespace before the `#`."""
        return self.json["__type"].rsplit("#", 1)[-1]

    @property
    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    def texts(self, name: str) -> list[str]:
        """The texts of all elements of this name, in SQS's namespace."""
        return [element.text or "" for element in self.xml.iter(f"{{{NAMESPACE}}}{name}")]

    @property
    def code(self) -> str:
        """The code of an error in XML."""
        (code,) = self.texts("Code")
        return code


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname, parts.port


def dial(url: str, timeout: float = 10.0) -> socket.socket:
    return socket.create_connection(address(url), timeout=timeout)


def request(body: bytes, target: str = "AmazonSQS.ListQueues", **more: str) -> bytes:
    """The bytes of one POST; `more` adds or replaces headers, None leaves one out."""
    headers = {
        "Host": "127.0.0.1",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": target,
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": AUTHORIZATION,
        "Content-Length": str(len(body)),
    }
    headers.update({name.replace("_", "-"): value for name, value in more.items()})
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return ("POST / HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def read(connection: socket.socket) -> Answer | None:
    """The next answer on the connection; None when the server hung up without one."""
    response = http.client.HTTPResponse(connection)
    try:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, response.read())
    except (http.client.BadStatusLine, http.client.IncompleteRead, ConnectionError):
        return None
    finally:
        response.close()


def exchange(url: str, data: bytes, timeout: float = 10.0) -> Answer | None:
    """Sends bytes on a fresh connection and reads one answer."""
    with dial(url, timeout) as connection:
        try:
            connection.sendall(data)
        except ConnectionError:
            pass  # it stopped reading; perhaps it said why
        return read(connection)


def call(url: str, operation: str, body) -> Answer:
    """One SQS operation; `body` is an object, or bytes to be sent as they are."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = exchange(url, request(data, f"AmazonSQS.{operation}"))
    assert answer is not None, f"{operation}: hung up without an answer"
    return answer


class Line:
    """A kept connection for many calls with little cost each."""

    def __init__(self, url: str):
        self.connection = http.client.HTTPConnection(*address(url), timeout=60)

    def call(self, operation: str, body: dict) -> dict:
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AmazonSQS.{operation}",
            "Authorization": AUTHORIZATION,
        }
        self.connection.request("POST", "/", json.dumps(body), headers)
        response = self.connection.getresponse()
        data = response.read()
        assert response.status == 200, data
        return json.loads(data) if data else {}

    def close(self) -> None:
        self.connection.close()


def form(params: dict | str, path: str = "/", **more: str) -> bytes:
    """The bytes of one form POST of the Query protocol; parameters of a text go as they are."""
    body = params if isinstance(params, str) else urlencode(params)
    head = {
        "Host": "127.0.0.1",
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Authorization": AUTHORIZATION,
        "Content-Length": str(len(body.encode())),
    }
    head.update({name.replace("_", "-"): value for name, value in more.items()})
    lines = [f"{name}: {value}" for name, value in head.items() if value is not None]
    return (f"POST {path} HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body.encode()


def query(url: str, params: dict | str, path: str = "/", **more: str) -> Answer:
    """One Query request, as a form."""
    answer = exchange(url, form(params, path, **more))
    assert answer is not None, "hung up without an answer"
    return answer


def get(url: str, path: str, **more: str) -> Answer:
    """One GET, unsigned unless `more` has a header for it."""
    head = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in more.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    answer = exchange(url, f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1"))
    assert answer is not None, "hung up without an answer"
    return answer
