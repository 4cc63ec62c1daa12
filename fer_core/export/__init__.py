"""A network in forms other programs run: ONNX, torch.export, and smaller ones of its own kind."""
