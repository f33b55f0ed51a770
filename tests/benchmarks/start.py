"""Measure imports and the construction of models."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from tests.benchmarks.cases import MILLI
from tests.benchmarks.contenders import MODULES, OURS, products
from tests.benchmarks.measuring import median
from tests.benchmarks.sizes import Sizes
from tests.benchmarks.tables import Figures, table

CORE = "langchain_core.language_models.chat_models"
IMPORT = "import on top of langchain-core's chat model, ms CPU"
MODEL = "the hundredth model built, ms CPU"


def report(url: str, sizes: Sizes, figures: Figures) -> Iterator[str]:
    """Measure, and yield the lines of the table."""
    return table(["", *products()], [_imports(sizes, figures), _models(url, sizes, figures)])


def _imports(sizes: Sizes, figures: Figures) -> list[str]:
    times: dict[str, list[float]] = {name: [] for name in (CORE, *products())}
    with tempfile.TemporaryDirectory() as bytecode:
        # The first import of each compiles, and is not counted.
        for number in range(sizes.imports + 1):
            for name, measured in times.items():
                first, module = ("sys", CORE) if name == CORE else (CORE, MODULES[name])
                took = _import(first, module, bytecode)
                if number:
                    measured.append(took * MILLI)
    core, *others = (median(measured) for measured in times.values())
    figures.add_values("start", IMPORT, dict(zip(products(), others, strict=True)), OURS)
    return [IMPORT, *(f"{took:.0f} ({took / core:+.0%} of its {core:.0f})" for took in others)]


def _import(first: str, module: str, bytecode: str) -> float:
    """Return the seconds of CPU time of an import after another one, from bytecode, as for installed packages.

    Python's garbage collector runs before, because the next 700 objects, whoever makes them, would otherwise have it
    scan all objects of the first import.
    """
    script = (
        f"import gc, time, {first}; gc.collect(); began = time.process_time(); import {module}; "
        "print(time.process_time() - began)"
    )
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return float(subprocess.check_output([sys.executable, "-c", script], env=environment, text=True))


def _models(url: str, sizes: Sizes, figures: Figures) -> list[str]:
    medians = {}
    for name, make in products().items():
        times = []
        for _ in range(sizes.models):
            began = time.process_time()
            make(url)
            times.append(time.process_time() - began)
        medians[name] = median(times[-20:]) * MILLI
    figures.add_values("start", MODEL, medians, OURS)
    return [MODEL, *(f"{took:.2f}" for took in medians.values())]
