"""A simulated Airtel Money: the Collections product, with refunds."""
