"""Safaricom's Daraja as a utility meets it: OAuth, STK push, STK query, the callback, and the paybill."""
