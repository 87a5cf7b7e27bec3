// Mobile money on one phone: the PIN prompt that a provider pushes, and M-Pesa's paybill form.

import { post } from "./api.js";

export class Prompt {
  constructor(parts, onChange) {
    this.parts = parts;
    this.onChange = onChange; // (said) => void
    this.now = null;
    this.ignored = new Set();
    parts.promptForm.addEventListener("submit", (event) => { event.preventDefault(); this.enter(); });
    parts.promptCancel.addEventListener("click", () => this.cancel());
    parts.promptIgnore.addEventListener("click", () => this.ignore());
  }

  get open() {
    return this.now !== null;
  }

  // True where a new one has just appeared. A USSD session keeps it off the screen, as on a real phone.
  offer(prompts, screenBusy) {
    const prompt = prompts.find((candidate) => !this.ignored.has(candidate.id)) ?? null;
    if (!prompt || screenBusy) {
      if (!prompt && this.now) this.close();
      return false;
    }
    const fresh = this.now?.id !== prompt.id;
    this.now = prompt;
    this.parts.promptLeft.textContent = `${prompt.seconds_left} s`;
    if (fresh) {
      this.parts.promptTitle.textContent = prompt.title;
      this.parts.promptText.textContent = prompt.text;
      this.parts.promptPin.value = "";
      this.parts.prompt.hidden = false;
    }
    return fresh;
  }

  close() {
    this.now = null;
    this.parts.prompt.hidden = true;
    this.parts.promptPin.value = "";
    this.onChange();
  }

  enter() {
    const pin = this.parts.promptPin.value;
    if (this.now && pin) this.say({ pin });
  }

  cancel() {
    if (this.now) this.say({ action: "cancel" });
  }

  // Do nothing: the network gives up by itself after a minute.
  ignore() {
    if (!this.now) return;
    this.ignored.add(this.now.id);
    this.close();
  }

  async say(said) {
    const { id } = this.now;
    this.ignored.add(id);
    this.close();
    const answer = await post(`/api/prompts/${encodeURIComponent(id)}`, said);
    this.onChange(answer.outcome === "gone" ? "The request is gone." : answer.error);
  }
}

export class Paybill {
  constructor(parts, line, onDone) {
    this.parts = parts;
    this.line = line;
    this.onDone = onDone;
    parts.paybill.addEventListener("submit", (event) => { event.preventDefault(); this.pay(); });
  }

  open(account) {
    this.parts.paybillAccount.value = account ?? "";
    this.parts.paybillAmount.value = "";
    this.parts.paybillPin.value = "";
    this.parts.paybillAnswer.textContent = "";
  }

  async pay() {
    const { paybillAccount, paybillAmount, paybillPin, paybillAnswer } = this.parts;
    paybillAnswer.textContent = "Please wait…";
    const { phone } = this.line();
    const answer = await post("/api/paybill", {
      phone, account: paybillAccount.value.trim(), amount: paybillAmount.value.trim(), pin: paybillPin.value,
    });
    paybillPin.value = "";
    paybillAnswer.textContent = answer.error ?? answer.text;
    paybillAnswer.scrollIntoView({ block: "nearest" });
    this.onDone();
  }
}
