"""What Daraja sends to the utility, as often, as late and as wrong as the faults say. Nothing is ever retried."""

import json
from dataclasses import dataclass

from simulators import journal
from simulators.daraja import prompts
from simulators.daraja.bank import Payment
from simulators.daraja.faults import Faults
from simulators.daraja.notices import paybill_notice, stk_notice
from simulators.daraja.prompts import Prompt, Result
from simulators.daraja.settings import DarajaSettings
from simulators.journal import Exchange, Journal
from simulators.later import Later

CALLBACK_TIMEOUT_S = 30.0
VALIDATION_TIMEOUT_S = 8.0
TRUTH_AFTER_S = 0.5
"""A failure that was not one is followed by the truth so much later."""
NOT_OURS = "999999"


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the payments of a short code are announced. `completes`: they go on if validation does not answer."""

    validation: str
    confirmation: str
    completes: bool = True
    hashed: bool = False


class Callbacks:
    """Delivers on threads of its own."""

    def __init__(self, settings: DarajaSettings, log: Journal, later: Later) -> None:
        self._settings, self._journal, self._later = settings, log, later
        self.reset()

    def reset(self) -> None:
        """The URLs that the environment named; nothing was registered."""
        self.urls = Urls(self._settings.validation_url, self._settings.confirmation_url)
        self.registered = False

    def register(self, urls: Urls) -> bool:
        """Keep the URLs; False where some were registered before, as in production."""
        if self.registered:
            return False
        self.urls, self.registered = urls, True
        return True

    def outcome(self, prompt: Prompt, result: Result, faults: Faults) -> None:
        """A push's callback. A failure that was not one comes before it where the faults say so."""
        push, wait_s = prompt.push, 0.0
        if result.payment and faults.strikes("failure_first", prompt.about):
            self._deliver("STK callback", push.phone, push.callback_url, stk_notice(push, prompts.UNREACHABLE), [0.0])
            wait_s = TRUTH_AFTER_S
        wrong_by = 1 if faults.strikes("wrong_amount", prompt.about) else 0
        delays = [delay + wait_s for delay in faults.deliveries(prompt.about)]
        notice = stk_notice(push, result, wrong_by=wrong_by)
        self._deliver("STK callback", push.phone, push.callback_url, notice, delays, prompt)

    def validated(self, payment: Payment) -> tuple[bool, str]:
        """The utility's word, and its own id for the payment."""
        if not self.urls.validation:
            return True, ""
        body = json.dumps(paybill_notice(payment, self._settings.shortcode, hashed=self.urls.hashed))
        asked = self._post("Paybill validation", payment.phone, self.urls.validation, body, VALIDATION_TIMEOUT_S)
        try:
            answer = json.loads(asked.reply)
            return str(answer["ResultCode"]) == "0", str(answer.get("ThirdPartyTransID") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.urls.completes, ""

    def confirm(self, payment: Payment, faults: Faults, third_party_id: str = "") -> None:
        """Say that the money has moved; this cannot be refused."""
        if not self.urls.confirmation:
            return
        about = f"paybill:{payment.phone}:{payment.number}"
        shortcode = NOT_OURS if faults.strikes("wrong_shortcode", about) else self._settings.shortcode
        notice = paybill_notice(payment, shortcode, third_party_id=third_party_id, hashed=self.urls.hashed)
        delays = faults.deliveries(about)
        self._deliver("Paybill confirmation", payment.phone, self.urls.confirmation, notice, delays)

    def send(self, what: str, url: str, payload: dict[str, object]) -> None:
        """A result that somebody waits for, once."""
        self._deliver(what, "", url, payload, [0.0])

    def _deliver(
        self, what: str, phone: str, url: str, payload: object, delays: list[float], prompt: Prompt | None = None
    ) -> None:
        body = json.dumps(payload)

        def go() -> None:
            self._post(what, phone, url, body, CALLBACK_TIMEOUT_S)
            if prompt:
                prompt.delivered.set()

        for delay in delays:
            self._later.do(self._settings.callback_delay_s + delay, go)

    def _post(self, what: str, phone: str, url: str, body: str, timeout_s: float) -> Exchange:
        return journal.post(self._journal, what, phone, url, body, "application/json", timeout_s)
