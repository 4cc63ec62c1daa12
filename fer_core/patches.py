"""The grid of patches into which the vision transformer cuts the square it is shown.

Free of torch and of OpenCV, so that the window can draw the very patches the network sees.
"""

IMAGE_SIZE = 224  # pixels
PATCH_SIZE = 16
GRID = IMAGE_SIZE // PATCH_SIZE  # 14
PATCHES = GRID * GRID  # 196, row-major, as SigLIP orders them
ROI_SIDE = 8  # patches: 14 / 1.75, the side of the face in the square around it
ROI_PATCHES = ROI_SIDE * ROI_SIDE  # 64
