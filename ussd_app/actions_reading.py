"""Actions about the meter: its last reading, a new one, what was used."""

from decimal import Decimal
from typing import Literal, get_args

from billing.history import usage_by_month
from billing.provisional import provisional_of
from billing.readings import Recorded, judge, record_reading
from flows.values import MeterFace, MonthUsage, ReadingCheck, ReadingResult
from ussd_app import quick
from ussd_app.actions_desk import Desk, this_day

Kind = Literal["ok", "low", "high", "below", "too_many_digits", "no_meter", "duplicate"]
KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}


class ReadingActions(Desk):
    def last_reading(self, account_no: str) -> MeterFace | None:
        return quick.meter_face(self._session, account_no)

    def check_reading(self, account_no: str, value: Decimal) -> ReadingCheck:
        judgement = judge(self._session, self._connection_id(account_no), value, on=this_day())
        previous = judgement.previous.value if judgement.previous is not None else None
        return ReadingCheck(KINDS.get(judgement.kind, "below"), previous, judgement.usage)

    def submit_reading(self, account_no: str, value: Decimal, confirmed: bool) -> ReadingResult:
        connection_id = self._connection_id(account_no)
        done = record_reading(
            self._session,
            connection_id,
            value,
            source=f"customer_{self._channel}",
            entered_by=self._source,
            taken_on=this_day(),
            confirmed=confirmed,
        )
        if not isinstance(done, Recorded):
            return ReadingResult("refused", done.judgement.usage, None)
        bill = provisional_of(self._session, connection_id, value, this_day()) if done.status == "accepted" else None
        return ReadingResult(
            "review" if done.status == "review" else "accepted",
            done.reading.usage,
            bill.total if bill is not None else None,
        )

    def usage(self, account_no: str) -> tuple[MonthUsage, ...]:
        months = usage_by_month(self._session, self._connection(account_no).id)
        return tuple(MonthUsage(month.first, month.usage) for month in months)
