"""Proof by disturbance: many customers at once, while the session store is killed, emptied and stopped."""
