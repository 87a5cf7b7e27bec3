// Small DOM tools.

// The elements of a phone by their data-part; each gets its data-testid, "phone-0-screen" and so on.
export function partsOf(root, prefix) {
  const parts = {};
  for (const element of [root, ...root.querySelectorAll("[data-part]")]) {
    const name = element.dataset.part;
    if (!name) continue;
    element.dataset.testid = name === "phone" ? prefix : `${prefix}-${name}`;
    parts[name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())] = element;
  }
  return parts;
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

let toastTimer;

export function toast(text) {
  const place = document.getElementById("toast");
  place.textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { place.textContent = ""; }, 2500);
}

export async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Over plain HTTP from another machine the browser has no clipboard for us.
    window.prompt("Copy this:", text);
    return;
  }
  toast(said);
}
