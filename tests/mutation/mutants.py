"""All small changes of a file: the operators of cosmic-ray, and conjugations left out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

BITS = ("RShift", "LShift", "BitOr", "BitAnd", "BitXor")


@dataclass(frozen=True)
class Mutant:
    """name: the operator and its place in the file. code: the whole file, changed."""

    path: str
    name: str
    code: str


def mutants(path: str, code: str) -> list[Mutant]:
    """Those that can behave differently, each once: not of annotations, nor of what an error says."""
    seen, found = {_meaning(code)}, []
    for name, changed in (*_of_cosmic_ray(code), *_conjugations(code)):
        try:
            meaning = _meaning(changed)
        except SyntaxError:  # the * before keywords, taken for a product
            continue
        if meaning not in seen:
            seen.add(meaning)
            found.append(Mutant(path, name, changed))
    return found


def _of_cosmic_ray(code: str) -> Iterator[tuple[str, str]]:
    for name in operator_names():
        if not _worth_it(name):
            continue
        for n in count():
            changed = mutate_code(code, get_operator(name)(), n)
            if changed is None:
                break
            yield f"{name.removeprefix('core/')} {n}", changed


def _worth_it(name: str) -> bool:
    """Bits for numbers, and `is` for `==`, fail at once or change nothing, which would flatter or blur the figure."""
    _, _, swap = name.partition("Operator_")
    sides = swap.split("_")
    if "Binary" in name:
        return (sides[0] in BITS) == (sides[1] in BITS)
    if "Comparison" in name:
        return ("Is" in sides[0]) == ("Is" in sides[1])
    return "Variable" not in name and "RemoveDecorator" not in name


def _conjugations(code: str) -> Iterator[tuple[str, str]]:
    for n, place in enumerate(re.finditer(r"\.conj\(\)|\.mH\b", code)):
        instead = ".mT" if place[0] == ".mH" else ""
        yield f"Unconjugate {n}", code[: place.start()] + instead + code[place.end() :]


class _Bare(ast.NodeTransformer):
    """Without annotations, which are never evaluated, and without what is raised."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return ast.Raise()


def _meaning(code: str) -> str:
    return ast.dump(_Bare().visit(ast.parse(code)))
