"""Every test can fail: it asserts something that is not constant, expects an error, or calls a helper that does."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).parent.rglob("*.py"))
EXPECTING = {"raises", "warns", "deprecated_call", "fail", "exit", "assert_close", "assert_array_equal", "assert_allclose"}
"""What fails where it is called, of pytest, torch.testing and numpy.testing."""
CHECKING = {"check_train", "check_evaluate", "try_one", "require_every_weight_trained", "require_batch_learned"}
"""What raises where something is wrong, of the schema, of benchmarks/robustness and of the contracts of methods."""
GIVEN = {"check", "contract"}
"""A parameter of these names is one of the contracts' checks."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def called(node: ast.AST) -> str:
    """Return the last part of the name that a call calls, nothing for other nodes."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def says_something(node: ast.AST) -> bool:
    """Tell whether a statement is an assertion that is not constant, such as `assert True`, or raises one."""
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    return isinstance(node, ast.Raise) and node.exc is not None and called(node.exc) == "AssertionError"


@dataclass(frozen=True)
class Facts:
    """What is known of a function of the tests."""

    name: str
    says: bool
    calls: frozenset[str]

    def can_fail(self, helpers: set[str]) -> bool:
        """Tell whether it can fail by what it says itself or by a call of what does."""
        return self.says or bool(self.calls & helpers)


def facts(function: Function) -> Facts:
    nodes = list(ast.walk(function))
    return Facts(function.name, any(map(says_something, nodes)), frozenset(map(called, nodes)))


def functions(tree: ast.Module) -> tuple[list[Facts], list[Facts]]:
    """Return the tests of a file, and its other functions."""
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test"))]
    tests = [node for body in bodies for node in body if isinstance(node, Function) and node.name.startswith("test")]
    others = [node for node in ast.walk(tree) if isinstance(node, Function) and not node.name.startswith("test")]
    return [facts(node) for node in tests], [facts(node) for node in others]


def asserting(others: list[Facts], known: set[str]) -> set[str]:
    """Return the names of what can fail, helpers of helpers included."""
    while new := {function.name for function in others if function.name not in known and function.can_fail(known)}:
        known = known | new
    return known


def without_assertion(tree: ast.Module, shared: set[str]) -> list[str]:
    """Name the tests of a file that cannot fail; a helper is one of its own, or of the files that several share."""
    tests, others = functions(tree)
    helpers = asserting(others, shared) | GIVEN
    return [test.name for test in tests if not test.can_fail(helpers)]


def test_every_test_can_fail() -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    common = [tree for path, tree in trees.items() if not path.name.startswith("test_")]
    shared = asserting([function for tree in common for function in functions(tree)[1]], EXPECTING | CHECKING)
    found = [f"{path.name}::{name}" for path, tree in trees.items() for name in without_assertion(tree, shared)]
    assert len(trees) > 100
    assert found == [], f"{', '.join(found)} cannot fail: assert what is to come of what they call"


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("def test_a():\n    f()", ["test_a"]),
        ("def test_a():\n    assert True", ["test_a"]),
        ("def test_a():\n    assert f() == 1", []),
        ("def test_a():\n    with pytest.raises(ValueError):\n        f()", []),
        ("def helper():\n    assert f()\ndef outer():\n    helper()\ndef test_a():\n    outer()", []),
        ("def helper():\n    f()\ndef test_a():\n    helper()", ["test_a"]),
        ("class TestA:\n    def test_a(self):\n        f()", ["test_a"]),
        ("class Data:\n    def test_dataloader(self):\n        f()", []),
    ],
)
def test_test_without_an_assertion_is_found(program: str, found: list[str]) -> None:
    assert without_assertion(ast.parse(program), EXPECTING) == found
