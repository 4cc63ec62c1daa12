"""The views: Qt widgets that know nothing of threads, devices or tensors."""

from fer_desktop.immortal import make_singletons_immortal

make_singletons_immortal()
