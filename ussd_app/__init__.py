"""The running service: the Flask app, its gateways, its jobs and the `mita` command."""
