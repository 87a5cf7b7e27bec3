"""What the simulated MTN and Airtel have in common: wallets, requests to pay, callbacks. Each adds its own wire."""
