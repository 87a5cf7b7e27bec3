"""`mita ussd`, `worker`, `relay` and `clock`: the processes beside the web."""

import signal
from pathlib import Path
from threading import Event, Thread

import click

from ussd_app.cli.place import data_option, use_instance


@click.command()
@data_option
def worker(data: Path) -> None:
    """Do the jobs that the relay hands over. Run as many as there is work for."""
    use_instance(data)
    from ussd_app.worker import run_forever

    run_forever()


@click.command()
@data_option
def relay(data: Path) -> None:
    """Hand committed work from the outbox to the workers."""
    use_instance(data)
    from ussd_app.relay import run_forever

    run_forever(_asked_to_stop())


@click.command()
@data_option
def clock(data: Path) -> None:
    """Do what is due by the time: silent payments, the hourly check of the books."""
    use_instance(data)
    from ussd_app.clock import run_forever

    run_forever(_asked_to_stop())


@click.command()
@data_option
def ussd(data: Path) -> None:
    """Serve the USSD gateways, apart from the office. BIND or PORT says where."""
    use_instance(data)
    from ussd_app.pool import serve

    serve()


def _asked_to_stop() -> Event:
    """An event that SIGTERM and Ctrl-C set."""
    stop = Event()

    def asked(_number: int, _frame: object) -> None:
        # In a thread: the handler may interrupt the very code that holds the event's lock.
        Thread(target=stop.set).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, asked)
    return stop
