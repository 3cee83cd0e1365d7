"""Writes docs/fidelity/: each operation of a service, whether it is here, and the tests that use it.

Reads the code and the tests, so the pages cannot say more than both do: an operation is *here* when
the face answers it, *not supported* when the face says so in the cloud's words. An operation that is
here and that no test uses is an error.

    fidelity.py            writes the pages
    fidelity.py --check    compares them, and exits with 1 when they differ
"""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SQS = ROOT / "crates/aws/src/sqs"
SDK = ROOT / "tests/sdk"
REFERENCE = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_{}.html"


def snake(operation: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


def operations() -> dict[str, bool]:
    """Each operation of the service model, and whether the face answers it."""
    text = (SQS / "mod.rs").read_text()
    arms = re.findall(r"((?:\|?\s*Operation::\w+\s*)+)=>\s*(\S)", text[text.index("match operation") :])
    found = {}
    for names, answer in arms:
        for name in re.findall(r"Operation::(\w+)", names):
            found[name] = answer != "E"  # `Err(error::unsupported(…))`
    return found


def attributes_not_here() -> list[str]:
    """Attributes of a queue that are refused for now."""
    text = (SQS / "attributes.rs").read_text()
    return re.findall(r'"(\w+)"', re.search(r"NOT_YET: .*?= \[(.*?)\];", text, re.S).group(1))


def functions(path: Path):
    """The functions of a Python file, methods too: name and syntax tree."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node


def mentions(node: ast.AST) -> set[str]:
    """The methods that a piece of code calls, and its strings."""
    found = set()
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Attribute(attr=text)) | ast.Constant(value=str(text)):
                found.add(text)
    return found


def verbs(names: dict[str, str]) -> dict[str, set[str]]:
    """What each verb of the tests does in the end: its name, and the operations it uses."""
    helpers = {}
    for name, node in functions(SDK / "harness/face.py"):
        if not name.startswith("__"):
            helpers.setdefault(name, set()).update(mentions(node) - {name})
    used = {name: {names[m] for m in found if m in names} for name, found in helpers.items()}
    for _ in helpers:  # helpers that use helpers
        for name, found in helpers.items():
            for other in found & used.keys():
                used[name] |= used[other]
    return used


def tests() -> list[tuple[str, str, set[str]]]:
    """File, name, and operations of each test that goes over the wire."""
    names = {snake(name): name for name in operations()} | {name: name for name in operations()}
    helped = verbs(names)
    found = []
    for path in sorted(SDK.glob("test_*.py")):
        for name, node in functions(path):
            if name.startswith("test_"):
                said = mentions(node) | mentions_of_parameters(node)
                used = {names[m] for m in said if m in names}
                used |= {operation for m in said & helped.keys() for operation in helped[m]}
                found.append((path.name, name, used))
    script = (SDK / "js/sqs.test.js").read_text()
    sent = {name for name in operations() if f"{name}Command" in script}
    return found + [("js/sqs.test.js", "", sent)]


def mentions_of_parameters(node: ast.FunctionDef) -> set[str]:
    return {text for decorator in node.decorator_list for text in mentions(decorator)}


def items() -> dict[int, list[str]]:
    """Tests that are named by the number of a rule that other products got wrong."""
    found: dict[int, list[str]] = {}
    places = list(SDK.glob("test_*.py")) + list((ROOT / "crates/core/src/queue/tests").glob("*.rs"))
    for path in sorted(places):
        for number, rest in re.findall(r"(?:def test_|fn )item_(\d\d)_(\w+)", path.read_text()):
            place = "wire" if path.suffix == ".py" else "rule"
            found.setdefault(int(number), []).append(f"{rest.replace('_', ' ')} ({place})")
    return found


def page() -> str:
    used = tests()
    lines = [
        "# SQS, operation by operation",
        "",
        "Made by `make fidelity` from the code and the tests; edit those. *here*: answered as the API",
        "reference says. *not supported*: answered with `UnsupportedOperation`, and nothing is done.",
        "No line was checked against a peer; all rest on the API reference and the developer guide.",
        "",
        "| operation | state | tests over the wire |",
        "|---|---|---|",
    ]
    for operation, here in sorted(operations().items()):
        name = f"[{operation}]({REFERENCE.format(operation)})"
        lines.append(f"| {name} | {'here' if here else 'not supported'} | {tested(operation, here, used)} |")
    lines += ["", "## Queue attributes that are not supported yet", ""]
    lines.append(", ".join(f"`{name}`" for name in attributes_not_here()) + ": naming one is refused.")
    lines.append("Tags at creation are refused too.")
    lines += ["", "## Rules that other products got wrong", ""]
    lines.append("Each has tests named by its number: *rule* on floor 0, *wire* through the SDK.")
    lines += ["", "| item | tests |", "|---|---|"]
    for number, names in sorted(items().items()):
        lines.append(f"| {number} | {'<br>'.join(sorted(names))} |")
    return "\n".join(lines) + "\n"


def tested(operation: str, here: bool, used) -> str:
    if not here:
        if f'"{operation}"' not in (SDK / "test_bad_input.py").read_text():
            sys.exit(f"{operation} is not supported, and no test hears it say so")
        return "test_bad_input.py (refused)"
    counts: dict[str, int] = {}
    for path, _, named in used:
        if operation in named:
            counts[path] = counts.get(path, 0) + 1
    if not counts:
        sys.exit(f"{operation} is answered, and no test uses it")
    largest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{path} ({count})" for path, count in largest)


def main() -> int:
    path = ROOT / "docs/fidelity/sqs.md"
    wanted = page()
    if sys.argv[1:] == ["--check"]:
        if not path.exists() or path.read_text() != wanted:
            print(f"{path.relative_to(ROOT)} is not what the code and the tests say: run `make fidelity`")
            return 1
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
