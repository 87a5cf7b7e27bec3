"""`python -m simulators.airtel`: one simulated Airtel Money on SIM_HOST:SIM_PORT."""

import os

from simulators.airtel.app import create_airtel
from simulators.airtel.settings import AirtelSettings
from simulators.environment import from_environment
from simulators.serving import refuse_production, serve


def main() -> None:
    refuse_production(os.environ)
    app = create_airtel(from_environment(AirtelSettings(), os.environ))
    serve(app, os.environ.get("SIM_HOST", "127.0.0.1"), int(os.environ.get("SIM_PORT", "8005")), "Airtel Money")


if __name__ == "__main__":
    main()
