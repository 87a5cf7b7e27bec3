"""What to say at a screen when every path is walked: each option, the bounds of each question, and nonsense."""

from collections.abc import Iterator

from flows.player import Reply
from flows.sample_world import RIGHT_PIN

LAWFUL = {
    "ask:amount": ("500", "1", "250000"),
    "ask:reading": ("1234", "1 300", "1200", "99999", "7", "100000"),
    "ask:name": ("Achieng' Otieno",),
    "ask:account": ("1000017", "1000025", "9999999999", "4444"),
    "ask:account_again": ("1000017",),
    "ask:phone": ("0712345678",),
    "ask:place": ("Near the market, blue gate",),
    "ask:units": ("20", "99,999"),
    "secret:pin": (RIGHT_PIN, "1111"),
    "secret:new": (RIGHT_PIN, "7391"),
    "secret:again": (RIGHT_PIN,),
    "choose:amount": ("500",),
    "choose:place": ("Near the market, blue gate",),
}
GARBAGE = ("", "*", "?!", "-1", "\x00", "\U0001f600", "9" * 10_000)
TEXTED = (
    "BAL", "salio", "Solde?", "BALL", "BILL", "READ 1234", "read  1 300", "READ 7", "READ x", "READ", "PAY 500",
    "lipa 500/=", "PAY", "pay1", "payy 20", "HELP", "USAGE", "conso", "PAID", "LEAK", "leak at the market", "STOP",
    "start", "BALE", "my water is brown", "what?", "", "\U0001f600" * 500,
)  # fmt: skip


def lawful(reply: Reply) -> Iterator[str]:
    """Answers worth trying at a screen."""
    last = len(reply.options)
    yield from (str(number) for number in range(1, last + 1) if last < 9 or number in (1, last))
    yield from LAWFUL.get(reply.screen, ())
