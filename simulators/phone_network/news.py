"""All that is new to one handset: from this network, from its wallets and from the service's books, in one answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from simulators.journal import Journal
from simulators.phone_network.settings import NetworkSettings
from simulators.phone_network.sms import SmsCentre
from simulators.wire import call

TIMEOUT_S = 4.0
LABELS = {"mpesa": "M-PESA", "mtn": "MTN MoMo", "airtel": "Airtel Money"}
PARTIES = {"mpesa": "MPESA", "mtn": "MoMo", "airtel": "AirtelMoney"}
"""Who their messages are from."""

Place = dict[str, str]
"""How far a handset has read each source: opaque to it, sent back as it came."""


@dataclass(slots=True)
class News:
    """What a handset has not seen yet. `problems` names the sources that cannot be reached, in words."""

    after: Place
    messages: list[dict[str, object]] = field(default_factory=list)
    log: list[dict[str, object]] = field(default_factory=list)
    prompts: list[dict[str, object]] = field(default_factory=list)
    effects: list[dict[str, object]] = field(default_factory=list)
    wallet: dict[str, object] | None = None
    """M-Pesa's; those of others are among `purses`."""
    purses: list[dict[str, object]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Newsroom:
    def __init__(self, settings: NetworkSettings, log: Journal, centre: SmsCentre) -> None:
        self._settings, self._log, self._centre = settings, log, centre

    def since(self, phone: str, after: Mapping[str, str]) -> News:
        """News of `phone` since `after` (an earlier answer's `after`, or nothing)."""
        places = ["log", "messages", "effects"]
        places += [f"{name}_{part}" for name in self._settings.wallets for part in ("log", "messages")]
        news = News({name: after.get(name, "0") for name in places})
        self._from_network(phone, news)
        for name, url in self._settings.wallets.items():
            self._from_wallet(name, url, phone, news)
        self._from_books(phone, news)
        return news

    def customers(self) -> list[dict[str, object]]:
        """The seeded customers; none where the service shows no demo."""
        if not self._settings.demo_url:
            return []
        answer = _get(f"{self._settings.demo_url}/customers", {})
        return answer if isinstance(answer, list) else []

    def _from_network(self, phone: str, news: News) -> None:
        exchanges = self._log.since(_number(news.after["log"]), phone)
        messages = self._centre.inbox.since(_number(news.after["messages"]), phone)
        news.log += [{**e.as_json(), "key": f"network-{e.id}"} for e in exchanges]
        news.messages += [m.as_json() for m in messages]
        if exchanges:
            news.after["log"] = str(exchanges[-1].id)
        if messages:
            news.after["messages"] = str(max(m.change for m in messages))

    def _from_wallet(self, name: str, url: str, phone: str, news: News) -> None:
        """Prompts, messages and requests of one provider; a prompt's id says whose it is."""
        answer = _get(
            f"{url}/sim/news", {part: news.after[f"{name}_{part}"] for part in ("log", "messages")} | {"phone": phone}
        )
        if not isinstance(answer, dict):
            news.problems.append(f"{LABELS[name]} does not answer.")
            return
        if name == "mpesa":
            news.wallet = answer["wallet"]
        else:
            news.purses.append(answer["wallet"])
        news.prompts += [{"title": LABELS[name], **p, "id": f"{name}:{p['id']}"} for p in answer["prompts"]]
        news.log += [{**e, "key": f"{name}-{e['id']}"} for e in answer["log"]]
        news.messages += [_from_provider(m, phone, name) for m in answer["messages"]]
        for part in ("log", "messages"):
            if answer[part]:
                news.after[f"{name}_{part}"] = str(answer[part][-1]["id"])

    def _from_books(self, phone: str, news: News) -> None:
        if not self._settings.demo_url:
            return
        answer = _get(f"{self._settings.demo_url}/effects", {"phone": phone, "after": news.after["effects"]})
        if not isinstance(answer, dict):
            news.problems.append("The service does not answer.")
            return
        news.effects = answer["effects"]
        if news.effects:
            news.after["effects"] = str(news.effects[-1]["id"])


def vacant(demo_url: str) -> list[str]:
    """Account numbers that nobody has registered yet; none where the service shows no demo."""
    answer = _get(f"{demo_url}/vacant", {}) if demo_url else None
    return [str(number) for number in answer] if isinstance(answer, list) else []


def _from_provider(message: Mapping[str, object], phone: str, name: str) -> dict[str, object]:
    return {
        "id": f"{name}-{message['id']}",
        "phone": phone,
        "party": PARTIES[name],
        "direction": "to_phone",
        "text": message["text"],
        "at": message["at"],
        "status": "delivered",
        "septets": None,
        "parts": 1,
    }


def _get(url: str, params: Mapping[str, str]) -> object:
    """The JSON at a URL, or None where there is none to be had now."""
    try:
        answer = call("GET", url, params=params, timeout_s=TIMEOUT_S)
        return answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError):
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
