"""How complex the programs in an article are, read by parsers (tree-sitter).

Cyclomatic complexity counts the decisions of the worst function and one; nesting how deep control
and functions stand in one another; the calls are the names that the program asks of others: its
density of foreign interfaces. Shell commands, output and what no grammar reads are no program.

The grammars are wheels of their own, each with its parser inside. A language without one (Kotlin,
assembly) is measured by patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

# Grammar: its module and the function that gives it.
_GRAMMARS = {
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_tsx"),
    "java": ("tree_sitter_java", "language"),
    "go": ("tree_sitter_go", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "csharp": ("tree_sitter_c_sharp", "language"),
}
# What authors write behind a fence.
_CALLED = {
    **{name: name for name in _GRAMMARS},
    "py": "python",
    "python3": "python",
    "js": "javascript",
    "jsx": "javascript",
    "mjs": "javascript",
    "ts": "typescript",
    "tsx": "typescript",
    "golang": "go",
    "rs": "rust",
    "c++": "cpp",
    "cxx": "cpp",
    "cc": "cpp",
    "hpp": "cpp",
    "h": "c",
    "cuda": "cpp",
    "cs": "csharp",
    "c#": "csharp",
}
# What stands in listings and is no program.
_NO_PROGRAM = frozenset(
    "bash sh shell console zsh powershell cmd command commandline conolse prompt sudo git npm text txt output ouput "
    "output_lines log yaml yml json toml ini xml html css url docker dockerfile docker-machine makefile cmake patch "
    "diff vi file_name exit markdown md csv properties conf".split()
)
# Tried in this order where the author names no language; C++ reads C too, TSX reads JavaScript.
_GUESSED = ("python", "typescript", "java", "go", "rust", "cpp", "csharp")
# So much of a text may be unreadable to its grammar: "…" for what is left out, a lost brace.
_UNREADABLE = 0.25
_GUESSED_UNREADABLE = 0.02
# Nobody reads more of a listing, and a parser should not either.
_CHARACTERS = 20_000
# Seven grammars are tried on what has no name; the output of a build is long and no program.
_GUESSED_CHARACTERS = 2_000
_PROGRAM = re.compile(
    r"^\s*(?:def|class|func|fn|function|public|private|import|from|package|using|namespace|struct|#include"
    r"|const|let|var|if|for|while|return|async|export|impl|template)\b",
    re.M,
)
_DEEPEST = 12

_LOOPS_AND_BRANCHES = frozenset(
    "if_statement elif_clause for_statement for_in_statement enhanced_for_statement foreach_statement "
    "for_range_loop while_statement do_statement switch_case case_statement switch_rule switch_section "
    "switch_block_statement_group expression_case type_case communication_case match_arm case_clause "
    "catch_clause except_clause if_expression while_expression for_expression loop_expression".split()
)
_SHORT_DECISIONS = frozenset(
    "conditional_expression ternary_expression boolean_operator if_clause for_in_clause".split()
)
_FUNCTIONS = frozenset(
    "function_definition function_declaration generator_function_declaration method_definition "
    "method_declaration constructor_declaration local_function_statement arrow_function function_expression "
    "lambda lambda_expression function_item closure_expression func_literal".split()
)
_HOLDS = frozenset(
    "switch_statement match_statement match_expression try_statement select_statement class_definition "
    "class_declaration impl_item with_statement unsafe_block".split()
)
_CALLS = frozenset(
    "call call_expression method_invocation invocation_expression new_expression "
    "object_creation_expression macro_invocation".split()
)
_CALLEE = ("function", "name", "constructor", "type", "macro")


@dataclass(frozen=True, slots=True)
class Program:
    """`cyclomatic` of the worst function; `nesting` from 0; `calls` without repetition."""

    language: str
    lines: int
    cyclomatic: int
    nesting: int
    functions: int
    calls: frozenset[str]


@lru_cache(maxsize=256)
def examined(code: str, info: str = "") -> Program | None:
    """None for what is no program. `info`: the language as the fence names it, "" for none."""
    name = info.lower().strip(".{} ")
    if name in _NO_PROGRAM or (not name and _PROGRAM.search(code) is None):
        return None
    found = parsed(code, name) or by_patterns(code)
    return found if name or found.functions or found.language else None


def parsed(code: str, name: str) -> Program | None:
    """None where no grammar reads it. Without a name the grammars are tried one after another."""
    if name:
        grammar = _CALLED.get(name)
        return _read(code[:_CHARACTERS].encode(), grammar, _UNREADABLE) if grammar else None
    data = code[:_GUESSED_CHARACTERS].encode()
    found = (_read(data, grammar, _GUESSED_UNREADABLE) for grammar in _GUESSED)
    return next((one for one in found if one is not None and _is_program(one)), None)


def by_patterns(code: str) -> Program:
    """Words that branch, indentation, and names before a bracket."""
    text = code[:_CHARACTERS]
    functions = len(_DEFINES.findall(text))
    return Program(
        language="",
        lines=sum(bool(line.strip()) for line in text.splitlines()),
        cyclomatic=1 + len(_BRANCHES.findall(text)) // max(1, functions),
        nesting=_indentation(text),
        functions=functions,
        calls=frozenset(_CALLED_NAME.findall(text)),
    )


_BRANCHES = re.compile(
    r"\b(?:if|elif|for|while|switch|case|match|when|catch|except|select|loop)\b|&&|\|\||\?\."
)
_DEFINES = re.compile(r"\b(?:def|func|fn|fun|function|sub|lambda)\b")
_CALLED_NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")


def _indentation(code: str) -> int:
    """The deepest in steps of the smallest one, at most 8."""
    widths = sorted(
        {len(line) - len(line.lstrip()) for line in code.expandtabs(4).splitlines() if line.strip()}
    )
    steps = [b - a for a, b in pairwise(widths) if b > a]
    return min(8, (widths[-1] - widths[0]) // max(2, min(steps))) if steps else 0


def _is_program(found: Program) -> bool:
    """A line of prose or output passes for an expression in some language, but does nothing."""
    return found.lines > 1 and (found.functions > 0 or found.cyclomatic > 1 or bool(found.calls))


def _read(data: bytes, grammar: str, unreadable: float) -> Program | None:
    parser = _parser(grammar)
    if parser is None:
        return None
    root = parser.parse(data).root_node
    lost = sum(node.end_byte - node.start_byte for node in _outermost_errors(root))
    if lost > unreadable * max(1, len(data)):
        return None
    counted = _Counting()
    counted.visit(root)
    return Program(
        language=grammar,
        lines=sum(bool(line.strip()) for line in data.splitlines()),
        cyclomatic=1 + max(counted.decisions),
        nesting=min(_DEEPEST, counted.deepest),
        functions=len(counted.decisions) - 1,
        calls=frozenset(counted.calls),
    )


@lru_cache(maxsize=len(_GRAMMARS))
def _parser(grammar: str) -> Parser | None:
    """None where the grammar's wheel is not installed."""
    module, function = _GRAMMARS[grammar]
    try:
        from tree_sitter import Language, Parser  # noqa: PLC0415 - only where there is code

        return Parser(Language(getattr(import_module(module), function)()))
    except ImportError:
        return None


def _outermost_errors(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.is_error:
            yield one
        elif one.has_error:
            waiting += one.children


class _Counting:
    """One walk over a tree, without recursion: nobody's listing shall exhaust the stack."""

    def __init__(self) -> None:
        self.decisions = [0]  # of the text outside all functions, then of each function
        self.deepest = 0
        self.calls: set[str] = set()

    def visit(self, root: Node) -> None:
        waiting = [(root, 0, 0)]
        while waiting:
            node, depth, function = waiting.pop()
            if node.type in _FUNCTIONS:
                self.decisions.append(0)
                function = len(self.decisions) - 1
            self.decisions[function] += _decides(node)
            depth += _nests(node)
            self.deepest = max(self.deepest, depth)
            if node.type in _CALLS:
                self.calls.add(_callee(node))
            waiting += [(child, depth, function) for child in node.children]


def _decides(node: Node) -> bool:
    if node.type == "binary_expression":
        operator = node.child_by_field_name("operator")
        return operator is not None and operator.type in ("&&", "||", "??")
    return node.type in _LOOPS_AND_BRANCHES or node.type in _SHORT_DECISIONS


def _nests(node: Node) -> bool:
    """An `else if` stands beside its `if` and not inside it."""
    if node.type in ("if_statement", "if_expression"):
        parent = node.parent
        return parent is None or parent.type not in ("else_clause", "if_statement", "if_expression")
    return node.type in _LOOPS_AND_BRANCHES or node.type in _FUNCTIONS or node.type in _HOLDS


def _callee(node: Node) -> str:
    """The last name of what is called: `encode` of `json.encode(x)`."""
    for field in _CALLEE:
        named = node.child_by_field_name(field)
        if named is not None and named.text is not None:
            return named.text.decode(errors="replace").rsplit(".", 1)[-1].rsplit("::", 1)[-1][:60]
    return ""
