"""Turns a service model into Rust: names, shapes and constraints, never prose."""

import re

from fetch import Model

# A moment is text, as ISO 8601 writes it: so it stands in XML.
SCALARS = {
    "string": "String",
    "integer": "i32",
    "long": "i64",
    "boolean": "bool",
    "blob": "Blob",
    "timestamp": "String",
}


def snake(name: str) -> str:
    """`MD5OfMessageBody` -> `md5_of_message_body`, `AWSAccountIds` -> `aws_account_ids`."""
    split = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split).lower()


def quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


class Shapes:
    """The shapes that the chosen operations reach, and in which direction."""

    def __init__(self, model: dict, operations: list[str]):
        self.all = model["shapes"]
        chosen = [model["operations"][name] for name in operations]
        self.inputs = self.reach(op["input"]["shape"] for op in chosen if "input" in op)
        self.outputs = self.reach(op["output"]["shape"] for op in chosen if "output" in op)

    def reach(self, roots) -> set[str]:
        seen, todo = set(), list(roots)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend(self.children(name))
        return seen

    def children(self, name: str) -> list[str]:
        shape = self.all[name]
        members = list(shape.get("members", {}).values())
        members += [shape[part] for part in ("member", "key", "value") if part in shape]
        return [member["shape"] for member in members]

    def used(self) -> list[str]:
        return sorted(self.inputs | self.outputs)

    def type_of(self, name: str) -> str:
        shape = self.all[name]
        kind = shape["type"]
        if kind == "structure":
            return name
        if kind == "list":
            return f"Vec<{self.type_of(shape['member']['shape'])}>"
        if kind == "map":
            return f"BTreeMap<{self.type_of(shape['key']['shape'])}, {self.type_of(shape['value']['shape'])}>"
        return SCALARS[kind]


def header(model: Model) -> str:
    return f"""\
// Made by tools/gen from botocore {model.botocore}, {model.path},
// sha256 {model.sha256}.
// Do not edit: change the generator and run `make gen`.
//! Wire shapes of {model.data["metadata"]["serviceFullName"]}: names, members, constraints.
#![allow(missing_docs, dead_code, unreachable_pub, reason = "names and lists of the model, whole")]
"""


def imports(body: str) -> str:
    maps = "use std::collections::BTreeMap;\n\n" if "BTreeMap<" in body else ""
    blobs = "\nuse crate::blob::Blob;\n" if "<Blob>" in body else ""
    return f"\n{maps}use serde::{{Deserialize, Serialize}};\n{blobs}"


def constants(metadata: dict) -> str:
    if "targetPrefix" not in metadata:
        return ""
    target = metadata["targetPrefix"]
    return f"""
/// What stands before the dot in `X-Amz-Target`.
pub const TARGET_PREFIX: &str = "{target}";
"""


def name_enum(title: str, doc: str, names: list[str]) -> str:
    """An enum of wire names with `ALL`, `name` and `from_name`."""
    variants = "".join(f"    {name},\n" for name in names)
    listed = ", ".join(f"Self::{name}" for name in names)
    to_name = "".join(f'            Self::{name} => "{name}",\n' for name in names)
    return f"""
/// {doc}
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum {title} {{
{variants}}}

impl {title} {{
    /// Every one, in the order of their names.
    pub const ALL: [Self; {len(names)}] = [{listed}];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {{
        match self {{
{to_name}        }}
    }}

    /// The one with this exact name on the wire.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {{
        Self::ALL.into_iter().find(|one| one.name() == name)
    }}
}}
"""


def enum_values(shapes: Shapes) -> str:
    """The allowed values of the string shapes that have some, in the model's order."""
    limited = {name: shapes.all[name]["enum"] for name in shapes.used() if "enum" in shapes.all[name]}
    return "".join(
        f"\n/// Values of `{name}`.\npub const {snake(name).upper()}: &[&str] = &[{quoted(values)}];\n"
        for name, values in limited.items()
    )


def struct(shapes: Shapes, name: str) -> str:
    """Every member is optional: the service words what is missing in its own way."""
    shape = shapes.all[name]
    reads, writes = name in shapes.inputs, name in shapes.outputs
    derived = ["Debug", "Default"] + ["Deserialize"] * reads + ["Serialize"] * writes
    fields = "".join(field(shapes, wire, member, reads, writes) for wire, member in shape["members"].items())
    return f"""
/// `{name}`.
#[derive({", ".join(derived)})]
pub struct {name} {{
{fields}}}
"""


def field(shapes: Shapes, wire: str, member: dict, reads: bool, writes: bool) -> str:
    rules = [f'rename = "{wire}"']
    if writes:
        rules.append('skip_serializing_if = "Option::is_none"')
    return f"""\
    #[serde({", ".join(rules)})]
    pub {snake(wire)}: Option<{shapes.type_of(member["shape"])}>,
"""


def render(model: Model, operations: list[str]) -> str:
    """The whole file, before rustfmt."""
    shapes = Shapes(model.data, operations)
    body = constants(model.data["metadata"])
    others = sorted(set(model.data["operations"]) - set(operations))
    doc = "The operations that are here." if others else "Every operation of the service."
    body += name_enum("Operation", doc, sorted(operations))
    if others:
        doc = "Operations of the service that are not here."
        body += f"\n/// {doc}\npub const OTHER_OPERATIONS: &[&str] = &[{quoted(others)}];\n"
    body += enum_values(shapes)
    structs = [name for name in shapes.used() if shapes.all[name]["type"] == "structure"]
    body += "".join(struct(shapes, name) for name in structs)
    return header(model) + imports(body) + body
