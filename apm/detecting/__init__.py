"""Detectors that watch sensors: what they remember, find, and have people look after."""
