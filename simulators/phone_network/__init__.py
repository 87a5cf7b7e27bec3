"""Africa's Talking as a utility meets it, and the handsets on the other side of it."""
