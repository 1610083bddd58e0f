"""Grid artefacts: patterns that repeat every few pixels, left by strided and transposed convolutions.

Both measures take planes [b, k, h, w] in levels: the luma of output minus source (k = 1), where what was in
the photograph cancels, or masks times 255, whose energies are added over k.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from bench.scoring.metric import metric, together
from bench.scoring.metrics.colour import luma

PERIODS = (2, 4, 8, 16)
"""Periods, in pixels, of decoders that upsample one to four times by two."""

_THOUSANDTH = 1e-3
"""A pattern of a thousandth of a level is no pattern: added to both sides of each ratio."""

_LARGEST_PERIOD = PERIODS[-1]
SMALLEST_SPECTRUM = 4 * _LARGEST_PERIOD
"""Shorter side, in pixels, from which frequencies lie between those of a 16-pixel grid."""

_SMALLEST_RING = 8


def grid_metrics(prefix: str, of: str, table: str) -> Callable[[Any], Any]:
    """Decorator for a function that measures grids by `all_grids`: contrasts `of` what, and the peak."""
    contrast = (
        f"steepness of {of} between neighbours, folded by position modulo the period: the largest phase "
    )
    contrast += "mean over the mean of the others; near 1 without a grid"
    small = "fewer than two periods fit into the image"
    periods = [(str(period), f"period {period}", f"period {period}", small) for period in PERIODS]
    own = f"the generator has no layer that enlarges, or {small}"
    periods.append(("decoder", "the decoder's own period", "period decoder", own))
    contrasts = [
        metric(
            f"{prefix}_{name}",
            title=f"Grid of {of}, {words}",
            short_title=short,
            unit="ratio",
            better="lower",
            table=table,
            formula=contrast,
            source="after Wang, Bovik and Evans 2000",
            when=when,
            bounds=(0, float("inf")),
        )
        for name, words, short, when in periods
    ]
    peak = metric(
        f"{prefix}_peak",
        title=f"Spectral peak of {of}",
        short_title="spectral peak",
        unit="dB",
        better="lower",
        table=table,
        formula=f"power spectrum of {of} (Hann window): largest multiple of 1/16 cycle a pixel over its ring",
        source="after Durall et al. 2020",
        when="the image is smaller than 64 pixels",
    )
    return together(*contrasts, peak)


@grid_metrics("grid", "output - source", "artefacts")
def grids(source: Tensor, output: Tensor, period: int | None = None) -> dict[str, Tensor]:
    """Grids in what the translation changed: name -> [b]; `period` is the generator's own."""
    return all_grids("grid", residual(source, output), period)


def all_grids(prefix: str, planes: Tensor, period: int | None) -> dict[str, Tensor]:
    """Every contrast and the peak of planes [b, k, h, w]: name -> [b]; `period` is the generator's own."""
    own = {period} if period is not None else set()
    contrasts = phase_contrasts(planes, {*PERIODS, *own})
    found = {f"{prefix}_{each}": contrasts[each] for each in PERIODS}
    found |= {f"{prefix}_decoder": contrasts[each] for each in own}
    return found | {f"{prefix}_peak": spectral_peak(planes)}


def residual(source: Tensor, output: Tensor) -> Tensor:
    """Luma of output minus source, [b, 1, h, w], from images [b, 3, h, w]; all in levels."""
    return (luma(output) - luma(source))[:, None]


def phase_contrast(planes: Tensor, period: int) -> Tensor:
    """Steepness at the worst phase of a grid of `period` pixels over that at the others: [b], >= 1.

    The absolute differences of neighbours are averaged by their position modulo `period`; the value is the
    largest of these means over the mean of the others, for columns or rows, whichever is larger. A blocky
    grid has all its steps in one phase: over 1000, while an image without a grid is near 1; lower is better.
    After the phase folding of blocking detectors (Wang, Bovik and Evans 2000). NaN where fewer than two
    periods fit into the image.
    """
    return phase_contrasts(planes, (period,))[period]


def phase_contrasts(planes: Tensor, periods: Iterable[int]) -> dict[int, Tensor]:
    """`phase_contrast` for several periods at once: period -> [b]."""
    if planes.ndim != 4:
        raise ValueError(f"planes have shape {list(planes.shape)}; expected [b, k, h, w]")
    across = planes.diff(dim=3).abs_().sum(dim=1).mean(dim=1)
    down = planes.diff(dim=2).abs_().sum(dim=1).mean(dim=2)
    return {period: torch.maximum(_contrast(across, period), _contrast(down, period)) for period in periods}


def _contrast(steps: Tensor, period: int) -> Tensor:
    """Largest phase mean over the mean of the others, of steps [b, n] between neighbouring pixels."""
    if period < 2:
        raise ValueError(f"a grid has a period of 2 pixels or more, not {period}")
    if steps.shape[1] + 1 < 2 * period:
        return steps.new_full((len(steps),), torch.nan)
    phases = torch.stack([steps[:, phase::period].mean(dim=1) for phase in range(period)], dim=1)
    largest = phases.amax(dim=1)
    others = (phases.sum(dim=1) - largest) / (period - 1)
    return (largest + _THOUSANDTH) / (others + _THOUSANDTH)


def spectral_peak(planes: Tensor) -> Tensor:
    """Power at the strongest frequency of a 16-pixel grid over that of its ring, in dB: [b].

    Lower is better: about 6 to 9 for white noise, 8 to 15 for changes between photographs, up to 20 for
    right translations of the embedded scenes, 25 and more for a checkerboard.

    The planes lose their mean, are windowed (Hann) and transformed; grid frequencies are the multiples of
    1/16 cycle a pixel in both directions, which hold those of periods 2, 4 and 8; the ring of a frequency
    is all frequencies of the same rounded length that are not next to a grid frequency (after Durall et al.
    2020 and Zhang et al. 2019, who read upsampling artefacts off the spectrum). Images are cropped to a
    multiple of 16; NaN for images under 64 pixels, where no frequency lies between those of the grid.
    """
    if planes.ndim != 4:
        raise ValueError(f"planes have shape {list(planes.shape)}; expected [b, k, h, w]")
    height, width = (side - side % _LARGEST_PERIOD for side in planes.shape[2:])
    if min(height, width) < SMALLEST_SPECTRUM:
        return planes.new_full((len(planes),), torch.nan)
    planes = planes[:, :, :height, :width]
    planes = planes - planes.mean(dim=(2, 3), keepdim=True)
    window = _hann(height, planes)[:, None] * _hann(width, planes)[None]
    power = torch.fft.rfft2(planes * window).abs().square().sum(dim=1).flatten(1)
    grid, ring_of_grid, quiet, ring_of_quiet = (
        index.to(planes.device) for index in _frequencies(height, width)
    )
    # White noise of a thousandth of a level would have this power at every frequency.
    least = _THOUSANDTH**2 * window.square().sum()
    count = torch.bincount(ring_of_quiet)
    total = power.new_zeros(len(power), len(count)).index_add(1, ring_of_quiet, power[:, quiet])
    ring = (total / count.clamp_min(1))[:, ring_of_grid]
    ratio = (power[:, grid] + least) / (ring + least)
    return 10 * torch.log10(ratio.amax(dim=1))


def _hann(size: int, like: Tensor) -> Tensor:
    return torch.hann_window(size, periodic=True, dtype=like.dtype, device=like.device)


@functools.lru_cache(maxsize=8)
def _frequencies(height: int, width: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Grid frequencies, their rings, the frequencies away from the grid and theirs; flat indices of rfft2.

    A ring gathers frequencies of equal length in cycles a pixel, in steps of one cycle a shorter side. A Hann
    window spreads a line over its neighbours, hence a frequency within one of the grid belongs to no ring. A
    grid frequency whose own ring is too small (the corner of the spectrum) is compared with the nearest.
    """
    rows = torch.fft.fftfreq(height, 1 / height).round().long()
    columns = torch.arange(width // 2 + 1)
    away_rows = _steps_to_grid(rows, height // _LARGEST_PERIOD)
    away_columns = _steps_to_grid(columns, width // _LARGEST_PERIOD)
    distance = torch.maximum(away_rows[:, None], away_columns[None]).flatten()
    length = ((rows[:, None] / height) ** 2 + (columns[None] / width) ** 2).sqrt().flatten()
    ring = (length * min(height, width)).round().long()
    grid = torch.nonzero((distance == 0) & (ring > 0)).flatten()
    quiet = torch.nonzero((distance > 1) & (ring > 0)).flatten()
    large = torch.nonzero(torch.bincount(ring[quiet]) >= _SMALLEST_RING).flatten()
    nearest = (ring[grid][:, None] - large[None]).abs().argmin(dim=1)
    return grid, large[nearest], quiet, ring[quiet]


def _steps_to_grid(frequency: Tensor, spacing: int) -> Tensor:
    remainder = frequency.abs() % spacing
    return torch.minimum(remainder, spacing - remainder)
