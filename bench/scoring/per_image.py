"""All per-image measurements of a batch, by the keys of the catalogue: the columns of images.csv."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.scoring.measurements import grids, truth
from bench.scoring.measurements.change import mean_change, unchanged
from bench.scoring.measurements.colour import colourfulness
from bench.scoring.measurements.images import levels
from bench.scoring.measurements.lines import edge_correlation
from bench.scoring.measurements.masks import mask_binarity, mask_overlap, mask_sum_error
from bench.scoring.measurements.noise import noise_deviation
from bench.scoring.measurements.similarity import ms_ssim, psnr, ssim, structure
from variants.parts import masks as mask_statistics

Columns = dict[str, Tensor]
"""Key -> one number an image, [b], on the CPU."""


@dataclass(frozen=True, eq=False)
class TruthBatch:
    """Ground truth of a batch: see `bench.data.dataset.Truth`."""

    counterfactual: NDArray[np.uint8]
    foreground: NDArray[np.bool_]
    objects: NDArray[np.uint8]


def measure_alone(image: Tensor) -> Columns:
    """What needs no source, of images [b, 3, h, w] in levels: for real images of the target domain, too."""
    return {"colourfulness": colourfulness(image), "noise": noise_deviation(image)}


def measure_pairs(source: Tensor, output: Tensor, decoder_period: int | None = None) -> Columns:
    """What needs source and output alone, [b, 3, h, w] in levels, so also the images of other programs.

    `decoder_period` is the generator's own grid in pixels, None where it is unknown or there is none.
    """
    residual = grids.residual(source, output)
    return {
        **measure_alone(output),
        "edge_correlation": edge_correlation(source, output),
        "structure": structure(source, output),
        "ms_ssim": ms_ssim(source, output),
        "mean_change": mean_change(source, output),
        "unchanged": unchanged(source, output),
        **_measure_grids("grid", residual, decoder_period),
    }


def measure_masks(masks: Tensor, background: int | None, decoder_period: int | None) -> Columns:
    """What needs the masks [b, k, h, w] alone; `mask_background` only where the input has a mask."""
    coverage = mask_statistics.mask_coverage(masks).unbind(dim=1)
    deviation = mask_statistics.mask_deviations(masks).unbind(dim=1)
    columns = {
        "mask_entropy": mask_statistics.mask_entropy(masks),
        "mask_effective_number": mask_statistics.mask_effective_number(masks),
        "mask_overlap": mask_overlap(masks),
        "mask_binarity": mask_binarity(masks),
        "mask_sum_error": mask_sum_error(masks),
        "mask_spatial_deviation": torch.stack(deviation).mean(dim=0),
        **_measure_grids("mask_grid", 255 * masks, decoder_period),
        **{f"mask_coverage_{k}": value for k, value in enumerate(coverage)},
        **{f"mask_deviation_{k}": value for k, value in enumerate(deviation)},
    }
    if background is not None:
        columns["mask_background"] = mask_statistics.mask_background(masks, background)
    return columns


def measure_truth(source: Tensor, output: Tensor, right: TruthBatch) -> Columns:
    """What needs ground truth and images [b, 3, h, w] in levels, but no masks."""
    counterfactual = levels(right.counterfactual, output.device)
    background = torch.from_numpy(truth.outside(right.foreground)).to(output.device)
    return {
        "edge_correlation_background": edge_correlation(source, output, background),
        "background_psnr": psnr(output, counterfactual, background),
        "counterfactual_l1": mean_change(output, counterfactual),
        "counterfactual_psnr": psnr(output, counterfactual),
        "counterfactual_ssim": ssim(output, counterfactual),
    }


def measure_segmentation(masks: Tensor, background: int | None, right: TruthBatch) -> Columns:
    """How well the masks [b, k, h, w] find the objects; `foreground_iou` only where the input has a mask."""
    regions = truth.segmentation(masks)
    pairs = list(zip(regions, right.objects, strict=True))
    columns = {
        "best_mask_iou": [truth.best_mask_iou(*pair) for pair in zip(regions, right.foreground, strict=True)],
        "matched_iou": [truth.matched_iou(*pair) for pair in pairs],
        "foreground_ari": [truth.foreground_ari(*pair) for pair in pairs],
    }
    if background is not None:
        columns["foreground_iou"] = truth.foreground_iou(masks, background, right.foreground).tolist()
    return {key: torch.tensor(values) for key, values in columns.items()}


def _measure_grids(prefix: str, planes: Tensor, decoder_period: int | None) -> Columns:
    own = {decoder_period} if decoder_period is not None else set()
    contrasts = grids.phase_contrasts(planes, {*grids.PERIODS, *own})
    columns = {f"{prefix}_{period}": contrasts[period] for period in grids.PERIODS}
    columns |= {f"{prefix}_decoder": contrasts[period] for period in own}
    return columns | {f"{prefix}_peak": grids.spectral_peak(planes)}
