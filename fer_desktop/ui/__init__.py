"""The views: Qt widgets that know no threads, no devices and no tensors."""
