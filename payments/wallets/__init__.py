"""The mobile-money providers behind one small protocol; see docs/payments.md for how to add one."""
