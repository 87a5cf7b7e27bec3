// Drawing a phone's screen: which part of it shows, the soft keys' labels, the septet counter.

const LABELS = {
  idle: ["Messages", "M-Pesa"],
  running: ["", "Cancel"],
  ussd: ["Send", "Cancel"],
  ended: ["OK", ""],
  messages: ["Send", "Back"],
  paybill: ["Pay", "Back"],
  prompt: ["OK", "Cancel"],
};

export function drawView(phone) {
  const { parts, view } = phone;
  const shown = {
    idle: view === "idle",
    text: ["running", "ussd", "ended"].includes(view),
    sms: view === "messages",
    compose: view === "messages",
    paybill: view === "paybill",
    entry: view === "idle" || view === "ussd",
  };
  for (const [part, visible] of Object.entries(shown)) parts[part].hidden = !visible;
  parts.screen.dataset.view = view;
  drawText(phone);
  drawStatus(phone);
  drawSoftKeys(phone);
  drawCounter(phone);
}

function drawText({ parts, view, screen }) {
  const text = view === "running" ? "USSD code running…" : screen?.text ?? "";
  if (parts.text.textContent !== text) parts.text.textContent = text;
  const dialling = view === "idle";
  parts.inputLabel.textContent = dialling ? "Number to dial" : "Your answer";
  parts.input.placeholder = dialling ? "Dial a number" : "Your answer";
}

function drawStatus({ parts, owner, messages, about, view, index }) {
  const time = new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const { unread } = messages;
  const word = unread === 1 ? "1 new message" : `${unread} new messages`;
  const hint = unread ? word : `Dial ${about.serviceCode}`;
  set(parts.operator, owner.network.name);
  set(parts.clock, view === "idle" ? "" : time);
  set(parts.idleTime, time);
  set(parts.idleHint, hint);
  parts.idleHint.classList.toggle("fresh", unread > 0);
  parts.unread.hidden = unread === 0;
  set(parts.unread, `✉ ${unread}`);
  parts.input.maxLength = view === "ussd" ? owner.network.answer : 90;
  parts.remove.hidden = index === 0;
}

function drawSoftKeys({ parts, view, prompt }) {
  const [left, right] = LABELS[prompt.open ? "prompt" : view];
  for (const [button, label, name] of [[parts.softLeft, parts.labelLeft, left], [parts.softRight, parts.labelRight, right]]) {
    set(label, name);
    button.setAttribute("aria-label", name || "Nothing");
    button.disabled = !name;
  }
}

export function drawCounter({ parts, view, screen, owner, messages }) {
  let [used, limit, words] = [0, owner.network.screen, "septets"];
  if (view === "messages") {
    const size = messages.size;
    [used, limit, words] = [size.units, size.limit, `${size.plain ? "septets" : "UCS-2"}, ${size.parts} SMS`];
  } else if ((view === "ussd" || view === "ended") && screen.limit) {
    limit = screen.limit;
    used = screen.septets ?? screen.text.length;
    words = screen.septets === null ? "UCS-2: not GSM-7" : "septets";
  }
  const cut = (view === "ussd" || view === "ended") && Boolean(screen.mistake);
  const over = used > limit || cut;
  const broken = view === "ended" && screen.mistake && !screen.limit;
  set(parts.counterText, broken ? screen.mistake : `${used}/${limit} ${words}`);
  parts.counterBar.style.width = `${Math.min(100, (used / limit) * 100)}%`;
  parts.counter.dataset.level = over ? "over" : used > limit * 0.95 ? "near" : "ok";
}

function set(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
