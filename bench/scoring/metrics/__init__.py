"""Every metric, function and entry side by side: a new one is a new function, here or in a plugin file.

By what they look at: colour and noise, lines, similarity, grids, change, attention, masks, ground truth, sets
of features, costs. See `bench.scoring.metric` for what a function may ask for.
"""
