"""Where things live: which way imports point, where they stand, and how long a file may be."""

import ast
import dataclasses
import functools
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.programs import programs
from tests.helpers.running import ROOT, environment

PACKAGES = ("keras_cvaegan", "datasets", "trainers", "benchmarks")
MAX_LINES = 350
# From below: each imports what stands in its line or before.
# A training step knows no model, while a training run does: `training` has two floors.
STEP = (
    *("step", "tensorflow_step", "jax_step", "phases", "statistics", "overflow"),
    *("optimizers", "code_batches", "model_part"),
)
FLOORS = (
    ("keras_cvaegan.version", "keras_cvaegan.names"),
    ("keras_cvaegan.files", "keras_cvaegan.remote_files", "keras_cvaegan.progress"),
    ("keras_cvaegan.ops", "keras_cvaegan.pictures"),
    ("keras_cvaegan.layers", "keras_cvaegan.losses"),
    ("keras_cvaegan.pretrained",),
    ("keras_cvaegan.networks",),
    tuple(f"keras_cvaegan.training.{name}" for name in STEP),
    ("keras_cvaegan.metrics",),
    ("keras_cvaegan.models",),
    ("keras_cvaegan.saving", "keras_cvaegan.applications", "keras_cvaegan.export"),
    ("keras_cvaegan.training", "keras_cvaegan.serving", "keras_cvaegan"),
    ("datasets",),
    ("trainers",),
    ("benchmarks",),
)
# What may be imported inside a function outside of programs: a back end, where the module serves
# the other one too, and what an extra installs.
LATE = {
    *("tensorflow", "keras", "jax", "tensorflow_datasets", "requests", "google"),
    *("apache_beam", "tensorflow_metadata", "tfx_bsl", "tfx", "ml_metadata", "gradio"),
}
# Modules that import some of the project inside a function, and why.
LATE_MODULES = {
    "keras_cvaegan.models.feature_clusters": "scikit-learn, for one model of many",
    "trainers.tfx.building": "a component of TFX, where it is installed",
}


@dataclasses.dataclass(frozen=True)
class Import:
    """A module that another one imports.

    Args:
        name: whole name of the module or of what is taken from it.
        inside: whether it is within a function.
    """

    name: str
    inside: bool


@functools.cache
def modules():
    """The project's modules and their files, by name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@functools.cache
def imports(module):
    """What a module imports when it runs, types that are only for checkers left out."""
    found = []

    def visit(node, inside):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, inside) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            found.extend(Import(f"{node.module}.{alias.name}", inside) for alias in node.names)
        inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.iter_child_nodes(node):
            visit(child, inside)

    visit(ast.parse(modules()[module].read_text(encoding="utf-8")), inside=False)
    return found


def own(module):
    """The modules of the project that a module imports."""
    found = set()
    for each in imports(module):
        name = each.name if each.name in modules() else each.name.rpartition(".")[0]
        if name in modules():
            found.add(name)
    return found


def floor(module):
    """Number of a module's floor: that of its longest name in `FLOORS`."""
    numbers = {name: number for number, names in enumerate(FLOORS) for name in names}
    while module not in numbers:
        module = module.rpartition(".")[0]
    return numbers[module]


def room(module):
    """The folder of a module within trainers; a program's own name."""
    return ".".join(module.split(".")[:2])


def rooms():
    """Modules that are no programs."""
    return [module for module in modules() if module not in programs()]


def test_imports_point_downwards():
    wrong = {
        (module, name)
        for module in modules()
        for name in own(module)
        if floor(name) > floor(module)
    }
    assert wrong == set()


def test_no_two_modules_import_each_other():
    wait = {module: own(module) - {module} for module in modules()}
    graphlib.TopologicalSorter(wait).prepare()


def test_rooms_of_trainers_do_not_import_each_other():
    wait = {}
    for module in rooms():
        if module.startswith("trainers."):
            others = {room(name) for name in own(module) if name.startswith("trainers.")}
            wait.setdefault(room(module), set()).update(others - {room(module)})
    graphlib.TopologicalSorter(wait).prepare()


def test_nothing_imports_a_program():
    wrong = {
        (module, name)
        for module in modules()
        if not module.startswith("benchmarks.")
        for name in own(module)
        if name in programs()
    }
    assert wrong == set()


@pytest.mark.parametrize("program", programs())
def test_a_program_imports_its_room_alone_late(program):
    tree = ast.parse(modules()[program].read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    late = {
        function.name: [x for x in ast.walk(function) if isinstance(x, ast.Import | ast.ImportFrom)]
        for function in functions
    }
    assert {name: len(found) for name, found in late.items() if found} in ({"main": 1}, {})


def test_rooms_import_at_their_top():
    late = {
        module: [each.name for each in imports(module) if each.inside]
        for module in rooms()
        if not module.startswith("benchmarks.")
    }
    wrong = {
        module
        for module, names in late.items()
        if any(name.split(".")[0] not in LATE for name in names)
    }
    assert wrong == set(LATE_MODULES)


def test_help_of_every_program_needs_no_tensorflow():
    code = """
import contextlib, importlib, io, sys

for name in sys.argv[1:]:
    program = importlib.import_module(name)
    with contextlib.redirect_stdout(io.StringIO()) as output:
        assert program.COMMAND.call(program.main, ["--help"]) == 0, name
    assert "Usage: python -m " in output.getvalue(), name
    assert not {"tensorflow", "keras", "jax", "tfx"} & set(sys.modules), name
"""
    result = subprocess.run(
        [sys.executable, "-c", code, *programs()],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-2000:]


def test_files_are_short():
    paths = [*modules().values(), *(ROOT / "tests").rglob("*.py")]
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    long = {str(Path(p).relative_to(ROOT)): n for p, n in lines.items() if n > MAX_LINES}
    assert long == {}
