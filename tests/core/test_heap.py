from __future__ import annotations

import subprocess
import sys

import pytest

# Two arrays that grow side by side, as those of FFmpeg's index do, after two such were freed.
GROWING = """
import ctypes, sys
from fer_core.heap import map_large_blocks
if sys.argv[1] == "mapped":
    map_large_blocks()
libc = ctypes.CDLL(None)
libc.realloc.restype = ctypes.c_void_p
libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def grown():
    blocks, size = [None, None], 2**16
    while size < 10 * 2**20:
        for place in (0, 1):
            blocks[place] = libc.realloc(blocks[place], size)
            ctypes.memset(blocks[place], 1, size)
        size += size // 16
    return blocks

def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 2**20

for block in grown():
    libc.free(block)
before = resident_mb()
blocks = grown()
print(resident_mb() - before)
"""


def resident_mb(mode: str) -> float:
    done = subprocess.run([sys.executable, "-c", GROWING, mode], capture_output=True, check=True)
    return float(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told")
def test_a_block_that_grows_leaves_no_holes() -> None:
    assert resident_mb("mapped") < 25
    assert resident_mb("as it is") > 30  # or this is not needed any more
