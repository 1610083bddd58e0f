"""The catalogue's entries for per-image measurements and their summaries. Imports no torch.

Each is a column of images.csv; scores.json holds the mean over images with the spread. Entries with scope
`set` in this file are made of a whole split. The functions are in `bench.scoring.measurements`.
"""

from bench.scoring.catalogue_masks import MASK_METRICS, NO_MASKS
from bench.scoring.catalogue_truth import TRUTH_METRICS
from bench.scoring.metric import Metric

LEVELS = "levels of 255"

COLOUR_AND_NOISE = (
    Metric(
        key="colourfulness",
        title="Colourfulness",
        unit=LEVELS,
        better="nearer target",
        scope="image",
        formula="rg = R - G, yb = (R + G)/2 - B: sqrt(var rg + var yb) + 0.3 sqrt(mean rg^2 + mean yb^2)",
        source="Hasler and Susstrunk 2003",
        undefined_when="",
    ),
    Metric(
        key="colourfulness_gap",
        title="Colourfulness gap",
        unit=LEVELS,
        better="lower",
        scope="set",
        formula="|mean colourfulness of the translations - that of the target domain's test images|",
        source="Hasler and Susstrunk 2003, applied to sets",
        undefined_when="",
    ),
    Metric(
        key="noise",
        title="Noise",
        unit=LEVELS,
        better="nearer target",
        scope="image",
        formula="sqrt(pi/2)/6 times the mean of |luma * N|, N = [1 -2 1; -2 4 -2; 1 -2 1]; texture reads as "
        "noise too",
        source="Immerkaer 1996",
        undefined_when="the image is smaller than 3 pixels",
    ),
    Metric(
        key="noise_gap",
        title="Noise gap",
        unit=LEVELS,
        better="lower",
        scope="set",
        formula="|mean noise of the translations - that of the target domain's test images|",
        source="Immerkaer 1996, applied to sets",
        undefined_when="the image is smaller than 3 pixels",
    ),
)

LINES = (
    Metric(
        key="edge_correlation",
        title="Edge correlation",
        unit="1",
        better="higher",
        scope="image",
        formula="Pearson correlation over pixels of the Sobel gradient lengths of source and output luma",
        source="Sobel and Feldman 1968; Pearson 1895",
        undefined_when="source or output is flat, or smaller than 5 pixels",
    ),
    Metric(
        key="structure",
        title="SSIM structure",
        unit="1",
        better="higher",
        scope="image",
        formula="mean of (covariance + C3) / (deviation_x deviation_y + C3) in 11-pixel Gaussian windows of "
        "source and output luma",
        source="Wang et al. 2004, equation 10",
        undefined_when="the image is smaller than 11 pixels",
    ),
    Metric(
        key="ms_ssim",
        title="MS-SSIM",
        unit="1",
        better="higher",
        scope="image",
        formula="MS-SSIM of source and output luma; under 176 pixels fewer scales (3 at 64, 4 at 128), their "
        "weights scaled to sum to 1: compare at one image size only",
        source="Wang, Simoncelli and Bovik 2003",
        undefined_when="the image is smaller than 11 pixels",
    ),
)


def grid_metrics(prefix: str, of: str, scope: str, undefined: str) -> tuple[Metric, ...]:
    """The entries for grid artefacts, on the residual (`grid`) or on the masks (`mask_grid`)."""
    contrast = f"steepness of {of} between neighbours, folded by position modulo the period: the largest "
    contrast += "phase mean over the mean of the others; near 1 without a grid"
    small = "fewer than two periods fit into the image"
    no_own = "the generator has no layer that enlarges"
    periods = [(str(period), f"period {period}", small) for period in (2, 4, 8, 16)]
    entries = [
        Metric(
            key=f"{prefix}_{name}",
            title=f"Grid of {of}, {words}",
            unit="ratio",
            better="lower",
            scope="mask" if scope == "mask" else "image",
            formula=contrast,
            source="after Wang, Bovik and Evans 2000",
            undefined_when=f"{undefined}{when}",
        )
        for name, words, when in [*periods, ("decoder", "the decoder's own period", f"{no_own}, or {small}")]
    ]
    peak = Metric(
        key=f"{prefix}_peak",
        title=f"Spectral peak of {of}",
        unit="dB",
        better="lower",
        scope="mask" if scope == "mask" else "image",
        formula=f"power spectrum of {of} (Hann window): largest multiple of 1/16 cycle a pixel over its ring",
        source="after Durall et al. 2020",
        undefined_when=f"{undefined}the image is smaller than 64 pixels",
    )
    return (*entries, peak)


CHANGE = (
    Metric(
        key="mean_change",
        title="Mean change",
        unit=LEVELS,
        better="none",
        scope="image",
        formula="mean of |output - source|",
        source="",
        undefined_when="",
    ),
    Metric(
        key="unchanged",
        title="Unchanged",
        unit="share of images",
        better="lower",
        scope="image",
        formula="1 where the mean change is at most 2 levels, else 0: identity collapse",
        source="",
        undefined_when="",
    ),
    Metric(
        key="cycle_l1",
        title="Cycle L1",
        unit=LEVELS,
        better="lower",
        scope="image",
        formula="mean of |G_back(G(x)) - x|",
        source="Zhu et al. 2017, equation 2",
        undefined_when="the images are another program's",
    ),
    Metric(
        key="identity_l1",
        title="Identity L1",
        unit=LEVELS,
        better="lower",
        scope="image",
        formula="mean of |G_back(x) - x|, x from the domain that the other generator translates to",
        source="Zhu et al. 2017, section 5.2",
        undefined_when="the images are another program's",
    ),
    Metric(
        key="noise_sensitivity",
        title="Sensitivity to slot noise",
        unit=LEVELS,
        better="lower",
        scope="image",
        formula="standard deviation of the output over draws of the slot noise, mean over pixels; else 0",
        source="",
        undefined_when="the protocol asks for fewer than 2 draws",
    ),
)

IMAGE_METRICS: tuple[Metric, ...] = (
    *COLOUR_AND_NOISE,
    *LINES,
    *grid_metrics("grid", "output - source", "image", ""),
    *CHANGE,
    *MASK_METRICS,
    *grid_metrics("mask_grid", "the masks", "mask", f"{NO_MASKS}, or "),
    *TRUTH_METRICS,
)
"""Every per-image measurement and summary that needs no feature network, in the order of tables."""
