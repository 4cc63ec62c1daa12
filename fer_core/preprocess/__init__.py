"""From a clip to tensors: which face, which pixels, which sound; one way for all uses."""
