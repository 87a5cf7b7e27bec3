"""Proof by disturbance: many customers at once, while processes are killed and the outside world misbehaves."""
