// What somebody is about to say: words, files with previews, the message replied to.
import { element } from "./parts.js";

const MOST_FILES = 10;
const PREVIEW = 124; // pixels; shown at half that size

export class Composer {
  constructor({ form, at, say, onSend }) {
    Object.assign(this, { form, at, say, onSend, files: [], reply: null, room: null, kept: new Map() });
    this.text = at("text");
    form.addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.text.addEventListener("input", () => this.grow());
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("paste", (event) => this.add(event.clipboardData?.files));
    at("replying-end").addEventListener("click", () => this.replyTo(null));
    this.menu();
    form.addEventListener("dragover", (event) => event.preventDefault());
    form.addEventListener("drop", (event) => { event.preventDefault(); this.add(event.dataTransfer?.files); });
  }

  // Each room keeps its own half-written words.
  open(room) {
    if (this.room !== null) this.kept.set(this.room, this.text.value);
    this.room = room;
    this.text.value = this.kept.get(room) ?? "";
    this.files = [];
    this.replyTo(null, false);
    this.pick();
    this.trouble("");
    this.grow();
  }

  focus() { this.text.focus({ preventScroll: true }); }

  chips(offered) {
    this.at("chips").replaceChildren(...offered.map((chip) => {
      const button = element("button", "", chip.label);
      button.type = "button";
      button.addEventListener("click", () => this.chip(chip));
      return button;
    }));
  }

  chip(chip) {
    if (chip.send) {
      this.onSend({ text: chip.text, files: [], reply: null });
      return;
    }
    const words = this.text.value.trim();
    this.text.value = words.startsWith(chip.text.trim()) ? this.text.value : chip.text + words;
    this.grow();
    this.focus();
    this.text.setSelectionRange(this.text.value.length, this.text.value.length);
  }

  replyTo(shown, focus = true) {
    this.reply = shown;
    this.at("replying").hidden = !shown;
    if (shown) {
      this.at("replying-name").textContent = this.say("replying", { name: shown.who.name });
      this.at("replying-text").textContent = shown.text.split("\n")[0] || shown.files.map((file) => file.name).join(" ");
    }
    if (focus) this.focus();
  }

  // Enter sends where there is a keyboard; while an input method composes, it only chooses a word.
  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape" && this.reply) this.replyTo(null);
    if (event.key !== "Enter" || event.shiftKey || matchMedia("(hover: none)").matches) return;
    event.preventDefault();
    this.send();
  }

  send() {
    const text = this.text.value.trim();
    if (!text && !this.files.length) return this.focus();
    const draft = { text, files: this.files, reply: this.reply };
    this.text.value = "";
    this.files = [];
    this.replyTo(null);
    this.pick();
    this.trouble("");
    this.grow();
    this.onSend(draft);
  }

  trouble(words) {
    this.at("trouble").textContent = words;
    this.at("trouble").hidden = !words;
  }

  grow() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight + 3, 168)}px`;
  }

  menu() {
    const menu = this.at("attach-menu"), opener = this.at("attach");
    const show = (open) => {
      menu.hidden = !open;
      opener.setAttribute("aria-expanded", String(open));
      if (open) menu.querySelector("button").focus();
    };
    opener.addEventListener("click", (event) => { event.stopPropagation(); show(menu.hidden); });
    document.addEventListener("click", () => show(false));
    menu.addEventListener("keydown", (event) => this.walk(event, menu, () => { show(false); opener.focus(); }));
    for (const kind of ["photo", "voice", "document"]) {
      const input = this.at(`pick-${kind}`);
      menu.querySelector(`[data-pick="${kind}"]`).addEventListener("click", () => input.click());
      input.addEventListener("change", () => { this.add(input.files); input.value = ""; });
    }
  }

  walk(event, menu, close) {
    const items = [...menu.querySelectorAll("button")];
    const here = items.indexOf(document.activeElement);
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown") items[(here + 1) % items.length].focus();
    else if (event.key === "ArrowUp") items[(here + items.length - 1) % items.length].focus();
    else return;
    event.preventDefault();
  }

  add(chosen) {
    if (!chosen?.length) return;
    const all = [...this.files, ...chosen];
    this.trouble(all.length > MOST_FILES ? this.say("too_many", { most: MOST_FILES }) : "");
    this.files = all.slice(0, MOST_FILES);
    this.pick();
    this.focus();
  }

  pick() {
    const strip = this.at("picked");
    strip.hidden = !this.files.length;
    strip.replaceChildren(...this.files.map((file) => this.preview(file)));
  }

  preview(file) {
    const item = element("li");
    const name = element("span", "name", file.name);
    const drop = element("button", "drop", "×");
    drop.type = "button";
    drop.setAttribute("aria-label", this.say("remove", { name: file.name }));
    drop.addEventListener("click", () => { this.files = this.files.filter((other) => other !== file); this.pick(); });
    item.append(name, drop);
    if (file.type.startsWith("image/")) this.draw(file, name).catch(() => {});
    return item;
  }

  // Photos are drawn, not linked to, so that the page needs no leave for addresses of its own making.
  async draw(file, name) {
    const image = await createImageBitmap(file);
    const side = Math.min(image.width, image.height);
    const canvas = element("canvas");
    canvas.width = canvas.height = PREVIEW;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", file.name);
    const [left, top] = [(image.width - side) / 2, (image.height - side) / 2];
    canvas.getContext("2d").drawImage(image, left, top, side, side, 0, 0, PREVIEW, PREVIEW);
    image.close();
    name.replaceWith(canvas);
  }
}
