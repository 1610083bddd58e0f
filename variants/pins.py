"""Trained parameters of every shipped variant and baseline at its defaults: a test of faithfulness.

The first six agree with the published networks, less what never reaches the output there.
"""

PARAMETER_COUNTS = {
    "spatial": 11_822_949,
    "light-spatial5": 6_206_400,
    "light-slot5": 7_714_436,
    "slot9": 15_538_399,
    "cyclegan": 11_378_179,
    "attentiongan-v1": 7_931_332,
    "slot5": 15_500_755,
    "encoded-slot5": 14_871_696,
    "attentive-slot5": 12_828_431,
    "uniform": 11_453_467,
    "convolution5": 12_160_721,
    "kmeans5": 11_406_412,
    "oracle": 11_378_179,
    "shuffled": 11_378_179,
    "copy": 0,
    "colour": 0,
    "cut": 11_378_179,
}
