"""The network and everything it needs: media in, predictions out. No Qt, no capture devices."""

__version__ = "0.1.0"
