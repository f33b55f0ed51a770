"""Greenlets of gevent that are killed amid a call. The patched modules need a process of their own."""

import subprocess
import sys

import pytest

from langchain_kimi.testing import Emulator, Reply
from tests.cancellation.ways import settles
from tests.conftest import KEY

pytest.importorskip("gevent", reason="gevent is not installed")

SCRIPT = """
from gevent import monkey
monkey.patch_all()
import gc, random, sys
import gevent
from langchain_kimi import ChatKimi
from langchain_kimi._openrouter.http import clients

model = ChatKimi(api_key=sys.argv[1], base_url=sys.argv[2], max_retries=0, max_connections=8)
chance = random.Random(1)

def read():
    for _ in model.stream("Go on."):
        pass

def call():
    model.invoke("Go on.")

for turn in range(int(sys.argv[3])):
    greenlets = [gevent.spawn(chance.choice([read, call])) for _ in range(12)]
    gevent.sleep(chance.uniform(0, 0.03))
    gevent.killall(greenlets)
    assert all(greenlet.dead for greenlet in greenlets)
    gc.collect()
    pools = clients._registry.sync.by_key.values()
    assert [(len(pool.callers), len(pool.waiters)) for pool in pools if not pool.is_unused] == [], turn
    assert model.invoke("Hello.").text
print("done")
"""


@pytest.mark.parametrize("turns", [10, pytest.param(300, marks=pytest.mark.long)], ids=["some", "many"])
def test_greenlets_that_are_killed(turns: int) -> None:
    with Emulator() as openrouter:
        openrouter.behave(pause=0.001)
        openrouter.script(Reply(text="word " * 20), times=None)
        ended = subprocess.run(
            [sys.executable, "-c", SCRIPT, KEY, openrouter.base_url, str(turns)],
            capture_output=True,
            text=True,
            check=False,
            timeout=1000,
        )
        assert (ended.stdout, ended.stderr, ended.returncode) == ("done\n", "", 0)
        assert settles(lambda: openrouter.open_connections == 0)
