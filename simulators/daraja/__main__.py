"""`python -m simulators.daraja`: one simulated Daraja on SIM_HOST:SIM_PORT."""

import os

from simulators.daraja.app import create_daraja
from simulators.daraja.settings import DarajaSettings
from simulators.environment import from_environment
from simulators.serving import refuse_production, serve


def main() -> None:
    refuse_production(os.environ)
    app = create_daraja(from_environment(DarajaSettings(), os.environ))
    serve(app, os.environ.get("SIM_HOST", "127.0.0.1"), int(os.environ.get("SIM_PORT", "8002")), "Daraja")


if __name__ == "__main__":
    main()
