"""`python -m simulators.mtn`: one simulated MTN MoMo on SIM_HOST:SIM_PORT."""

import os

from simulators.environment import from_environment
from simulators.mtn.app import create_mtn
from simulators.mtn.settings import MtnSettings
from simulators.serving import refuse_production, serve


def main() -> None:
    refuse_production(os.environ)
    app = create_mtn(from_environment(MtnSettings(), os.environ))
    serve(app, os.environ.get("SIM_HOST", "127.0.0.1"), int(os.environ.get("SIM_PORT", "8004")), "MTN MoMo")


if __name__ == "__main__":
    main()
