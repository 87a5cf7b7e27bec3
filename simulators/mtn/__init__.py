"""A simulated MTN MoMo: the Collections product and the sandbox's provisioning."""
