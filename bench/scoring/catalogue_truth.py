"""The catalogue's entries that need ground truth: the embedded scenes. Imports no torch."""

from bench.scoring.metric import Better, Metric

NO_TRUTH = "the data set has no ground truth"


def _truth_metric(
    key: str, title: str, unit: str, formula: str, source: str, better: Better = "higher", when: str = ""
) -> Metric:
    undefined = f"{NO_TRUTH}, or {when}" if when else NO_TRUTH
    return Metric(key, title, unit, better, "truth", formula, source, undefined)


TRUTH_METRICS = (
    _truth_metric(
        "counterfactual_l1",
        "Distance to the counterfactual, L1",
        "levels of 255",
        "mean of |output - true counterfactual|",
        "",
        better="lower",
    ),
    _truth_metric(
        "counterfactual_psnr",
        "Distance to the counterfactual, PSNR",
        "dB",
        "10 log10(255^2 / max(mean square error, 1/12)): at most 58.9",
        "",
    ),
    _truth_metric(
        "counterfactual_ssim",
        "Distance to the counterfactual, SSIM",
        "1",
        "SSIM of the luma of output and true counterfactual",
        "Wang et al. 2004",
        when="the image is smaller than 11 pixels",
    ),
    _truth_metric(
        "background_psnr",
        "Background PSNR",
        "dB",
        "PSNR to the counterfactual more than 3 pixels outside the foreground: at most 58.9",
        "",
        when="the foreground fills the image",
    ),
    _truth_metric(
        "edge_correlation_background",
        "Edge correlation of the background",
        "1",
        "edge correlation more than 3 pixels outside the foreground",
        "as edge_correlation",
        when="the foreground fills the image, or the background is flat",
    ),
    _truth_metric(
        "foreground_iou",
        "Foreground IoU",
        "1",
        "intersection over union of (1 - background mask >= 1/2) and the foreground",
        "Jaccard 1901",
        when="no mask weighs the input image",
    ),
    _truth_metric(
        "best_mask_iou",
        "Best single mask's IoU",
        "1",
        "largest IoU of the region of one mask (the pixels where it is the largest) and the foreground",
        "Jaccard 1901",
        when="the generator has no masks",
    ),
    _truth_metric(
        "matched_iou",
        "Matched mean IoU",
        "1",
        "mean IoU of the objects with the regions matched to them one to one; unmatched objects count 0",
        "Kuhn 1955 (Hungarian matching)",
        when="the generator has no masks",
    ),
    _truth_metric(
        "foreground_ari",
        "FG-ARI",
        "1",
        "adjusted Rand index of regions and objects over the pixels of objects; 0 by chance",
        "Greff et al. 2019; Hubert and Arabie 1985",
        when="the generator has no masks, or the image has fewer than 2 objects",
    ),
)
