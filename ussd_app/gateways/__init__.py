"""The gateways: each reads its own wire format into turns and messages, and writes the answers back."""
