"""Values and plumbing that every other package stands on; imports none of them."""
