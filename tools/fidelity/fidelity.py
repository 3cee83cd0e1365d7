"""Writes docs/fidelity/: each operation of a service, each of its parameters and errors, with its state and
the tests that show it.

Reads the code, the models and the tests, so the pages cannot say more than they do: an operation is *here*
when the face answers it; a parameter when a test uses it; an error when a test hears it. What is not here, or
not heard over the wire, is named below with its reason, and nothing else may be missing: an operation,
parameter or error without a test and without a reason ends the run.

    fidelity.py            writes the pages
    fidelity.py --check    compares them, and exits with 1 when they differ

Reading order: service.py (what there is), used.py (what the tests use), then this file; helpers.py has the pages of
services that are here in part.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "gen"))

import helpers  # noqa: E402
import service  # noqa: E402
import used  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/fidelity/sqs.md"
REFERENCE = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_{}.html"

RESERVED = "read and ignored: reserved by AWS, and the one system attribute is a text"

# Parameters that are not here, or only in part: what happens to them.
PARAMETERS = {
    "MessageSystemAttributeValue.StringListValues": RESERVED,
    "MessageSystemAttributeValue.BinaryListValues": RESERVED,
    "MessageSystemAttributeValue.BinaryValue": RESERVED,
}

# Attributes of a queue that are kept and do less than they do at AWS.
ATTRIBUTES = {
    "KmsMasterKeyId": "checked, kept and returned; data is not encrypted, and no key is asked for",
    "KmsDataKeyReusePeriodSeconds": "checked, kept and returned; data is not encrypted",
    "SqsManagedSseEnabled": "checked, kept and returned; data is not encrypted",
    "FifoThroughputLimit": "checked, kept and returned; throughput is not limited, per queue or per group",
}

# Errors that a model names and that no test hears over the wire: why.
ERRORS = {
    "InvalidIdFormat": "never said: ReceiptHandleIsInvalid says it, as present SDKs know it",
    "ReceiveMessage.OverLimit": "here: 120,000 in flight take too long over the wire (rule: `core/src/queue/tests`)",
    "SetQueueAttributes.OverLimit": "never said: a policy that does not fit is an InvalidAttributeValue",
    "StartMessageMoveTask.UnsupportedOperation": (
        "never said: that a task is running is an InvalidParameterValue, *from a peer* (LocalStack, and reports of AWS's"
        " answers)"
    ),
}

# Errors that are told more often than a document says: whose word that rests on.
FROM_PEERS = {
    "QueueDoesNotExist": "here; told before any other fault of the request, *from a peer* (moto, LocalStack)",
    "GetQueueUrl.QueueDoesNotExist": "here; of a name that no queue can have, too, *from a peer* (moto, LocalStack)",
}
# Operations whose requests can have but the one fault.
ONE_FAULT = {"DeleteQueue", "ListQueueTags", "PurgeQueue"}

# Errors that only some operations say; the models name them for all.
ONLY = {"UnsupportedOperation": {"StartMessageMoveTask", "CancelMessageMoveTask", "SendMessage", "SendMessageBatch"}}

# Errors that are every operation's, so one place makes them and one test hears them.
SHARED = {
    "InvalidAddress": "a `QueueUrl` that is none",
    "RequestThrottled": "the inbox is full, the disk is full, or the state is at its budget",
}

# Errors that no operation says, or none but those of `ONLY`.
NEVER = {
    "InvalidSecurity": "plain HTTP is served, and a missing or wrong signature has an error of its own",
    "UnsupportedOperation": "every operation is here; but some say it of a task, or of an attribute that is a list",
    "Kms": "data is not encrypted, so no key is asked for",
}

# What there is beside operations: the state, and the file of its tests.
AROUND = {
    "AWS JSON 1.0": ("here, with `x-amzn-query-error`", "test_vectors.py"),
    "Query and XML": ("here, version 2012-11-05, by POST and GET", "test_query.py"),
    "queue URLs by path, region path, host name; accounts and regions apart": ("here", "test_addressing.py"),
    "`/_aws/sqs/messages`": (
        "here, not of AWS; its forms are *from a peer* (LocalStack); at most 10,000 messages, `x-lineside-truncated` says"
        " that there are more",
        "test_peek.py",
    ),
    "signatures and policies": ("here with `--auth sigv4`; else nobody is asked", "test_auth.py"),
    "receipts": ("here", "test_receipts.py"),
    "fair queues": (
        "here; \"recent\" processing time, which AWS does not define, counts half after a minute, and no more when five"
        " minutes brought none; a message without a group is never a noisy tenant's",
        "test_fair.py",
    ),
}

# Errors that the models do not name (API reference, "Common errors", and the lists of older versions).
COMMON = [
    "MissingParameter",
    "InvalidParameterValue",
    "MissingAction",
    "InvalidAction",
    "NoSuchVersion",
    "MalformedQueryString",
    "InvalidQueryParameter",
    "ConflictingQueryParameter",
    "SerializationException",
    "UnknownOperationException",
]


def page() -> str:
    tests = used.tests()
    lines = [
        "# SQS, operation by operation",
        "",
        "Made by `make fidelity` from the code, the service's models and the tests; edit those. *here*: as the",
        "API reference says. No line was checked against AWS itself; all rest on its documentation, but for those",
        "that say *from a peer*: where no document gives an order or a text, moto 5.2.5 and LocalStack 2026.3.0 were",
        "asked, as they run. Each test below runs over the wire: through an unmodified SDK, or by hand where no SDK",
        "would say it. Those of `make test-query` run once more through the last SDK that speaks the Query protocol.",
        "",
        "| operation | state | tests |",
        "|---|---|---|",
    ]
    found = [operation_row(operation, tests) for operation in service.operations()]
    lines += found
    lines += ["", "## Parameters", "", "| parameter | state | tests |", "|---|---|---|"]
    lines += parameter_rows(tests)
    lines += ["", "## Attributes of a queue", "", "| attribute | state | tests |", "|---|---|---|"]
    lines += [row(name, ATTRIBUTES.get(name, "here"), used.of_words(tests, {name})) for name in service.attributes()]
    lines += ["", "## Errors by operation", "", "| operation | error | state | tests |", "|---|---|---|---|"]
    lines += error_rows(tests)
    lines += ["", "## Errors of every operation", "", "| error | state | tests |", "|---|---|---|"]
    lines += [row(name, f"here: {what}", used.of_words(tests, {name})) for name, what in SHARED.items()]
    lines += [row(f"{name}…" if name == "Kms" else name, f"never said: {why}", None) for name, why in NEVER.items()]
    lines += [row(name, "here", used.of_words(tests, {name, name.removesuffix("Exception")})) for name in COMMON]
    lines += ["", "## Messages that no document gives", "", f"Word for word in `{TEXTS}`.", ""]
    lines += ["| operation | message | rests on |", "|---|---|---|"]
    lines += [text_row(*said) for said in used.said(TEXTS)]
    lines += ["", "## Two faults in one request", ""]
    lines.append("Which of two faults is told, by what that rests on; each pair is a line of `test_two_faults.py`.")
    lines += ["", "| rests on | pairs |", "|---|---|"]
    lines += [f"| {whose(who)} | {count} |" for who, count in used.pairs("test_two_faults.py").items()]
    lines += ["", "## Around the operations", "", "| what | state | tests |", "|---|---|---|"]
    lines += [row(what, state, of_files(tests, file)) for what, (state, file) in AROUND.items()]
    lines += ["", "## Rules that other products got wrong", ""]
    lines.append("Each has tests named by its number: *rule* on floor 0, *wire* through the SDK.")
    lines += ["", "| item | tests |", "|---|---|"]
    found = used.items()
    for number, names in sorted(found.items()):
        lines.append(f"| {number} | {'<br>'.join(sorted(names))} |")
    return "\n".join(lines) + "\n"


TEXTS = "test_texts.py"


def text_row(operation: str, message: str, who: str) -> str:
    return f"| {operation} | {message.replace('|', '&#124;').replace('<', '&lt;')} | {whose(who)} |"


def whose(who: str) -> str:
    if who == "nobody else":
        return "the project alone"
    return f"*from {who}*" if who.startswith("reports") else f"*from a peer*: {who}"


def of_files(tests: list[used.Test], file: str) -> list[used.Test]:
    return [test for test in tests if test.file == file]


def operation_row(operation: str, tests: list[used.Test]) -> str:
    if operation not in service.answered():
        sys.exit(f"{operation} is not answered")
    return row(f"[{operation}]({REFERENCE.format(operation)})", "here", used.of_operation(tests, operation), operation)


def parameter_rows(tests: list[used.Test]) -> list[str]:
    """A parameter of an operation, or of a structure that several operations have."""
    rows = []
    for owner, members in service.inputs().items():
        for member in members:
            name = f"{owner}.{member}"
            if name in PARAMETERS:
                rows.append(row(name, PARAMETERS[name], None))
            else:
                rows.append(row(name, "here", used.of_parameter(tests, owner, member), name))
    return rows


def error_rows(tests: list[used.Test]) -> list[str]:
    rows = []
    for operation, errors in service.errors().items():
        for error in errors:
            if error in SHARED or is_never_said(operation, error):
                continue  # in the table of every operation's
            heard = used.of_error(tests, operation, error)
            reason = ERRORS.get(f"{operation}.{error}") or (None if heard else ERRORS.get(error))
            state, what = (reason, None) if reason else (state_of(operation, error), heard)
            rows.append("| " + operation + " " + row(error, state, what, f"{operation}.{error}"))
    return rows


def state_of(operation: str, error: str) -> str:
    if operation in ONE_FAULT:
        return "here"
    return FROM_PEERS.get(f"{operation}.{error}") or FROM_PEERS.get(error, "here")


def is_never_said(operation: str, error: str) -> bool:
    return operation not in ONLY.get(error, ()) and (error in NEVER or error.startswith("Kms"))


def row(name: str, state: str, tests: list[used.Test] | None, what: str = "") -> str:
    """`None` for tests: the state says why there are none."""
    if tests is not None and not tests:
        sys.exit(f"{what or name} is here, and no test shows it")
    return f"| {name} | {state} | {used.counted(tests or [])} |"


def main() -> int:
    pages = {PAGE: page()} | {helper.page: helpers.page(helper) for helper in helpers.HELPERS}
    if sys.argv[1:] == ["--check"]:
        stale = [path for path, wanted in pages.items() if not path.exists() or path.read_text() != wanted]
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what the code and the tests say: run `make fidelity`")
        return 1 if stale else 0
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    for path, wanted in pages.items():
        path.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
