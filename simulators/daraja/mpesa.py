"""M-PESA at work: a push becomes a prompt, the subscriber's answer a result, the result a callback."""

import json
from typing import Literal

from simulators import journal
from simulators.daraja import messages, prompts
from simulators.daraja.bank import Bank, Payment
from simulators.daraja.faults import Faults
from simulators.daraja.notices import paybill_notice, stk_notice
from simulators.daraja.prompts import Prompt, Push, Result
from simulators.daraja.settings import DarajaSettings
from simulators.journal import Exchange, Journal
from simulators.later import Later

MAXIMUM = 250_000
CALLBACK_TIMEOUT_S = 30.0
VALIDATION_TIMEOUT_S = 8.0

Answered = Literal["done", "gone", "unknown"]
PaybillOutcome = Literal["paid", "wrong_pin", "no_funds", "rejected", "above_maximum"]


class Mpesa:
    """All state of one simulated Daraja, in memory only; safe to use from any thread."""

    def __init__(self, settings: DarajaSettings) -> None:
        self.settings = settings
        self.bank = Bank(settings.opening_balance)
        self.prompts = prompts.Prompts()
        self.messages = messages.Messages()
        self.journal = Journal()
        self.faults = Faults()
        self._later = Later()

    def push(self, push: Push) -> bool:
        """Put the prompt on its way; False where this phone is locked by another."""
        settings, refused = self.settings, self._refused_unasked(push)
        prompt = Prompt(push, settings.push_delay_s, settings.prompt_s, silent=refused is not None)
        if not self.prompts.open(prompt):
            return False
        if refused:
            self._later.do(settings.push_delay_s, lambda: self._end(prompt, refused))
        else:
            stays_s = settings.push_delay_s + settings.prompt_s
            self._later.do(stays_s, lambda: self._end(prompt, prompts.UNREACHABLE))
        return True

    def enter_pin(self, checkout_id: str, pin: str) -> Answered:
        """The subscriber typed a PIN into the prompt."""
        prompt = self.prompts.find(checkout_id)
        if prompt is None:
            return "unknown"
        if not prompt.on_screen() or not self.prompts.claim(prompt):
            return "gone"
        self._finish(prompt, self._charged(prompt.push) if pin == self.settings.pin else prompts.WRONG_PIN)
        return "done"

    def cancel(self, checkout_id: str) -> Answered:
        """The subscriber pressed Cancel."""
        prompt = self.prompts.find(checkout_id)
        if prompt is None:
            return "unknown"
        return "done" if prompt.on_screen() and self._end(prompt, prompts.CANCELLED) else "gone"

    def pay_bill(self, phone: str, account: str, amount: int, pin: str) -> tuple[PaybillOutcome, Payment | None]:
        """Lipa na M-PESA from the menu of the phone: the utility is asked first, then told."""
        if pin != self.settings.pin:
            return "wrong_pin", None
        if amount > MAXIMUM:
            return "above_maximum", None
        if self.bank.balance(phone) < amount:
            self._tell_short_of_funds(phone, amount)
            return "no_funds", None
        draft = self.bank.draft(phone, amount, account)
        accepted, third_party_id = self._validated(draft)
        if not accepted:
            return "rejected", None
        payment = self.bank.take(draft)
        if payment is None:
            self._tell_short_of_funds(phone, amount)
            return "no_funds", None
        self._tell(payment)
        self._confirm(payment, third_party_id)
        return "paid", payment

    def reset(self) -> None:
        """Opening balances, no prompts, no callbacks under way, no faults, an empty book."""
        self._later.clear()
        self.prompts.reset()
        self.bank.reset()
        self.messages.reset()
        self.journal.clear()
        self.faults = Faults()

    def _refused_unasked(self, push: Push) -> Result | None:
        """What M-PESA decides without asking for the PIN."""
        if push.amount > MAXIMUM:
            return prompts.ABOVE_MAXIMUM
        window = self.settings.repeat_window_s
        if window and self.bank.paid_within(push.phone, push.amount, window):
            return prompts.RULE_LIMITED
        return None

    def _charged(self, push: Push) -> Result:
        payment = self.bank.take(self.bank.draft(push.phone, push.amount, push.account, push.checkout_id))
        if payment is None:
            self._tell_short_of_funds(push.phone, push.amount)
            return prompts.INSUFFICIENT
        self._tell(payment)
        if self.faults.confirm_pushes:
            self._confirm(payment, "")
        return Result(0, prompts.PAID, payment)

    def _end(self, prompt: Prompt, result: Result) -> bool:
        if not self.prompts.claim(prompt):
            return False
        self._finish(prompt, result)
        return True

    def _finish(self, prompt: Prompt, result: Result) -> None:
        prompt.result = result
        push = prompt.push
        self._deliver("STK callback", push.phone, push.callback_url, stk_notice(push, result))

    def _validated(self, payment: Payment) -> tuple[bool, str]:
        """The utility's word, and its own id for the payment. Without an answer the payment goes on."""
        url = self.settings.validation_url
        if not url:
            return True, ""
        body = json.dumps(paybill_notice(payment, self.settings.shortcode))
        asked = self._post("Paybill validation", payment.phone, url, body, VALIDATION_TIMEOUT_S)
        try:
            answer = json.loads(asked.reply)
            return str(answer["ResultCode"]) == "0", str(answer.get("ThirdPartyTransID") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            return True, ""

    def _confirm(self, payment: Payment, third_party_id: str) -> None:
        """Say that the money has moved; this cannot be refused."""
        url = self.settings.confirmation_url
        if url:
            notice = paybill_notice(payment, self.settings.shortcode, third_party_id=third_party_id)
            self._deliver("Paybill confirmation", payment.phone, url, notice)

    def _deliver(self, what: str, phone: str, url: str, payload: dict[str, object]) -> None:
        """POST a callback off this thread, as often as the faults say; it is never retried."""
        body = json.dumps(payload)
        delay = self.settings.callback_delay_s + self.faults.callback_delay_s
        for _ in range(self.faults.callback_copies):
            self._later.do(delay, lambda: self._post(what, phone, url, body, CALLBACK_TIMEOUT_S))

    def _post(self, what: str, phone: str, url: str, body: str, timeout_s: float) -> Exchange:
        return journal.post(self.journal, what, phone, url, body, "application/json", timeout_s)

    def _tell(self, payment: Payment) -> None:
        balance = self.bank.balance(payment.phone)
        self.messages.send(payment.phone, messages.paid_text(payment, self.settings.business_name, balance))

    def _tell_short_of_funds(self, phone: str, amount: int) -> None:
        balance = self.bank.balance(phone)
        self.messages.send(phone, messages.short_of_funds_text(amount, self.settings.business_name, balance))
