"""What the suite is worth: the product is broken on purpose, one place at a time, and its tests have to say so."""
