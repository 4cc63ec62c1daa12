"""How the C library hands out large blocks of memory."""

from __future__ import annotations

import ctypes
import sys

_M_MMAP_THRESHOLD = -3  # of glibc's <malloc.h>
LARGE_BYTES = 4 * 2**20  # above the index of a short film, and a frame of 1280x720


def map_large_blocks() -> None:
    """Give each large block pages of its own in this process; they go back when it is freed.

    glibc does so until the first one is freed; from then on blocks of up to 32 MB come from the
    heap. There an index that grows as it is read, as FFmpeg's of a long MP4, is copied again and
    again and leaves holes of its former sizes: 38 MB instead of 14 for one of two hours.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
