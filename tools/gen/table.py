"""Turns a service model into static tables: what a codec must know of each shape to read and write it.

The shapes and their order are the present model's; the names of the Query protocol are the older
model's. A member that came after the older model has its Query name here, in NEWER, by the pattern
that its neighbours have; one that is missing here stops the run.
"""

from fetch import Model
from rust import Shapes, snake

SCALARS = {
    "string": "Text",
    "integer": "Integer",
    "long": "Long",
    "boolean": "Boolean",
    "blob": "Blob",
    "timestamp": "Text",
}

# (structure, member) -> its name in Query; for a list, each item's, since these lists are flattened.
NEWER = {("ReceiveMessageRequest", "MessageSystemAttributeNames"): "MessageSystemAttributeName"}

# Errors of the present model that the older one lacks, with another status in Query than 400: as the
# list of errors common to all actions has them (API reference of 2011-10-01, "Common Errors").
NEWER_STATUS = {"InvalidAddress": 404, "InvalidSecurity": 403, "RequestThrottled": 403}


class Names:
    """What the older model says of the members of a structure."""

    def __init__(self, query: dict):
        self.shapes = query["shapes"]

    def traits(self, structure: str, member: str) -> dict:
        """The traits of a member: its own go before those of the shape that it refers to."""
        if (structure, member) in NEWER:
            return {"flattened": True, "locationName": NEWER[structure, member]}
        reference = self.shapes[structure]["members"][member]
        return {**self.shapes[reference["shape"]], **reference}

    def wire(self, structure: str, member: str) -> str:
        """A flattened list goes by the name of its items, if that has one."""
        traits = self.traits(structure, member)
        if traits.get("flattened") and traits.get("type") == "list":
            return traits["member"].get("locationName") or traits.get("locationName", member)
        return traits.get("locationName", member)


class Table:
    def __init__(self, now: dict, query: dict, operations: list[str]):
        self.now = now
        self.chosen = operations
        self.shapes = Shapes(now, operations)
        self.names = Names(query)

    def structures(self) -> list[str]:
        return [name for name in self.shapes.used() if self.shapes.all[name]["type"] == "structure"]

    def structure(self, name: str) -> str:
        members = "".join(self.member(name, member) for member in self.shapes.all[name]["members"])
        return f"""
static {constant(name)}: Structure = Structure {{ name: "{name}", members: &[{members}] }};
"""

    def member(self, structure: str, member: str) -> str:
        reference = self.shapes.all[structure]["members"][member]["shape"]
        flat = self.names.traits(structure, member).get("flattened", False)
        wire = self.names.wire(structure, member)
        return f'member("{member}", "{wire}", {self.shape(reference, flat)}),'

    def shape(self, name: str, flat: bool) -> str:
        shape = self.shapes.all[name]
        kind = shape["type"]
        if kind == "structure":
            return f"Shape::Structure(&{constant(name)})"
        older = self.names.shapes.get(name, {})
        if kind == "list":
            item = older.get("member", {}).get("locationName", "member")
            within = "None" if flat else f'Some("{item}")'
            return f"Shape::List(&List {{ item: {self.shape(shape['member']['shape'], False)}, within: {within} }})"
        if kind == "map":
            names = [older.get(part, {}).get("locationName", part) for part in ("key", "value")]
            value = self.shape(shape["value"]["shape"], False)
            within = "None" if flat else 'Some("entry")'
            return f'Shape::Map(&Map {{ key: "{names[0]}", value: "{names[1]}", item: {value}, within: {within} }})'
        return f"Shape::{SCALARS[kind]}"

    def operations(self) -> str:
        chosen = {name: self.now["operations"][name] for name in sorted(self.chosen)}
        arms = "".join(
            f"Operation::{name} => (&{self.of(operation, 'input')}, &{self.of(operation, 'output')}),"
            for name, operation in chosen.items()
        )
        return f"""
impl Operation {{
    /// What its request and its reply are made of.
    pub(crate) fn shapes(self) -> (&'static Structure, &'static Structure) {{
        match self {{ {arms} }}
    }}
}}
"""

    def of(self, operation: dict, direction: str) -> str:
        return constant(operation[direction]["shape"]) if direction in operation else "NOTHING"

    def errors(self) -> str:
        found = {**self.names.shapes, **self.shapes.all}
        # No key is ever asked for, so none of KMS's errors is ever said.
        said = (name for name, shape in found.items() if shape.get("exception") and not name.startswith(("Kms", "KMS")))
        if len(self.chosen) < len(self.now["operations"]):
            chosen = [self.now["operations"][name] for name in self.chosen]
            said = {error["shape"] for operation in chosen for error in operation.get("errors", [])}
        rows = "".join(self.error(name) for name in sorted(said))
        return f"""
/// The errors that the models name.
static ERRORS: &[ErrorCode] = &[{rows}];
"""

    def error(self, name: str) -> str:
        older = self.names.shapes.get(name, {}).get("error", {})
        code = older.get("code", name)
        status = older.get("httpStatusCode", NEWER_STATUS.get(name, 400))
        return f'error("{name}", "{code}", {status}),'


def constant(name: str) -> str:
    return snake(name).upper()


def header(now: Model, query: Model, body: str) -> str:
    older = "" if query is now else f""",
// and botocore {query.botocore}, {query.path},
// sha256 {query.sha256}"""
    used = [name for name in ("List", "Map") if f"&{name} {{" in body]
    error = ["error"] if "error(" in body else []
    shapes = ", ".join(["ErrorCode", *used, "Service", "Shape", "Structure", *error, "member"])
    return f"""\
// Made by tools/gen from botocore {now.botocore}, {now.path},
// sha256 {now.sha256}{older}.
// Do not edit: change the generator and run `make gen`.
//! Shapes of {now.data["metadata"]["serviceFullName"]} as data, with their names in the Query protocol.

use super::{now.data["metadata"]["endpointPrefix"]}::Operation;
use crate::protocol::shape::{{{shapes}}};
"""


def service(now: dict, query: dict) -> str:
    return f"""
/// The service.
pub(crate) static SERVICE: Service = Service {{
    target_prefix: "{now["metadata"].get("targetPrefix", "")}",
    version: "{query["metadata"]["apiVersion"]}",
    namespace: "{query["metadata"]["xmlNamespace"]}",
    errors: ERRORS,
}};
"""


NOTHING = """
/// For an operation that takes or says nothing.
static NOTHING: Structure = Structure { name: "", members: &[] };
"""


def render(now: Model, query: Model, operations: list[str]) -> str:
    """The whole file, before rustfmt."""
    table = Table(now.data, query.data, operations)
    operations = table.operations()
    nothing = NOTHING if "&NOTHING" in operations else ""
    body = service(now.data, query.data) + nothing + operations + table.errors()
    body += "".join(table.structure(name) for name in table.structures())
    return header(now, query, body) + body
