"""What the tests over the wire use and hear, by their syntax trees: no test is run."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import service

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "tests/sdk"
OTHERS = {SDK / "test_iam.py"}  # of other services


class Test(NamedTuple):
    file: str
    name: str
    operations: frozenset[str]
    words: frozenset[str]  # names of arguments, texts, and parts of texts
    heard: frozenset[tuple[str, str]]  # an operation, and what may be the error that it is refused with


def snake(operation: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


def functions(tree: ast.AST):
    """The functions of a file, methods too: name and syntax tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node


def mentions(node: ast.AST) -> set[str]:
    """The functions that a piece of code calls, its names of arguments, its names and its texts."""
    found = set()
    for part in ast.walk(node):
        match part:
            case ast.Attribute(attr=text) | ast.Name(id=text) | ast.keyword(arg=str(text)):
                found.add(text)
            case ast.Constant(value=str(text)):
                found.add(text)
                found.update(re.findall(r"\w+", text))
    # `Attribute__1__Name` and `Attribute.1.Name` name what they begin with, too.
    return found | {part for text in found for part in re.split(r"__|\.", text) if part}


def constants(tree: ast.Module) -> dict[str, set[str]]:
    """What the names of a file stand for: its constants and its helpers."""
    found = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = mentions(value)
            case ast.FunctionDef(name=name) if not name.startswith("test_"):
                found[name] = mentions(node)
    return found


def spread(words: set[str], meanings: dict[str, set[str]]) -> set[str]:
    """Words, and what they stand for, as far as that goes."""
    words, todo = set(words), list(words)
    while todo:
        for more in meanings.get(todo.pop(), set()) - words:
            words.add(more)
            todo.append(more)
    return words


@cache
def face() -> dict[str, set[str]]:
    """The verbs of the harness."""
    found: dict[str, set[str]] = {}
    tree = ast.parse((SDK / "harness/face.py").read_text())
    for name, node in functions(tree):
        if not name.startswith("__"):
            found.setdefault(name, set()).update(mentions(node) - {name})
    return found | {name: words for name, words in constants(tree).items() if name.isupper()}


def tests() -> list[Test]:
    """The tests over the wire, file by file."""
    names = {snake(name): name for name in service.operations()} | {name: name for name in service.operations()}
    found = []
    for path in sorted(set(SDK.glob("test_*.py")) - OTHERS):
        tree = ast.parse(path.read_text())
        meanings = {**face(), **constants(tree)}
        for name, node in functions(tree):
            # Who is handed nothing has no server to talk to.
            if name.startswith("test_") and node.args.args:
                words = spread(mentions(node) | decorations(node), meanings)
                operations = frozenset(names[word] for word in words if word in names)
                heard = frozenset(refusals(node, meanings, names))
                found.append(Test(path.name, name, operations, frozenset(words), heard))
    return found + [script()]


def refusals(node: ast.FunctionDef, meanings: dict, names: dict):
    """Pairs of an operation and a text in one refusal: `with refused(CODE): call`, `refuses(call, CODE)`, or an
    assertion, whose call may be anywhere in the test."""
    everywhere = spread(mentions(node), meanings) - {"create_queue", "CreateQueue"}
    for part in ast.walk(node):
        match part:
            case ast.With(items=[ast.withitem(context_expr=ast.Call(func=ast.Name(id="refused"), args=codes))], body=body):
                said, called = codes, set().union(*(mentions(one) for one in body)) | decorations(node)
            case ast.Call(func=ast.Name(id="refuses" | "failures"), args=[call, *codes]):
                said, called = codes, mentions(call) | everywhere
            case ast.Assert(test=test):
                said, called = [test], everywhere
            case _:
                continue
        texts = set().union(*(spread(mentions(one), meanings) for one in said)) if said else set()
        operations = {names[word] for word in spread(called, meanings) if word in names}
        yield from ((operation, text) for operation in operations for text in texts)


def decorations(node: ast.FunctionDef) -> set[str]:
    return {word for decorator in node.decorator_list for word in mentions(decorator)}


def script() -> Test:
    """The JavaScript SDK's tests, as one."""
    text = (SDK / "js/sqs.test.js").read_text()
    sent = frozenset(name for name in service.operations() if f"{name}Command" in text)
    return Test("js/sqs.test.js", "", sent, frozenset(re.findall(r"\w+", text)), frozenset())


def of_operation(tests: list[Test], operation: str) -> list[Test]:
    return [test for test in tests if operation in test.operations]


def of_words(tests: list[Test], words: set[str]) -> list[Test]:
    return [test for test in tests if words & test.words]


def of_parameter(tests: list[Test], owner: str, member: str) -> list[Test]:
    """Tests that use an operation that has the parameter, and name it."""
    owners = service.owners(owner)
    return [test for test in tests if owners & test.operations and member in test.words]


def of_error(tests: list[Test], operation: str, error: str) -> list[Test]:
    """Tests in which the operation is refused with the error."""
    return [test for test in tests if (operation, error) in test.heard]


def items() -> dict[int, list[str]]:
    """Tests that are named by the number of a rule that other products got wrong."""
    found: dict[int, list[str]] = {}
    places = list(SDK.glob("test_*.py")) + list((ROOT / "crates/core/src/queue/tests").glob("*.rs"))
    for path in sorted(places):
        for number, rest in re.findall(r"(?:def test_|fn )item_(\d\d)_(\w+)", path.read_text()):
            place = "wire" if path.suffix == ".py" else "rule"
            found.setdefault(int(number), []).append(f"{rest.replace('_', ' ')} ({place})")
    return found


def cases(file: str, *makers: str):
    """What the tables of a file of tests are made of: constants where they are constants, else None."""
    tree = ast.parse((SDK / file).read_text())
    names = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                names |= {target.id: ast.literal_eval(value) for target, value in zip(targets, values, strict=True)}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for part in ast.walk(node.value):
                match part:
                    case ast.Call(func=ast.Name(id=maker), args=args) if maker in makers:
                        yield maker, [names.get(arg.id) if isinstance(arg, ast.Name) else constant(arg) for arg in args]


def constant(node: ast.expr) -> str | None:
    """A text, or one with something put into it, which is shown as `…`."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
            return text.replace("%s", "…")
    return None


def said(file: str) -> list[tuple[str, str, str]]:
    """Operation, message, and on whose word it rests."""
    operations = {snake(name): name for name in service.operations()}
    return [(operations[of], message, who) for _, (of, _, _, message, who, *_) in cases(file, "Said")]


def pairs(file: str) -> dict[str, int]:
    """How many pairs of faults rest on whose word; the first that is named is what a line without one has."""
    found: dict[str, int] = {}
    for maker, given in cases(file, "Case", "gone"):
        at = 4 if maker == "Case" else 1
        who = given[at] if len(given) > at else "both peers"
        found[who] = found.get(who, 0) + 1
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def counted(tests: list[Test]) -> str:
    """Files with the number of their tests, those with most first."""
    counts: dict[str, int] = {}
    for test in tests:
        counts[test.file] = counts.get(test.file, 0) + 1
    largest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{path} ({count})" for path, count in largest[:5]]
    return ", ".join(shown) + (f", {len(largest) - 5} more" if len(largest) > 5 else "")
