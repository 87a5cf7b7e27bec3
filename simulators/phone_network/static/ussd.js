// One phone's USSD session: dial, answer, hang up. `show` draws what came back.

import { post } from "./api.js";

export class Ussd {
  constructor(line, show) {
    this.line = line; // () => ({phone, network})
    this.show = show; // ({state, text, ...}) => void
    this.session = null;
    this.turn = 0;
  }

  get open() {
    return this.session !== null || this.running;
  }

  dial(code) {
    return this.send("/api/dial", { ...this.line(), code });
  }

  answer(said) {
    return this.send("/api/answer", { session: this.session, said });
  }

  hangUp() {
    this.turn += 1; // an answer still on its way is not shown
    this.running = false;
    if (this.session) post("/api/hangup", { session: this.session });
    this.session = null;
  }

  async send(path, body) {
    const turn = ++this.turn;
    this.running = true;
    this.show({ state: "running" });
    const screen = await post(path, body);
    if (turn !== this.turn) {
      if (screen.session && !screen.ends) post("/api/hangup", { session: screen.session });
      return;
    }
    this.running = false;
    if (screen.error) {
      this.session = null;
      this.show({ state: "ended", text: screen.error, septets: null, limit: 0 });
      return;
    }
    this.session = screen.ends ? null : screen.session;
    this.show({ state: screen.ends ? "ended" : "waiting", ...screen });
  }
}
