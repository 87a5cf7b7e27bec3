"""Measurements of the service; `./mita bench` runs them."""
