"""Figures: erasures and web intake, measured on this machine with real processes. `make bench` prints them."""
