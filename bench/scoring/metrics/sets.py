"""Metrics of two sets of features: distances, what copying would give, what attention and noise change.

Only Inception's kernel and Frechet distances are called KID and FID; under another feature network the same
metrics are KD(name) and FD(name): see `bench.scoring.metric.titled`.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from bench.runs.records import Score
from bench.scoring.frechet import frechet_distance
from bench.scoring.kernel import kernel_distance, kernel_distance_subsets, kernel_leave_one_out
from bench.scoring.metric import KERNEL_UNITS, metric, together
from bench.scoring.neighbours import density_coverage, precision_recall
from bench.scoring.neighbours import realism as realism_of
from bench.statistics.copying import FEWEST, against_copy

FEATURE_UNITS = "squared feature units"
POSITIVE = (0, math.inf)
KYNKAANNIEMI = "Kynkaanniemi et al. 2019, equations 1 and 2"
NAEEM = "Naeem et al. 2020"


@metric(
    "fd",
    title="FD",
    unit=FEATURE_UNITS,
    better="lower",
    table="distances",
    formula="|mean_x - mean_y|^2 + tr(C_x + C_y - 2 (C_x C_y)^(1/2)), unbiased covariances, float64",
    source="Heusel et al. 2017, equation 6; Dowson and Landau 1982",
    when="fewer than 2 images in either set",
    bounds=POSITIVE,
)
def fd(generated: np.ndarray, real: np.ndarray) -> float:
    """The Frechet distance."""
    return frechet_distance(generated, real)


@metric(
    "kd",
    title="KD",
    unit=KERNEL_UNITS,
    better="lower",
    table="distances",
    formula="unbiased MMD^2 over all pairs, kernel (x.y/d + 1)^3; may be slightly negative",
    source="Binkowski et al. 2018, section 4",
    when="fewer than 2 images in either set",
)
def kd(generated: np.ndarray, real: np.ndarray) -> float:
    """The kernel distance over all images at once."""
    return kernel_distance(generated, real)


@metric(
    "kd_subsets",
    title="KD over subsets",
    unit=KERNEL_UNITS,
    better="lower",
    table="sets",
    formula="mean of KD over 100 random subsets as torch-fidelity draws them (seed 2020); the spread is "
    "between subsets and is no standard error",
    source="Binkowski et al. 2018; torch-fidelity 0.4",
    when="the subset size is over the number of images in either set",
)
def kd_subsets(generated: np.ndarray, real: np.ndarray, subset_size: int) -> Score:
    """The kernel distance over random subsets, for comparison with the literature."""
    estimate = kernel_distance_subsets(generated, real, subset_size)
    return Score(value=estimate.mean, spread=estimate.deviation)


@together(
    metric(
        "precision",
        title="Precision",
        unit="share",
        better="higher",
        table="sets",
        formula="share of translations within the 3rd-neighbour ball of a real image",
        source=KYNKAANNIEMI,
        when="fewer than 4 images in either set",
        bounds=(0, 1),
    ),
    metric(
        "recall",
        title="Recall",
        unit="share",
        better="higher",
        table="sets",
        formula="share of real images within the 3rd-neighbour ball of a translation",
        source=KYNKAANNIEMI,
        when="fewer than 4 images in either set",
        bounds=(0, 1),
    ),
)
def precision_and_recall(generated: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Improved precision and recall, k = 3."""
    return precision_recall(generated, real)._asdict()


@together(
    metric(
        "density",
        title="Density",
        unit="ratio",
        better="higher",
        table="sets",
        formula="mean number of 5th-neighbour balls of real images around a translation, over 5",
        source=NAEEM,
        when="fewer than 6 images in either set",
        bounds=POSITIVE,
    ),
    metric(
        "coverage",
        title="Coverage",
        unit="share",
        better="higher",
        table="sets",
        formula="share of real images whose 5th-neighbour ball holds a translation",
        source=NAEEM,
        when="fewer than 6 images in either set",
        bounds=(0, 1),
    ),
)
def density_and_coverage(generated: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Density and coverage, k = 5."""
    return density_coverage(generated, real)._asdict()


@metric(
    "kd_from_copy",
    title="KD less a copy's",
    unit=KERNEL_UNITS,
    better="lower",
    table="sets",
    formula="KD - KD of the source images themselves, paired; below 0 is better than copying. The spread is "
    "its jackknife standard error over images",
    source="Efron and Stein 1981; Binkowski et al. 2018, section 4",
    when="fewer than 3 images in either set",
)
def kd_from_copy(
    generated: np.ndarray, real: np.ndarray, copied: np.ndarray, columns: Mapping[str, np.ndarray]
) -> Score | None:
    """How the kernel distance differs from that of the sources as they are; said where it is theirs."""
    if min(len(generated), len(real)) < FEWEST:
        return None
    against = against_copy(kernel_leave_one_out(generated, real), kernel_leave_one_out(copied, real))
    same = float(columns["unchanged"].mean())
    words = f"collapsed to copying: {same:.0%} of the outputs are within 2 levels of their input"
    return Score(
        value=against.difference,
        spread=against.error,
        ceiling=0.0,
        reason=words if against.collapsed(same) else None,
    )


@metric(
    "kd_foreground",
    title="KD with the true background",
    unit=KERNEL_UNITS,
    better="lower",
    table="truth",
    formula="KD of the translations with the right background pasted in: of the translated foreground alone",
    source="Binkowski et al. 2018, section 4",
    when="fewer than 2 images in either set",
)
def kd_foreground(generated_pasted: np.ndarray, real: np.ndarray) -> float:
    """The kernel distance of outputs in which all but the foreground is the true counterfactual's."""
    return kernel_distance(generated_pasted, real)


@together(
    metric(
        "attention_kd",
        title="Change of KD without space in the masks",
        short_title="ΔKD, no space",
        unit=KERNEL_UNITS,
        better="none",
        table="masks",
        formula="KD with every mask replaced by its spatial mean - KD; positive where attention helps",
        source="Binkowski et al. 2018, section 4",
    ),
    metric(
        "attention_kd_swapped",
        title="Change of KD with the masks of another image",
        short_title="ΔKD, swapped",
        unit=KERNEL_UNITS,
        better="none",
        table="masks",
        formula="KD with the masks of the previous test image - KD; positive where attention helps",
        source="Binkowski et al. 2018, section 4",
    ),
)
def attention_changes(
    generated: np.ndarray,
    real: np.ndarray,
    generated_without_space: np.ndarray,
    generated_other_masks: np.ndarray,
) -> dict[str, float]:
    """What the kernel distance becomes where the attention is taken away."""
    kernel = kernel_distance(generated, real)
    return {
        "attention_kd": kernel_distance(generated_without_space, real) - kernel,
        "attention_kd_swapped": kernel_distance(generated_other_masks, real) - kernel,
    }


@metric(
    "noise_kd_spread",
    title="Spread of KD over slot noise",
    unit=KERNEL_UNITS,
    better="lower",
    table="artefacts",
    formula="standard deviation of KD over draws of the slot noise; 0 without noise",
    source="Binkowski et al. 2018, section 4",
    bounds=POSITIVE,
)
def noise_kd_spread(generated_draws: Sequence[np.ndarray], real: np.ndarray) -> float:
    """How much the kernel distance depends on the draw."""
    return spread([kernel_distance(draw, real) for draw in generated_draws if len(generated_draws) > 1])


@metric(
    "noise_fd_spread",
    title="Spread of FD over slot noise",
    unit=FEATURE_UNITS,
    better="lower",
    table="artefacts",
    formula="standard deviation of FD over draws of the slot noise; 0 without noise",
    source="Heusel et al. 2017, equation 6",
    bounds=POSITIVE,
)
def noise_fd_spread(generated_draws: Sequence[np.ndarray], real: np.ndarray) -> float:
    """How much the Frechet distance depends on the draw."""
    return spread([frechet_distance(draw, real) for draw in generated_draws if len(generated_draws) > 1])


def spread(values: Sequence[float]) -> float:
    """Standard deviation over draws; 0 for a generator without noise, which has none to vary."""
    return float(np.std(values, ddof=1)) if values else 0.0


@metric(
    "realism",
    title="Realism",
    unit="ratio",
    better="higher",
    table="faithfulness",
    formula="largest (3rd-neighbour distance of a real image / distance to it); ranks images",
    source="Kynkaanniemi et al. 2019, equation 3",
    when="fewer than 4 real images",
    bounds=POSITIVE,
    column=True,
    extremes=True,
)
def realism(generated: np.ndarray, real: np.ndarray) -> np.ndarray:
    """How deep each translation lies within the real images: [n]."""
    return realism_of(generated, real)
