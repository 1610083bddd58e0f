"""Per-image measurements: pure functions of images, masks and ground truth, one subject a file.

Images are float tensors [b, 3, h, w] in levels, 0 to 255 (`levels` makes them from uint8); every function
gives [b], one number an image, and NaN where its number is undefined for that image.
"""
