// Whose phone it is: a seeded customer, or a number that nobody knows.

import { element } from "./parts.js";

const UNKNOWN = "unknown";
const LANGUAGES = { en: "English", sw: "Kiswahili" };

export class Owner {
  constructor(parts, onChange) {
    this.parts = parts;
    this.onChange = onChange;
    this.customers = [];
    this.wallet = null;
    this.purses = [];
    parts.customer.addEventListener("change", () => this.choose(parts.customer.value));
    parts.number.addEventListener("change", () => this.setNumber(parts.number.value));
    parts.network.addEventListener("change", () => onChange());
  }

  get number() {
    return this.parts.number.value;
  }

  get network() {
    const option = this.parts.network.selectedOptions[0];
    return {
      code: option.value, name: option.textContent.trim(),
      screen: Number(option.dataset.screen), answer: Number(option.dataset.answer),
    };
  }

  get customer() {
    return this.connections[0];
  }

  // A customer with several connections is listed once for each.
  get connections() {
    return this.customers.filter((customer) => customer.phone === this.number);
  }

  setCustomers(customers) {
    this.customers = customers;
    const firsts = [...new Map([...customers].reverse().map((customer) => [customer.phone, customer])).values()].reverse();
    const options = firsts.map((c) => element("option", { value: c.phone }, `${c.name}, ${c.account_no}`));
    this.parts.customer.replaceChildren(...options, element("option", { value: UNKNOWN }, "A number nobody knows"));
    this.draw();
  }

  choose(value) {
    this.setNumber(value === UNKNOWN ? `+25479${String(Math.random()).slice(2, 9)}` : value);
  }

  setNumber(raw) {
    const digits = raw.replace(/[^\d]/g, "").replace(/^0/, "254");
    this.parts.number.value = `+${digits}`;
    this.draw();
    this.onChange();
  }

  draw() {
    const customer = this.customer;
    this.parts.customer.value = customer ? customer.phone : UNKNOWN;
    const several = this.connections.length > 1;
    const rows = this.connections.map((c) => [several ? c.account_no : "Balance", c.balance]);
    if (this.wallet) rows.push(["M-Pesa", `KES ${this.wallet.balance.toLocaleString("en")}`]);
    for (const purse of this.purses) rows.push([purse.label, `${purse.currency} ${Number(purse.balance).toLocaleString("en")}`]);
    if (!customer) rows.unshift(["Customer", "not yet"]);
    else rows.push(["Language", LANGUAGES[customer.language] ?? customer.language], ["Meter", several ? "" : customer.meter]);
    this.parts.facts.replaceChildren(...rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, String(value)))));
  }

  setPurses(purses) {
    if (JSON.stringify(purses) === JSON.stringify(this.purses)) return;
    this.purses = purses;
    this.draw();
  }

  setWallet(wallet) {
    if (!wallet || (this.wallet && this.wallet.balance === wallet.balance && this.wallet.phone === wallet.phone)) return;
    this.wallet = wallet;
    this.parts.paybillNumber.textContent = wallet.paybill;
    this.draw();
  }
}
