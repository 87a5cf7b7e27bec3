"""Money arriving: M-Pesa pushes and PayBill payments, settled exactly once."""
