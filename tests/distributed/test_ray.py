"""Errors that cross from a Ray task to its caller; run by `make test-ray`."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.test_errors import TREE

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="ray is not installed; `make test-ray` installs it"
)

PROGRAM = """
import ray
from langchain_kimi.errors import KimiError
from tests.test_errors import DETAILS, TREE, made

ray.init(num_cpus=2, include_dashboard=False, object_store_memory=80_000_000, log_to_driver=False)

@ray.remote
def fail(index):
    raise made(list(TREE)[index], **DETAILS)

for index, kind in enumerate(TREE):
    try:
        ray.get(fail.remote(index))
    except kind as error:
        for name, value in vars(made(kind, **DETAILS)).items():
            # Ray's exceptions have a cause of their own.
            if name != "cause":
                assert repr(getattr(error, name)) == repr(value), (kind, name)
        assert isinstance(error.cause, KimiError), kind
    else:
        raise AssertionError(kind)
print("whole:", len(TREE))
"""


def test_an_error_of_a_ray_task_arrives_whole() -> None:
    # In a process of its own: Ray starts servers, and its Python sockets use other addresses of this machine.
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled"}
    command = [sys.executable, "-c", PROGRAM]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert ran.stdout.splitlines()[-1:] == [f"whole: {len(TREE)}"], ran.stderr[-2000:]
