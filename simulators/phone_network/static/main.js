// The page: its phones side by side, what happened to them, and the clock that asks for news.

import { get, post } from "./api.js";
import { copy, element, toast } from "./parts.js";
import { Phone } from "./phone.js";
import { Timeline } from "./timeline.js";

const MOST_PHONES = 4;
const EVERY_MS = 1000;
const KEPT = "phones";

const about = { serviceCode: document.body.dataset.serviceCode, shortCode: document.body.dataset.shortCode };
const place = document.getElementById("phones");
const timeline = new Timeline();
const problems = new Map();
let phones = [];
let active = null;
let customers = [];
let since = null;

const hooks = {
  used(phone) {
    if (active === phone) return;
    active = phone;
    drawPane();
  },
  changed(phone) {
    keep();
    if (phones.includes(phone)) soon();
  },
  news(phone, news) {
    problems.set(phone.index, news.problems);
    const effects = news.effects.filter((effect) => new Date(effect.at) >= since);
    timeline.add(phone.index, { ...news, effects });
    if (effects.length) loadCustomers();
    if (phone === active) drawPane();
  },
};

function addPhone(number, network) {
  const taken = phones.map((phone) => phone.index);
  const index = [...Array(MOST_PHONES).keys()].find((candidate) => !taken.includes(candidate));
  if (index === undefined) return null;
  const phone = new Phone(index, about, hooks);
  place.append(phone.root);
  phones.push(phone);
  phone.parts.remove.addEventListener("click", () => removePhone(phone));
  phone.owner.setCustomers(customers);
  if (network) phone.parts.network.value = network;
  let last = number;
  phone.owner.onChange = () => {
    // Another SIM: what happened to the one before is not its story.
    if (phone.owner.number !== last) timeline.forget(phone.index);
    last = phone.owner.number;
    phone.restart();
  };
  phone.owner.setNumber(number);
  document.getElementById("add-phone").disabled = phones.length === MOST_PHONES;
  active = phone;
  drawPane();
  reveal(phone);
  return phone;
}

function removePhone(phone) {
  phone.ussd.hangUp();
  phone.root.remove();
  timeline.forget(phone.index);
  problems.delete(phone.index);
  phones = phones.filter((other) => other !== phone);
  document.getElementById("add-phone").disabled = false;
  if (active === phone) active = phones[0];
  keep();
  drawPane();
}

// A customer whose phone is not on the page yet; failing that, a number nobody knows.
function nextNumber() {
  const shown = phones.map((phone) => phone.owner.number);
  const free = customers.find((customer) => !shown.includes(customer.phone));
  return free ? free.phone : `+25470000000${phones.length + 1}`;
}

function reveal(phone) {
  place.scrollTo({ left: phone.root.offsetLeft - (place.clientWidth - phone.root.offsetWidth) / 2 });
}

function drawPane() {
  const tabs = phones.map((phone) => {
    const tab = element("button", {
      type: "button", "data-colour": phone.index, "aria-pressed": String(phone === active),
      "data-testid": `tab-${phone.index}`,
    }, phone.owner.customer?.name ?? phone.owner.number);
    tab.addEventListener("click", () => { hooks.used(phone); reveal(phone); });
    return tab;
  });
  const bar = document.getElementById("tabs");
  const state = JSON.stringify(tabs.map((tab) => [tab.textContent, tab.getAttribute("aria-pressed")]));
  if (bar.dataset.state !== state) {
    const focused = bar.contains(document.activeElement);
    bar.dataset.state = state;
    bar.replaceChildren(...tabs);
    if (focused) bar.querySelector('[aria-pressed="true"]').focus();
  }
  bar.hidden = phones.length < 2;
  for (const phone of phones) phone.root.classList.toggle("active", phones.length > 1 && phone === active);
  const said = (problems.get(active.index) ?? []).join(" ");
  const line = document.getElementById("problems");
  if (line.textContent !== said) line.textContent = said;
  timeline.draw(active.index);
}

async function loadCustomers() {
  const answer = await get("/api/customers");
  if (!answer.customers?.length) return;
  customers = answer.customers;
  for (const phone of phones) phone.owner.setCustomers(customers);
}

// The phones survive a reload of this tab; a session does not.
function keep() {
  const state = phones.map((phone) => [phone.owner.number, phone.owner.network.code]);
  sessionStorage.setItem(KEPT, JSON.stringify(state));
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}

// When this tab's story began, by the server's clock: older entries in the books are another story.
function storyBegan() {
  const began = sessionStorage.getItem("since") ?? document.body.dataset.now;
  sessionStorage.setItem("since", began);
  return new Date(began);
}

let timer;
let asking = false;

function soon() {
  clearTimeout(timer);
  timer = setTimeout(ask, 150);
}

async function ask() {
  clearTimeout(timer);
  if (!asking && document.visibilityState === "visible") {
    asking = true;
    await Promise.allSettled(phones.map((phone) => phone.refresh()));
    asking = false;
    if (!customers.length) await loadCustomers();
  }
  clearTimeout(timer);
  timer = setTimeout(ask, EVERY_MS);
}

function shareLink() {
  const url = new URL(location.pathname, location.origin);
  url.searchParams.set("dial", active.lastDialled || about.serviceCode);
  url.searchParams.set("phone", active.owner.number);
  if (active.owner.network.code !== "63902") url.searchParams.set("network", active.owner.network.code);
  return url.href;
}

async function reset() {
  const { now } = await post("/api/reset");
  if (now) {
    sessionStorage.setItem("since", now);
    since = new Date(now);
  }
  for (const phone of phones) {
    timeline.forget(phone.index);
    phone.restart();
  }
  drawPane();
  toast("Phones and wallets are as new. The utility's books stay as they are.");
}

async function begin() {
  document.getElementById("add-phone").addEventListener("click", () => { addPhone(nextNumber()); keep(); });
  document.getElementById("copy-link").addEventListener("click", () => copy(shareLink(), "Link copied"));
  document.getElementById("reset").addEventListener("click", reset);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") soon(); });
  since = storyBegan();
  await loadCustomers();
  const asked = new URLSearchParams(location.search);
  if (asked.get("phone")) addPhone(asked.get("phone"), asked.get("network"));
  else for (const [number, network] of kept()) addPhone(number, network);
  if (!phones.length) addPhone(nextNumber(), asked.get("network"));
  hooks.used(phones[0]);
  if (asked.get("dial")) phones[0].dial(asked.get("dial"));
  document.body.dataset.ready = "true";
  ask();
}

begin();
