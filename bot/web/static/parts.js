// Small parts of the page, made without markup from strings.

export function element(tag, className = "", text = null) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== null) made.textContent = text;
  return made;
}

export function picture(path) {
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawn.setAttribute("viewBox", "0 0 24 24");
  drawn.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", path);
  drawn.append(line);
  return drawn;
}

const RINGS = "M6.5 8h5a4 4 0 010 8h-5a4 4 0 010-8zM12.5 8h5a4 4 0 010 8h-5a4 4 0 010-8z";

export function avatar(who) {
  const face = element("span", `avatar ${who.kind}`);
  face.setAttribute("aria-hidden", "true");
  if (who.kind === "bot") face.append(picture(RINGS));
  else face.textContent = [...who.name.trim()][0] ?? "·";
  return face;
}

const LABEL = /^[\p{Script=Han}]{2,6}：/u;
const LONGEST_TITLE = 40;

// A message of the bot, set like a small form: its first line stands out, labels step back.
export function set(text) {
  const whole = document.createDocumentFragment();
  const lines = text.split("\n");
  const titled = lines.length > 2 && lines[0].length <= LONGEST_TITLE;
  for (const [index, line] of lines.entries()) {
    if (index) whole.append("\n");
    const label = index ? LABEL.exec(line)?.[0] ?? "" : "";
    if (label) whole.append(element("span", "label", label));
    const rest = linked(line.slice(label.length));
    if (!index && titled) {
      const title = element("span", "title");
      title.append(rest);
      whole.append(title);
    } else whole.append(rest);
  }
  return whole;
}

const PIECES = /(https?:\/\/[^\s<>"'，。；、）」】]+)|(#(?:M-[0-9A-Z]+|\d{1,9}))/g;

// Text with its addresses as links and its numbers of matters set off; 【…】 at its head stands out.
export function linked(text) {
  const whole = document.createDocumentFragment();
  const head = /^【[^】]{1,20}】/.exec(text)?.[0] ?? "";
  if (head) whole.append(element("span", "lead", head));
  let from = head.length;
  for (const found of text.matchAll(PIECES)) {
    if (found.index < from) continue;
    whole.append(text.slice(from, found.index));
    if (found[1]) {
      const link = element("a", "", found[1]);
      link.href = found[1];
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      whole.append(link);
    } else {
      whole.append(element("span", "number", found[2]));
    }
    from = found.index + found[0].length;
  }
  whole.append(text.slice(from));
  return whole;
}

// An id that also pages without https can make.
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
