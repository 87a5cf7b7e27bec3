// One phone, with a state of its own that no other phone shares.

import { get } from "./api.js";
import { Keypad } from "./keypad.js";
import { Paybill, Prompt } from "./mpesa.js";
import { Owner } from "./owner.js";
import { partsOf, toast } from "./parts.js";
import { drawCounter, drawView } from "./screen.js";
import { Messages } from "./sms.js";
import { Ussd } from "./ussd.js";

const MOUSE = matchMedia("(hover: hover) and (pointer: fine)");

export class Phone {
  // `hooks`: {news(phone, news), changed(phone), used(phone)}
  constructor(index, about, hooks) {
    this.index = index;
    this.about = about;
    this.hooks = hooks;
    this.view = "idle";
    this.after = {};
    this.lastDialled = "";
    const template = document.getElementById("phone-template");
    this.root = template.content.firstElementChild.cloneNode(true);
    this.root.dataset.colour = index;
    this.root.setAttribute("aria-label", `Phone ${index + 1}`);
    this.root.querySelector(".lcd-view").setAttribute("aria-label", `Screen of phone ${index + 1}`);
    this.parts = partsOf(this.root, `phone-${index}`);
    const line = () => ({ phone: this.owner.number, network: this.owner.network.code });
    this.owner = new Owner(this.parts, () => this.restart());
    this.ussd = new Ussd(line, (screen) => this.showUssd(screen));
    this.messages = new Messages(this.parts, line, (error) => this.acted(error));
    this.prompt = new Prompt(this.parts, (error) => this.acted(error));
    this.paybill = new Paybill(this.parts, line, () => this.acted());
    this.keypad = new Keypad(this.parts, () => this.fieldInUse());
    this.listen();
  }

  listen() {
    const { parts } = this;
    const act = (part, deed) => parts[part].addEventListener("click", () => { deed(); this.focusField(); });
    act("dial", () => this.green());
    act("hangup", () => this.red());
    act("softLeft", () => this.soft("left"));
    act("softRight", () => this.soft("right"));
    parts.up.addEventListener("click", () => parts.screen.scrollBy({ top: -60 }));
    parts.down.addEventListener("click", () => parts.screen.scrollBy({ top: 60 }));
    this.root.addEventListener("focusin", () => this.hooks.used(this));
    parts.paybill.addEventListener("focusin", (event) => { this.paybillField = event.target; });
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.root.addEventListener("input", () => drawCounter(this));
    parts.input.addEventListener("keydown", (event) => { if (event.key === "Enter") this.green(); });
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(".owner")) return;
    if (event.key === "Escape") this.red();
    if (!/^[0-9*#]$/.test(event.key)) return;
    this.keypad.flash(event.key);
    if (!event.target.matches("input, textarea")) this.keypad.press(event.key);
  }

  // Begin afresh as whoever owns the number now.
  restart() {
    this.ussd.hangUp();
    this.after = {};
    this.read = false;
    this.messages.clear();
    this.prompt.close();
    this.owner.wallet = null;
    this.owner.purses = [];
    this.go("idle");
    this.hooks.changed(this);
  }

  go(view) {
    this.view = view;
    if (view === "messages") this.messages.unread = 0;
    if (view === "paybill") this.paybill.open(this.owner.customer?.account_no);
    if (view === "idle") this.parts.input.value = "";
    this.keypad.setLetters(view === "messages");
    this.draw();
    if (view === "messages") this.messages.toEnd();
  }

  // A field that goes off the screen hands its focus to the screen itself, so that the keyboard stays with the phone.
  draw() {
    drawView(this);
    const focused = document.activeElement;
    if (this.root.contains(focused) && focused.closest("[hidden]")) this.parts.screen.focus({ preventScroll: true });
  }

  dial(code) {
    this.lastDialled = code;
    this.parts.input.value = "";
    this.ussd.dial(code);
  }

  green() {
    if (this.prompt.open) return this.prompt.enter();
    if (this.view === "messages") return this.messages.send();
    if (this.view === "paybill") return this.paybill.pay();
    const said = this.parts.input.value;
    if (this.view === "ussd") return this.answer(said);
    if (this.view === "ended") return this.go("idle");
    if (this.view !== "idle") return undefined;
    if (said) return this.dial(said);
    this.parts.input.value = this.lastDialled || this.about.serviceCode;
    return undefined;
  }

  answer(said) {
    if (said === "") return;
    this.parts.input.value = "";
    this.ussd.answer(said);
  }

  red() {
    if (this.prompt.open) return this.prompt.cancel();
    this.ussd.hangUp();
    return this.go("idle");
  }

  soft(side) {
    if (this.prompt.open) return side === "left" ? this.prompt.enter() : this.prompt.cancel();
    if (this.view === "idle") return this.go(side === "left" ? "messages" : "paybill");
    return side === "left" ? this.green() : this.red();
  }

  showUssd(screen) {
    this.screen = screen;
    this.go({ running: "running", waiting: "ussd", ended: "ended" }[screen.state]);
    this.parts.screen.scrollTop = 0;
    if (screen.state !== "running") this.hooks.changed(this);
    this.focusField();
  }

  acted(error) {
    if (error) toast(error);
    this.draw();
    this.hooks.changed(this);
  }

  fieldInUse() {
    const { parts } = this;
    if (this.prompt.open) return parts.promptPin;
    if (this.view === "messages") return parts.smsText;
    if (this.view === "idle" || this.view === "ussd") return parts.input;
    if (this.view !== "paybill") return null;
    const fields = [parts.paybillAccount, parts.paybillAmount, parts.paybillPin];
    return fields.find((field) => field === this.paybillField) ?? fields.find((field) => !field.value) ?? fields[2];
  }

  // On a touch screen the drawn keypad is enough; focus would bring the other one up over it.
  focusField() {
    const field = this.fieldInUse();
    if (field && MOUSE.matches && this.root.contains(document.activeElement)) field.focus({ preventScroll: true });
  }

  async refresh() {
    const asked = this.owner.number;
    const news = await get("/api/news", { phone: asked, ...this.after });
    if (asked !== this.owner.number) return;
    if (news.error) {
      this.hooks.news(this, { problems: [news.error], log: [], effects: [] });
      return;
    }
    this.after = news.after;
    this.owner.setWallet(news.wallet);
    this.owner.setPurses(news.purses);
    const first = !this.read;
    this.read = true;
    if (this.messages.receive(news.messages) && first) this.messages.unread = 0;
    if (this.view === "messages") this.messages.unread = 0;
    if (this.prompt.offer(news.prompts, this.ussd.open)) this.focusField();
    this.draw();
    this.hooks.news(this, news);
  }
}
