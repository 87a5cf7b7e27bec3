// One phone's messages: the thread, and writing to the short code.

import { post } from "./api.js";
import { smsSize } from "./gsm.js";
import { element } from "./parts.js";

const STATUS = { sending: "sending…", delivered: "", failed: "not delivered", sent: "" };

export class Messages {
  constructor(parts, line, onSent) {
    this.parts = parts;
    this.line = line;
    this.onSent = onSent;
    this.clear();
    parts.compose.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    parts.smsText.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.send(); }
    });
  }

  clear() {
    this.byId = new Map();
    this.unread = 0;
    this.parts.sms.replaceChildren(element("p", { class: "empty" }, "No messages."));
    this.parts.smsText.value = "";
  }

  get size() {
    return smsSize(this.parts.smsText.value);
  }

  // Returns how many of them are new to this handset.
  receive(messages) {
    let fresh = 0;
    for (const message of messages) {
      if (!this.byId.has(message.id) && message.direction === "to_phone") fresh += 1;
      this.byId.set(message.id, message);
    }
    if (messages.length) this.draw();
    this.unread += fresh;
    return fresh;
  }

  draw() {
    const sorted = [...this.byId.values()].sort((a, b) => a.at.localeCompare(b.at));
    this.parts.sms.replaceChildren(...sorted.map(bubble));
    this.toEnd();
  }

  toEnd() {
    const last = this.parts.sms.lastElementChild;
    if (last && !this.parts.sms.hidden) last.scrollIntoView({ block: "nearest" });
  }

  async send() {
    const text = this.parts.smsText.value.trim();
    if (!text) return;
    const sent = await post("/api/messages", { ...this.line(), text });
    if (!sent.error) {
      this.parts.smsText.value = "";
      this.receive([sent]);
    }
    this.onSent(sent.error);
  }
}

function bubble(message) {
  const mine = message.direction === "from_phone";
  const time = new Date(message.at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const parts = message.parts > 1 ? `${message.parts} SMS` : "";
  const about = [mine ? `To ${message.party}` : message.party, time, parts, STATUS[message.status] ?? message.status];
  return element("div", { class: `bubble ${mine ? "mine" : "theirs"}`, "data-message": message.id },
    element("small", {}, about.filter(Boolean).join(" · ")), element("p", {}, message.text));
}
