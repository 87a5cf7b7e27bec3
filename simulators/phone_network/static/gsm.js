// How much of an SMS a text takes (3GPP TS 23.038). Null where GSM-7 cannot carry it.

const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
  "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const EXTENSION = new Set("\f^{}\\[~]|€");

export function septets(text) {
  let total = 0;
  for (const character of text) {
    if (BASIC.has(character)) total += 1;
    else if (EXTENSION.has(character)) total += 2;
    else return null;
  }
  return total;
}

export function smsSize(text) {
  const plain = septets(text);
  const units = plain ?? text.length;
  const [single, each] = plain === null ? [70, 67] : [160, 153];
  const parts = units <= single ? 1 : Math.ceil(units / each);
  return { units, parts, limit: parts === 1 ? single : parts * each, plain: plain !== null };
}
