// The keypad types into the field in use: digits, or letters by pressing a key several times.

const LETTERS = {
  1: ".,-'1", 2: "abc2", 3: "def3", 4: "ghi4", 5: "jkl5", 6: "mno6", 7: "pqrs7", 8: "tuv8", 9: "wxyz9", 0: " 0",
};
const PAUSE_MS = 1000;

export class Keypad {
  constructor(parts, fieldInUse) {
    this.parts = parts;
    this.fieldInUse = fieldInUse;
    this.letters = false;
    this.last = { key: null, at: 0, turn: 0, field: null };
    for (const button of parts.phone.querySelectorAll("[data-key]")) {
      button.addEventListener("click", () => this.press(button.dataset.key));
    }
    parts.clear.addEventListener("click", () => this.erase());
    parts.mode.addEventListener("click", () => this.setLetters(!this.letters));
  }

  setLetters(letters) {
    this.letters = letters;
    this.parts.mode.textContent = letters ? "abc" : "123";
    this.parts.mode.setAttribute(
      "aria-label", letters ? "Keys type letters; change to digits" : "Keys type digits; change to letters",
    );
  }

  press(key) {
    const field = this.fieldInUse();
    if (!field) return;
    const choices = this.letters && !field.inputMode.startsWith("num") ? LETTERS[key] : null;
    if (!choices) {
      this.last.key = null;
      insert(field, key);
      return;
    }
    const now = Date.now();
    const again = this.last.key === key && this.last.field === field && now - this.last.at < PAUSE_MS;
    const turn = again ? (this.last.turn + 1) % choices.length : 0;
    if (again) removeLast(field);
    insert(field, capitalised(field, choices[turn]));
    this.last = { key, at: now, turn, field };
  }

  erase() {
    const field = this.fieldInUse();
    if (field) removeLast(field);
  }

  // A key of the real keyboard shows on the drawn one.
  flash(key) {
    const button = this.parts.phone.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!button) return;
    button.classList.add("pressed");
    setTimeout(() => button.classList.remove("pressed"), 120);
  }
}

function capitalised(field, letter) {
  const before = field.value.slice(0, field.selectionStart ?? field.value.length);
  return before === "" || before.endsWith(" ") ? letter.toUpperCase() : letter;
}

function insert(field, character) {
  if (field.maxLength > 0 && field.value.length >= field.maxLength) return;
  change(field, field.value + character);
}

function removeLast(field) {
  change(field, field.value.slice(0, -1));
}

function change(field, value) {
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
