"""`mita bench`: how fast the service is on this machine, in a folder of its own."""

import click

from ussd_app.cli.bench_billing import billing, office, pdf
from ussd_app.cli.bench_payments import payments
from ussd_app.cli.bench_rules import anomalies, forecast
from ussd_app.cli.place import Failure, json_option, print_found, say


@click.group()
def bench() -> None:
    """Measure the service. Nothing else should run on the machine."""


@bench.command()
@json_option
@click.option("--server", type=click.Choice(["granian", "gthread", "sync"]), default="granian", show_default=True)
@click.option("--threads", default=4, show_default=True, help="Threads of the service's one worker.")
@click.option("--seconds", default=20.0, show_default=True, help="Length of each phase.")
@click.option("--customers", multiple=True, type=int, help="Customers in the books; several times: show the growth.")
@click.option("--length", is_flag=True, help="Instead, the cost of a step early and late in a long conversation.")
def ussd(as_json: bool, server: str, threads: int, seconds: float, customers: tuple[int, ...], length: bool) -> None:
    """USSD: a mixed load of whole sessions, beside a bare handler on the same server in the same run."""
    from benchmarks.ussd import Wrong, measure, measure_growth, measure_length

    try:
        if length:
            found = measure_length(server, seconds, threads, say)
        elif len(customers) > 1:
            found = measure_growth(server, seconds, customers, threads, say)
        else:
            found = measure(server, seconds, customers[0] if customers else 20_000, threads, say)
    except (Wrong, RuntimeError) as error:
        raise Failure(str(error)) from None
    print_found(found, as_json)


for command in (billing, office, pdf, payments, anomalies, forecast):
    bench.add_command(command)
