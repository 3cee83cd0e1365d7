"""Durable subscriptions of the native API, and the SQS beside it."""

import boto3
from botocore.config import Config

from harness.native import Native, fresh


class Subscription:
    """One subscription of a server."""

    def __init__(self, api: Native, name: str | None = None, **spec):
        self.api, self.name = api, name or fresh()
        self.path = f"/v1/subscriptions/{self.name}"
        if spec.pop("make", True):
            answer = self.put(**spec)
            assert answer.status == 201, answer

    def put(self, **spec):
        return self.api.call("PUT", self.path, spec)

    def get(self) -> dict:
        answer = self.api.call("GET", self.path)
        assert answer.status == 200, answer
        return answer.json

    def post(self, verb: str, body=None, path: str | None = None):
        return self.api.call("POST", f"{path or self.path}/{verb}", body)

    def ok(self, verb: str, body=None) -> dict:
        answer = self.post(verb, body)
        assert answer.status == 200, answer
        return answer.json

    def receive(self, max_: int = 10, wait: int = 10, **more) -> list[dict]:
        return self.ok("receive", {"max": max_, "wait_seconds": wait} | more)["deliveries"]

    def settle(self, verb: str, deliveries: list[dict], **more) -> dict:
        return self.ok(verb, {"receipts": [delivery["receipt"] for delivery in deliveries]} | more)

    def parked(self, **parameters) -> dict:
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        answer = self.api.call("GET", f"{self.path}/parked" + ("?" + query if query else ""))
        assert answer.status == 200, answer
        return answer.json


def works(*labels: str) -> dict:
    """The query for the events of one test."""
    return {"tags": list(labels)}


def data(deliveries: list[dict]) -> list:
    return [delivery["event"]["data"] for delivery in deliveries]


def put(api: Native, tag: str, *pairs: tuple[str, object]) -> dict:
    """Appends events to streams, all with a tag."""
    return api.appended([{"type": "t", "tags": [tag], "stream": s, "data": d} for s, d in pairs])


def sqs_of(url: str):
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    return boto3.client("sqs", endpoint_url=url, config=Config(retries={"max_attempts": 0}), **keys)
