"""What a document cannot say, for schemathesis: two parameters that make an answer wait, and what a module is.

A read that follows ends only where `to` or `limit` let it, and one with a token of the future waits for it
to come, and says 503 when it did not. Here each ends at once; that they wait, other tests see. No schema says
which texts are modules of JavaScript: a text is made one; that others are refused, other tests see.
"""

import re

import schemathesis
from conformance_model import KNOWN

NEVER_WAITS = "e0"
MODULE = "export function evolve(state, event) { return [state, event.type]; }"
MODULE_BYTES_MAX = 256 * 1024


@schemathesis.hook
def filter_case(context, case):
    """A header that an operation does not know is no fault: proxies and clients add some to any request."""
    return not any("unknown-property" in name for name in case.headers or {})


@schemathesis.hook
def before_call(context, case, kwargs):
    """Changes only values that are right as they are: wrong ones have to be refused as they are."""
    query, headers = case.query or {}, case.headers or {}
    if "follow" in query:
        query["to"] = 0
    if any(name.lower() == "at-least" and is_token(headers[name]) for name in headers):
        case.headers["At-Least"] = NEVER_WAITS
    if isinstance(case.body, dict) and case.body.get("wait_seconds") in range(1, 21):
        case.body["wait_seconds"] = 0
    if case.operation.path == "/v1/models/{model}" and isinstance(case.body, dict):
        module = case.body.get("javascript")
        if isinstance(module, str) and len(module) <= MODULE_BYTES_MAX:
            case.body["javascript"] = MODULE

    if case.operation.path == "/v1/state/{model}/{id}":
        model, entity = (case.path_parameters or {}).get("model"), (case.path_parameters or {}).get("id")
        # Half of them; what is no name has to be refused as it is.
        if isinstance(model, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,100}", model) and len(str(entity)) % 2:
            case.path_parameters["model"] = KNOWN


def is_token(value) -> bool:
    return isinstance(value, str) and value[:1] == "e" and value[1:].isalnum()
