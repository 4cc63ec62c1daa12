"""The network: listen, look, keep the face, join, decide."""
