"""M-PESA at work: a push becomes a prompt, the subscriber's answer a result, the result a callback."""

from typing import Literal

from simulators.daraja import messages, prompts
from simulators.daraja.bank import Bank, Payment
from simulators.daraja.callbacks import Callbacks
from simulators.daraja.faults import Faults
from simulators.daraja.prompts import Prompt, Push, Result
from simulators.daraja.settings import DarajaSettings
from simulators.journal import Journal
from simulators.later import Later

MAXIMUM = 250_000

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
        self.callbacks = Callbacks(settings, self.journal, self._later)

    def push(self, push: Push) -> Prompt | None:
        """Put the prompt on its way; None where this phone is locked by another."""
        settings, refused = self.settings, self._refused_unasked(push)
        prompt = Prompt(push, settings.push_delay_s, settings.prompt_s, silent=refused is not None)
        if not self.prompts.open(prompt):
            return None
        if refused:
            self._later.do(settings.push_delay_s, lambda: self._end(prompt, refused))
        else:
            stays_s = settings.push_delay_s + settings.prompt_s
            self._later.do(stays_s, lambda: self._end(prompt, prompts.UNREACHABLE))
            if self.faults.by_itself:
                self._later.do(settings.push_delay_s + self.faults.thinks_s, lambda: self._answers(prompt))
        return prompt

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
        accepted, third_party_id = self.callbacks.validated(draft)
        if not accepted:
            return "rejected", None
        payment = self.bank.take(draft)
        if payment is None:
            self._tell_short_of_funds(phone, amount)
            return "no_funds", None
        self._tell(payment)
        self.callbacks.confirm(payment, self.faults, third_party_id)
        return "paid", payment

    def reset(self) -> None:
        """Opening balances, no prompts, no callbacks under way, no faults, an empty book."""
        self._later.clear()
        self.prompts.reset()
        self.bank.reset()
        self.messages.reset()
        self.journal.clear()
        self.callbacks.reset()
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
            self.callbacks.confirm(payment, self.faults)
        return Result(0, prompts.PAID, payment)

    def _end(self, prompt: Prompt, result: Result) -> bool:
        if not self.prompts.claim(prompt):
            return False
        self._finish(prompt, result)
        return True

    def _finish(self, prompt: Prompt, result: Result) -> None:
        prompt.result = result
        self.callbacks.outcome(prompt, result, self.faults)

    def _answers(self, prompt: Prompt) -> None:
        """What a subscriber does who is nobody in particular."""
        faults, checkout_id = self.faults, prompt.push.checkout_id
        if faults.strikes("ignores", prompt.about):
            return
        if faults.strikes("cancels", prompt.about):
            self.cancel(checkout_id)
        else:
            wrong = faults.strikes("mistypes", prompt.about)
            self.enter_pin(checkout_id, "no PIN" if wrong else self.settings.pin)

    def _tell(self, payment: Payment) -> None:
        balance = self.bank.balance(payment.phone)
        self.messages.send(payment.phone, messages.paid_text(payment, self.settings.business_name, balance))

    def _tell_short_of_funds(self, phone: str, amount: int) -> None:
        balance = self.bank.balance(phone)
        self.messages.send(phone, messages.short_of_funds_text(amount, self.settings.business_name, balance))
