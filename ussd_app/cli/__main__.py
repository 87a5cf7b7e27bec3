"""`python -m ussd_app.cli`: what the executable `mita` hands over to."""

from ussd_app.cli.commands import mita

if __name__ == "__main__":
    mita(prog_name="mita")
