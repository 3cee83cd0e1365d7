"""botocore's own protocol vectors, inverted: what its clients send must be read as what they meant,
and what they would read must be what is written.

The vectors are in botocore's source package, which is fetched into target/ and never committed. The
codecs run as `crates/aws/examples/vectors.rs`. A vector that does not apply is named below with its
reason, and one that is named and not there, or that passes after all, is an error.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree

import pytest
from harness.server import ROOT

SOURCE = "botocore-1.44.5"
SHA256 = "a988f39e3a4484def0b8010f41128f71157da0515a4804fccce4739aa8f216da"
NAMESPACE = "https://example.com/"

ENDPOINT = "a client's choice of host: a server is told by Host, and reads the same"
GZIP = "compressed by the client: no operation that is served takes that"
TOKEN = "the client fills in a token that the caller did not give"
TIME = "a timestamp: no service that is here has one; the shape comes with the first that has"
DETAIL = "an error with members of its own: no service that is here has one"

# A protocol's vector -> why it is not run.
NOT_RUN = {
    "input/query": {
        "SDKAppliedContentEncoding_awsQuery": GZIP,
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsQuery": GZIP,
        "QueryProtocolIdempotencyTokenAutoFill": TOKEN,
        "QueryTimestampsInput": TIME,
    },
    "output/query": {
        "AwsQueryDateTimeWithNegativeOffset": TIME,
        "AwsQueryDateTimeWithPositiveOffset": TIME,
        "AwsQueryDateTimeWithFractionalSeconds": TIME,
        "QueryXmlTimestamps": TIME,
        "QueryXmlTimestampsWithDateTimeFormat": TIME,
        "QueryXmlTimestampsWithDateTimeOnTargetFormat": TIME,
        "QueryXmlTimestampsWithEpochSecondsFormat": TIME,
        "QueryXmlTimestampsWithEpochSecondsOnTargetFormat": TIME,
        "QueryXmlTimestampsWithHttpDateFormat": TIME,
        "QueryXmlTimestampsWithHttpDateOnTargetFormat": TIME,
        "QueryComplexError": DETAIL,
    },
    "input/json_1_0": {
        "SDKAppliedContentEncoding_awsJson1_0": GZIP,
        "SDKAppendsGzipAndIgnoresHttpProvidedEncoding_awsJson1_0": GZIP,
    },
    "output/json_1_0": {},
    "input/json_1_0-query-compatible": {},
    "output/json_1_0-query-compatible": {},
}


@pytest.fixture(scope="session")
def vectors():
    """Suites by the name of their file."""
    folder = ROOT / "target/vectors"
    package = folder / f"{SOURCE}.tar.gz"
    if not package.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--dest", str(folder), SOURCE.replace("-", "==")], check=True)
    found = hashlib.sha256(package.read_bytes()).hexdigest()
    assert found == SHA256, f"{package}: its sha256 is {found}"
    with tarfile.open(package) as source:
        read = lambda name: json.load(source.extractfile(f"{SOURCE}/tests/unit/protocols/{name}.json"))  # noqa: E731
        return {name: read(name) for name in NOT_RUN}


def run(tasks: list[dict]) -> list[dict]:
    """What the codecs make of each task."""
    cargo = ["cargo", "run", "--quiet", "-p", "lineside-aws", "--example", "vectors"]
    lines = "\n".join(map(json.dumps, tasks))
    done = subprocess.run(cargo, cwd=ROOT, input=lines, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- tables, as `make gen` would write them --------------------------------------------------------


class Tables:
    """The shapes of a suite, with their names on the wire (Smithy's rules, where botocore differs)."""

    def __init__(self, shapes: dict, empty_maps: bool = True):
        self.shapes = shapes
        self.empty_maps = empty_maps  # Query's requests have no way to say one

    def all(self) -> dict:
        structures = ((name, shape) for name, shape in self.shapes.items() if shape["type"] == "structure")
        return {name: [self.member(*item) for item in shape["members"].items()] for name, shape in structures}

    def member(self, name: str, reference: dict) -> tuple:
        traits = {**self.shapes[reference["shape"]], **reference}
        return name, reference.get("locationName", name), self.shape(reference["shape"], traits.get("flattened"))

    def shape(self, name: str, flat: bool = False) -> dict:
        shape = self.shapes[name]
        match shape["type"]:
            case "structure":
                return {"structure": name}
            case "list":
                within = None if flat else shape["member"].get("locationName", "member")
                return {"list": {"item": self.shape(shape["member"]["shape"]), "within": within}}
            case "map":
                names = {part: shape[part].get("locationName", part) for part in ("key", "value")}
                within = None if flat else "entry"
                return {"map": {**names, "item": self.shape(shape["value"]["shape"]), "within": within}}
            case kind:
                return {"scalar": kind}

    def neutral(self, name: str, value):
        """A vector's values in the form that the codecs share: bytes in base64."""
        shape = self.shapes[name]
        match shape["type"]:
            case "structure" if shape.get("document"):
                return value
            case "structure":
                members = shape["members"]
                found = {key: self.neutral(members[key]["shape"], one) for key, one in value.items()}
                return {key: one for key, one in found.items() if one is not None}
            case "list":
                return [self.neutral(shape["member"]["shape"], one) for one in value]
            case "map":
                return {key: self.neutral(shape["value"]["shape"], one) for key, one in value.items()} or ({} if self.empty_maps else None)
            case "blob":
                return base64.b64encode(value.encode()).decode()
            case _:
                return value


def common(file: str, suite: dict, direction: str, case: dict) -> dict:
    metadata = suite["metadata"]
    return {
        "protocol": "query" if file.endswith("query") and "json" not in file else "json",
        "service": {
            "prefix": metadata.get("targetPrefix", ""),
            "version": metadata["apiVersion"],
            "namespace": NAMESPACE,
        },
        "shape": case["given"].get(direction, {}).get("shape"),
        "tables": Tables(suite["shapes"]).all(),
    }


def reading(file: str, suite: dict, case: dict) -> dict:
    sent = case["serialized"]
    return {
        "act": "read",
        **common(file, suite, "input", case),
        "method": sent["method"],
        "uri": sent["uri"],
        "headers": {"X-Amz-Target": f"{suite['metadata'].get('targetPrefix')}.{case['given']['name']}", **sent["headers"]}
        if "X-Amz-Target" in sent.get("headers", {})
        else headers_of(suite, case),
        "body": sent["body"],
    }


def headers_of(suite: dict, case: dict) -> dict:
    """Vectors about other things leave the headers of their protocol out."""
    metadata, sent = suite["metadata"], case["serialized"].get("headers", {})
    if metadata["protocol"] != "json":
        return sent
    target = f"{metadata['targetPrefix']}.{case['given']['name']}"
    return {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0", **sent}


def writing(file: str, suite: dict, case: dict) -> dict:
    if "error" in case:
        return {"act": "error", **common(file, suite, "output", case), **error_of(suite, case)}
    shape = case["given"].get("output", {}).get("shape")
    value = Tables(suite["shapes"]).neutral(shape, case["result"]) if shape else {}
    # The one list of these that the codecs know nothing of.
    value.pop("timestampList", None) if value else None
    return {"act": "write", **common(file, suite, "output", case), "operation": case["given"]["name"], "value": value or {}}


def error_of(suite: dict, case: dict) -> dict:
    name = case["given"]["errors"][0]["shape"]
    error = suite["shapes"][name].get("error", {})
    message = case["error"].get("Message") or case["error"].get("message") or ""
    return {
        "name": name,
        "code": error.get("code", name),
        "status": error.get("httpStatusCode", 400),
        "message": message,
    }


# --- comparing ------------------------------------------------------------------------------------


def same_input(suite: dict, case: dict, found: dict) -> bool:
    shape = case["given"].get("input", {}).get("shape")
    tables = Tables(suite["shapes"], empty_maps=suite["metadata"]["protocol"] == "json")
    wanted = tables.neutral(shape, case["params"]) if shape else {}
    return found == {"operation": case["given"]["name"], "value": wanted}


def tree(element: ElementTree.Element) -> tuple:
    """Names and texts; namespaces are for readers that ask for them, which no SDK does."""
    name = element.tag.rsplit("}", 1)[-1]
    return name, (element.text or "").strip(), [tree(child) for child in element]


def without(element: tuple, names: set[str]) -> tuple:
    name, text, children = element
    return name, text, [without(child, names) for child in children if child[0] not in names]


def entries_in_order(element: tuple) -> tuple:
    """A map has no order: entries by their keys, flattened ones too."""
    name, text, children = element
    children = [entries_in_order(child) for child in children]
    return name, text, sorted(children, key=lambda child: (child[0], repr(child) if is_entry(child) else ""))


def is_entry(element: tuple) -> bool:
    names = [child[0] for child in element[2]]
    return element[0] == "entry" or names in (["key", "value"], ["K", "V"])


OURS = {"ResponseMetadata", "Detail", "timestampList"}


def same_xml(ours: str, theirs: str, operation: str) -> bool:
    # Where a vector has no body at all, any is read as an empty reply.
    theirs = theirs or f"<{operation}Response/>"
    left, right = (entries_in_order(without(tree(ElementTree.fromstring(text)), OURS)) for text in (ours, theirs))
    empty = (f"{operation}Response", "", [(f"{operation}Result", "", [])])
    return left == right or (left == empty and right[2] == [])


def same_output(file: str, suite: dict, case: dict, found: dict) -> bool:
    theirs = case["response"]
    if "error" in case:
        return same_error(file, case, found, theirs)
    if file == "output/query":
        return same_xml(found["body"], theirs.get("body", ""), case["given"]["name"])
    body = json.loads(theirs.get("body") or "{}")
    return json.loads(found["body"]) == known(suite, case, body)


def known(suite: dict, case: dict, body):
    """What a client keeps of a reply: members that it knows, with a value."""
    shape = case["given"].get("output", {}).get("shape")
    return strip(suite["shapes"], shape, body) if shape else {}


def strip(shapes: dict, name: str, value):
    shape = shapes[name]
    if shape["type"] == "structure" and not shape.get("document"):
        kept = {key: one for key, one in value.items() if key in shape["members"] and one is not None}
        return {key: strip(shapes, shape["members"][key]["shape"], one) for key, one in kept.items()}
    return value


def same_error(file: str, case: dict, found: dict, theirs: dict) -> bool:
    """The status, the code and the message, in each place where a client looks for them."""
    if file == "output/query":
        return found["status"] == theirs["status_code"] and same_xml(found["body"], theirs["body"], "")
    said, name = json.loads(found["body"]), case["given"]["errors"][0]["shape"]
    compatible = found["headers"]["x-amzn-query-error"] == f"{case['errorCode']};Sender"
    wanted = theirs["headers"].get("x-amzn-query-error", f"{case['errorCode']};Sender")
    message = case["error"].get("Message") or case["error"].get("message") or ""
    right = said["__type"].rsplit("#", 1)[-1] == name and said["message"] == message
    return right and compatible and found["headers"]["x-amzn-query-error"] == wanted


# --- the tests -------------------------------------------------------------------------------------


def cases_of(suites: list) -> dict:
    """Each case with its suite, by its id."""
    pairs = [(suite, case) for suite in suites for case in suite["cases"]]
    cases = {case["id"]: (suite, case) for suite, case in pairs}
    assert len(cases) == len(pairs), "two cases have one id"
    return cases


def runnable(file: str, cases: dict) -> dict:
    missing = NOT_RUN[file].keys() - cases.keys()
    assert not missing, f"named as not run, and not there: {missing}"
    return {name: pair for name, pair in cases.items() if name not in NOT_RUN[file]}


@pytest.mark.parametrize("file", [name for name in NOT_RUN if name.startswith("input/")])
def test_what_a_client_sends_is_read_as_what_it_meant(vectors, file):
    cases = runnable(file, cases_of(vectors[file]))
    found = run([reading(file, *pair) for pair in cases.values()])
    wrong = {name: one for (name, pair), one in zip(cases.items(), found, strict=True) if not same_input(*pair, one)}
    assert not wrong
    assert len(cases) >= {"input/query": 34, "input/json_1_0": 19}.get(file, 1)


@pytest.mark.parametrize("file", [name for name in NOT_RUN if name.startswith("output/")])
def test_what_a_client_would_read_is_what_is_written(vectors, file):
    cases = runnable(file, cases_of(vectors[file]))
    found = run([writing(file, *pair) for pair in cases.values()])
    wrong = {name: one for (name, pair), one in zip(cases.items(), found, strict=True) if not same_output(file, *pair, one)}
    assert not wrong
    assert len(cases) >= {"output/query": 27, "output/json_1_0": 30}.get(file, 1)
