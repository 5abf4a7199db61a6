"""Complexity of listings: decisions, nesting and calls, by grammar or by patterns."""

from __future__ import annotations

import pytest

from core.judging.programs import examined

PYTHON = """
import json

def outer(rows):
    for row in rows:
        if row and row.ok:
            try:
                json.loads(row.text)
            except ValueError:
                log.warning(row)
        elif row:
            skip(row)

def plain(row):
    return json.loads(row)
"""


def test_the_worst_function_s_decisions_are_counted_and_its_depth() -> None:
    found = examined(PYTHON, "python")
    assert found is not None
    # for, if, and, except, elif, and one
    assert found.cyclomatic == 6
    # function, for, if, try, except
    assert found.nesting == 5
    assert found.functions == 2
    assert found.calls == {"loads", "warning", "skip"}


@pytest.mark.parametrize(
    ("info", "code", "cyclomatic"),
    [
        ("js", "function f(a) {\n  return a && a.b ? g(a) : h(a);\n}", 3),
        ("ts", "const f = (a: number): number => {\n  while (a > 0) a--;\n  return a;\n};", 2),
        ("go", "func f(a int) {\n  switch a {\n  case 1: g()\n  case 2: h()\n  }\n}", 3),
        ("java", "class A { void f(int a) { for (;;) { if (a > 1) { g(); } } } }", 3),
        ("rust", "fn f(a: i32) { match a { 1 => g(), _ => h(), } }", 3),
        ("c", "int f(int a) { if (a) { return g(a); } return 0; }", 2),
        ("c++", "int f() { for (auto x : xs) { g(x); } return 0; }", 2),
        ("cs", "class A { void F() { foreach (var x in xs) { G(x); } } }", 2),
    ],
)
def test_each_grammar_counts_its_own_branches(info: str, code: str, cyclomatic: int) -> None:
    found = examined(code, info)
    assert found is not None
    assert found.language
    assert found.cyclomatic == cyclomatic
    assert found.calls or info == "ts"


def test_an_else_if_stands_beside_its_if() -> None:
    flat = "if (a) { f(); } else if (b) { g(); } else if (c) { h(); }"
    found = examined(flat, "js")
    assert found is not None
    assert (found.nesting, found.cyclomatic) == (1, 4)


def test_a_listing_without_a_name_is_read_by_the_grammar_that_fits() -> None:
    found = examined("func main() {\n\tif err := run(); err != nil {\n\t\tpanic(err)\n\t}\n}\n")
    assert found is not None
    assert found.language == "go"


@pytest.mark.parametrize(
    ("info", "text"),
    [
        ("bash", "for f in *; do if true; then echo $f; fi; done"),
        ("yaml", "if: always()\nfor:\n  - each"),
        ("", "total 24\ndrwxr-xr-x 2 root root 4096 bin"),
        ("", "if you see this, it works\nfor now"),
    ],
)
def test_commands_and_output_are_no_program(info: str, text: str) -> None:
    assert examined(text, info) is None


def test_a_language_without_a_grammar_is_measured_by_patterns() -> None:
    found = examined("fun f(x: Int) {\n    if (x > 1) {\n        g(x)\n    }\n}\n", "kotlin")
    assert found is not None
    assert (found.language, found.cyclomatic, found.functions) == ("", 2, 1)
    assert {"f", "g"} <= found.calls


def test_a_very_deep_listing_does_not_exhaust_the_stack() -> None:
    found = examined("x = " + "(" * 3000 + "1" + ")" * 3000, "python")
    assert found is not None
