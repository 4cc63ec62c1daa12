"""The desktop program: capture, live window and views. No tensors."""
