"""Calibration: what this machine reaches on products, convolutions and copies, and how far estimates are then off."""
