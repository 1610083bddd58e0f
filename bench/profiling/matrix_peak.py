"""What the machine can do at most: its fastest square matrix product."""

import time
from collections.abc import Sequence

import torch

SIZES = {"cpu": (512, 1024, 2048), "cuda": (4096, 8192)}
"""Rows of the matrices tried."""
SECONDS_OF_A_SIZE = 0.5
FEWEST_PRODUCTS = 3


def matrix_peak(device: torch.device, dtype: torch.dtype, sizes: Sequence[int] | None = None) -> float:
    """The highest rate, in FLOP a second, of square matrix products of `dtype` on `device`."""
    return max(product_rate(rows, device, dtype) for rows in sizes or SIZES[device.type])


def product_rate(rows: int, device: torch.device, dtype: torch.dtype) -> float:
    """FLOP a second of the fastest of several products of two matrices of `rows` rows and columns."""
    left = torch.randn(rows, rows, device=device).to(dtype)
    right = torch.randn(rows, rows, device=device).to(dtype)
    result = left @ right
    fastest, until, done = float("inf"), time.perf_counter() + SECONDS_OF_A_SIZE, 0
    while done < FEWEST_PRODUCTS or time.perf_counter() < until:
        wait_for(device)
        began = time.perf_counter()
        torch.matmul(left, right, out=result)
        wait_for(device)
        fastest = min(fastest, time.perf_counter() - began)
        done += 1
    return 2 * rows**3 / fastest


def wait_for(device: torch.device) -> None:
    """Until the device has done everything that was asked of it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
