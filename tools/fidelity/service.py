"""What there is: the operations of SQS, their parameters and errors, by the pinned models and the face."""

import re
from functools import cache
from pathlib import Path

import fetch
from rust import Shapes

ROOT = Path(__file__).resolve().parents[2]
SQS = ROOT / "crates/aws/src/sqs"
CACHE = ROOT / "target/gen"


@cache
def model() -> dict:
    return fetch.model(CACHE, fetch.BOTOCORE, "sqs", "2012-11-05").data


def operations() -> list[str]:
    return sorted(model()["operations"])


def answered() -> set[str]:
    """Operations that the face answers: each has an arm that runs it."""
    text = (SQS / "mod.rs").read_text()
    return set(re.findall(r"Operation::(\w+) =>\s*\{?\s*call\.run\(", text[text.index("match operation") :]))


def inputs() -> dict[str, list[str]]:
    """The members of each request, and of each structure in one: those of operations by their names."""
    shapes, found = Shapes(model(), operations()), {}
    for operation in operations():
        found[operation] = list(shapes.all[model()["operations"][operation]["input"]["shape"]]["members"])
    requests = {model()["operations"][operation]["input"]["shape"] for operation in operations()}
    for name in sorted(shapes.inputs - requests):
        if shapes.all[name]["type"] == "structure":
            found[name] = list(shapes.all[name]["members"])
    return found


def owners(structure: str) -> set[str]:
    """The operations whose requests have a structure in them."""
    if structure in model()["operations"]:
        return {structure}
    reach = {operation: Shapes(model(), [operation]).inputs for operation in operations()}
    return {operation for operation, shapes in reach.items() if structure in shapes}


def attributes() -> list[str]:
    return [name for name in model()["shapes"]["QueueAttributeName"]["enum"] if name != "All"]


def errors() -> dict[str, list[str]]:
    """The errors that the model names for each operation."""
    found = {name: [error["shape"] for error in model()["operations"][name].get("errors", [])] for name in operations()}
    return {name: sorted(errors) for name, errors in found.items()}
