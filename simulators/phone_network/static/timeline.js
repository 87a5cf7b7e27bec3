// What happened to a phone: each request and its answer, and what it changed in the books.

import { copy, element } from "./parts.js";

const KINDS = [
  [/^USSD/, "ussd", "USSD"], [/^(SMS|Delivery)/, "sms", "SMS"],
  [/^MTN/, "mpesa", "MTN"], [/^Airtel/, "mpesa", "Airtel"],
  [/^(STK|Daraja|Paybill)/, "mpesa", "M-Pesa"],
];
const SLOW_MS = 1000;
const KEPT = 300;

export class Timeline {
  constructor() {
    this.list = document.getElementById("timeline");
    this.empty = document.getElementById("nothing-yet");
    this.events = new Map(); // phone index -> Map(key -> event)
  }

  forget(index) {
    this.events.delete(index);
  }

  add(index, news) {
    const known = this.events.get(index) ?? new Map();
    this.events.set(index, known);
    for (const entry of news.log) known.set(entry.key, { ...entry, kind: kindOf(entry.what) });
    for (const effect of news.effects) {
      known.set(`effect-${effect.id}`, { ...effect, key: `effect-${effect.id}`, kind: ["books", "Books"], effect: true });
    }
  }

  // Newest first. Entries already on the page stay as they are, so an opened one stays open.
  draw(index) {
    if (this.drawn !== index) this.list.replaceChildren();
    this.drawn = index;
    const events = [...(this.events.get(index)?.values() ?? [])].sort((a, b) => timeOf(b) - timeOf(a)).slice(0, KEPT);
    const onPage = new Map([...this.list.children].map((item) => [item.dataset.key, item]));
    let place = this.list.firstElementChild;
    for (const event of events) {
      const item = onPage.get(event.key) ?? itemOf(event);
      onPage.delete(event.key);
      if (item === place) place = place.nextElementSibling;
      else this.list.insertBefore(item, place);
    }
    for (const gone of onPage.values()) gone.remove();
    this.empty.hidden = events.length > 0;
  }
}

function kindOf(what) {
  const [, kind, name] = KINDS.find(([pattern]) => pattern.test(what)) ?? [null, "other", "HTTP"];
  return [kind, name];
}

function timeOf(event) {
  return new Date(event.at).getTime();
}

function clock(at) {
  const time = new Date(at);
  return `${time.toLocaleTimeString("en-GB")}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

function itemOf(event) {
  const [kind, name] = event.kind;
  const head = element("div", { class: "event-head" },
    element("span", { class: `chip ${kind}` }, name),
    element("strong", {}, titleOf(event, name)),
    element("time", { datetime: event.at }, clock(event.at)));
  const item = element("li", { class: `event ${kind}`, "data-key": event.key, "data-kind": kind }, head);
  item.append(...(event.effect ? effectBody(event) : exchangeBody(event)));
  return item;
}

function titleOf(event, name) {
  const what = event.what.startsWith(`${name} `) ? event.what.slice(name.length + 1) : event.what;
  return what[0].toUpperCase() + what.slice(1);
}

function effectBody(event) {
  const detail = typeof event.detail === "string" ? event.detail : JSON.stringify(event.detail);
  return [element("p", { class: "detail" }, detail)];
}

function exchangeBody(event) {
  const failed = event.status === null || event.status >= 400;
  const badges = element("p", { class: "badges" },
    element("span", { class: "way" }, event.direction === "out" ? "to the service" : "from the service"),
    element("span", { class: failed ? "bad" : "good" }, event.status === null ? "no answer" : `HTTP ${event.status}`),
    element("span", { class: event.ms > SLOW_MS ? "bad" : "" }, `${event.ms} ms`),
    event.septets === null ? null : element("span", {}, `${event.septets} septets`),
    event.note ? element("span", { class: "bad" }, event.note) : null);
  const said = gist(event);
  return [badges, said ? element("p", { class: "detail" }, said) : null, wireOf(event)].filter(Boolean);
}

// The one thing worth reading without opening the entry.
function gist(event) {
  if (event.what.startsWith("USSD") && !event.what.startsWith("USSD end")) return event.reply;
  if (event.what.startsWith("SMS to")) return new URLSearchParams(event.body).get("message");
  if (event.what.startsWith("SMS from")) return new URLSearchParams(event.body).get("text");
  try {
    if (event.what === "STK callback") {
      const callback = JSON.parse(event.body).Body.stkCallback;
      return `${callback.ResultCode}: ${callback.ResultDesc}`;
    }
    const answer = JSON.parse(event.reply);
    return answer.errorMessage ?? answer.CustomerMessage ?? answer.ResultDesc ?? "";
  } catch {
    return "";
  }
}

function wireOf(event) {
  const request = [`${event.method} ${event.url}`, ...headerLines(event.headers), "", readable(event)].join("\n").trimEnd();
  const button = element("button", { type: "button", class: "curl" }, "Copy as curl");
  button.addEventListener("click", () => copy(event.curl, "Copied as curl"));
  const answer = event.status === null ? event.note : [...headerLines(event.reply_headers), pretty(event.reply)].join("\n");
  return element("details", {},
    element("summary", {}, "Request and answer"),
    element("pre", { tabindex: "0" }, request), element("pre", { tabindex: "0" }, answer || "(empty)"), button);
}

function headerLines(headers) {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
}

function readable(event) {
  const type = Object.entries(event.headers).find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  if (!type.includes("urlencoded")) return pretty(event.body);
  return [...new URLSearchParams(event.body)].map(([name, value]) => `${name} = ${value}`).join("\n");
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
