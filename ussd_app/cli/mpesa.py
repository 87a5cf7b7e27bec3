"""`mita mpesa`: the errands that M-Pesa wants done once, and questions to it."""

from pathlib import Path

import click

from ussd_app.cli.place import Failure, data_option, json_option, print_json, use_instance, with_database


@click.group()
def mpesa() -> None:
    """What Safaricom's Daraja has to be told and asked."""


@mpesa.command()
@click.option("--cancels", is_flag=True, help="Payments are refused where we do not answer; else they go on.")
@json_option
@data_option
def register(cancels: bool, as_json: bool, data: Path) -> None:
    """Tell Daraja where payments to the PayBill are announced, and switch on its list of payments.

    May be run again: what is registered already is left as it is.
    """
    use_instance(data)
    from core.config import settings
    from payments.daraja_answers import Registered
    from payments.urls import callback_urls, objection, pull_url
    from payments.wallets.mpesa import daraja

    ours, urls = settings(), callback_urls(settings())
    for url in urls.values():
        if not ours.development and (why := objection(url)):
            raise Failure(f"{url}: {why}.")
    asked = {
        "urls": daraja().register_urls(urls["mpesa_validation"], urls["mpesa_confirmation"], completes=not cancels)
    }
    if ours.mpesa_pull_number:
        asked["pull"] = daraja().register_pull(ours.mpesa_pull_number, pull_url(ours))
    said = {name: _in_words(answer) for name, answer in asked.items()}
    if as_json:
        print_json(said)
    else:
        click.echo("\n".join(f"{name:<6}{words}" for name, words in said.items()))
        if not ours.mpesa_pull_number:
            click.echo("pull  not asked for: MPESA_PULL_NUMBER is not set")
    if not all(isinstance(answer, Registered) for answer in asked.values()):
        raise Failure("Daraja has not registered all of it.")


def _in_words(answer: object) -> str:
    from payments.daraja_answers import Registered
    from payments.wallets.protocol import Refused

    if isinstance(answer, Registered):
        return "was registered before" if answer.before else "registered"
    return f"refused: {answer.code} {answer.message}" if isinstance(answer, Refused) else f"no clear answer: {answer}"


@mpesa.command()
@click.argument("receipt", required=False)
@data_option
def ask(receipt: str | None, data: Path) -> None:
    """Have M-Pesa asked for the status of a RECEIPT, or the balance. It answers later: `mita mpesa answers`."""
    with with_database(data):
        from core.database import transaction
        from payments.operations import ask_balance, ask_status

        with transaction() as session:
            asked = ask_status(session, receipt, "terminal") if receipt else ask_balance(session, "terminal")
            click.echo(f"asked, number {asked.id}")


@mpesa.command()
@data_option
def answers(data: Path) -> None:
    """The latest questions, and what M-Pesa has answered."""
    with with_database(data):
        from sqlalchemy import select

        from core.database import transaction
        from payments.mpesa_models import MpesaRequest

        with transaction() as session:
            for row in session.scalars(select(MpesaRequest).order_by(MpesaRequest.id.desc()).limit(20)):
                told = "  ".join(f"{name}={value}" for name, value in row.result.items())
                click.echo(
                    f"{row.id:<6}{row.kind:<9} {row.receipt or '':<11}{row.state:<8} {row.result_text or ''}  {told}"
                )
