"""The outside world for development: handsets, Africa's Talking and Daraja, over HTTP only."""
