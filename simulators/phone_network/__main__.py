"""`python -m simulators.phone_network`: Africa's Talking and the handset page on SIM_HOST:SIM_PORT."""

import os

from simulators.environment import from_environment
from simulators.phone_network.app import create_phone_network
from simulators.phone_network.settings import NetworkSettings
from simulators.serving import refuse_production, serve


def main() -> None:
    refuse_production(os.environ)
    app = create_phone_network(from_environment(NetworkSettings(), os.environ))
    host, port = os.environ.get("SIM_HOST", "127.0.0.1"), int(os.environ.get("SIM_PORT", "8001"))
    serve(app, host, port, "Handsets")


if __name__ == "__main__":
    main()
