"""The catalogue's entries for masks and for the effect of attention. Imports no torch."""

from bench.scoring.metric import Better, Metric

NO_MASKS = "the generator has no masks"
NO_BACKGROUND = "no mask weighs the input image"
DEAD_DEVIATION = 1e-3
"""Below this spatial deviation a mask head is called dead (equal to `variants.parts.masks`'s, tested)."""


def _mask_metric(
    key: str, title: str, formula: str, source: str, better: Better = "none", unit: str = "1", when: str = ""
) -> Metric:
    undefined = f"{NO_MASKS}, or {when}" if when else NO_MASKS
    return Metric(key, title, unit, better, "mask", formula, source, undefined)


MASK_METRICS = (
    _mask_metric(
        "attention_effect",
        "Attention effect",
        "mean |output - output with every mask replaced by its spatial mean|; 0 where attention does nothing",
        "Meyes et al. 2019, ablation applied to masks",
        unit="levels of 255",
    ),
    _mask_metric(
        "attention_effect_swapped",
        "Attention effect, swapped",
        "mean |output - output with the masks of the previous test image|; 0 for masks that ignore the image",
        "Meyes et al. 2019, ablation applied to masks",
        unit="levels of 255",
    ),
    _mask_metric(
        "mask_spatial_deviation",
        "Spatial deviation of the masks",
        "mean over masks of the standard deviation over pixels; a head under 0.001 is dead",
        "",
    ),
    _mask_metric(
        "mask_entropy",
        "Mask entropy",
        "mean over pixels of the entropy of the mask shares, over log K: 0 one-hot, 1 uniform",
        "Shannon 1948",
    ),
    _mask_metric(
        "mask_effective_number",
        "Effective number of masks",
        "exp(entropy of the coverage): how many masks are in use",
        "Hill 1973",
        unit="masks",
    ),
    _mask_metric(
        "mask_overlap",
        "Mask overlap",
        "mean over pairs of masks of sum min / sum max over pixels: 0 disjoint, 1 equal",
        "Ruzicka 1958",
        better="lower",
        when="there is one mask",
    ),
    _mask_metric("mask_binarity", "Mask binarity", "mean over pixels of the largest share", ""),
    _mask_metric(
        "mask_sum_error",
        "Mask sum error",
        "mean over pixels of |sum of the masks - 1|: 0 for a convex combination",
        "",
        better="lower",
    ),
    _mask_metric(
        "mask_background",
        "Background mask",
        "mean of the mask of the input image; near 1 the output is the input",
        "Tang et al. 2021",
        when=NO_BACKGROUND,
    ),
    Metric(
        key="mask_input_dependence",
        title="Input dependence of the masks",
        unit="share of variance",
        better="higher",
        scope="set",
        formula="variance over images at a pixel / total variance; near 0: a fixed positional grid",
        source="analysis of variance, Fisher 1925",
        undefined_when=f"{NO_MASKS}, or the masks are constant, or there are fewer than 2 images",
    ),
    _mask_metric(
        "mask_coverage_<k>",
        "Coverage of mask k",
        "mean share of mask k, counted from 0; a column of images.csv for every mask",
        "",
    ),
    _mask_metric(
        "mask_deviation_<k>",
        "Spatial deviation of mask k",
        "standard deviation of mask k over pixels; a column of images.csv for every mask",
        "",
    ),
)


def mask_head_in_words(spatial_deviation: float) -> str | None:
    """What to say of a mask head by its `mask_spatial_deviation`: a sentence if it is dead, else None.

    >>> mask_head_in_words(1.5e-7)
    'dead head: the masks are constant in space (deviation 1.5e-07, under 0.001)'
    """
    if spatial_deviation >= DEAD_DEVIATION:
        return None
    return (
        f"dead head: the masks are constant in space (deviation {spatial_deviation:.2g}, "
        f"under {DEAD_DEVIATION:g})"
    )
