// One room's talk: bubbles by day, buttons under the bot's, live changes in their place.
import { avatar, element, linked, set } from "./parts.js";

const NEAR = 120; // pixels from the end that still count as reading the newest

export class Talk {
  constructor(given) {
    Object.assign(this, given);
    this.shown = new Map();
    this.drafts = new Map();
    this.older.textContent = this.say("older");
    this.older.addEventListener("click", () => this.onOlder());
    this.jump.textContent = `${this.say("new_below")} ↓`;
    this.jump.addEventListener("click", () => this.end());
    this.scroll.addEventListener("scroll", () => this.look(), { passive: true });
    new ResizeObserver(() => { if (this.follows) this.end(); }).observe(this.scroll);
    this.follows = true;
  }

  get first() { return Math.min(...this.shown.keys()); }

  clear() {
    this.shown.clear();
    this.drafts.clear();
    this.list.replaceChildren();
    this.older.hidden = this.empty.hidden = this.jump.hidden = true;
  }

  show(posts, more) {
    for (const post of posts) this.shown.set(post.id, { post });
    this.older.hidden = !more;
    this.draw();
    this.end();
  }

  before(posts, more) {
    const height = this.scroll.scrollHeight - this.scroll.scrollTop;
    for (const post of posts) this.shown.set(post.id, { post });
    this.older.hidden = !more;
    this.draw();
    this.scroll.scrollTop = this.scroll.scrollHeight - height;
  }

  arrived(post) {
    const near = this.near();
    const known = this.shown.has(post.id);
    if (post.who.kind === "me" && !known) this.recognise(post);
    this.shown.set(post.id, { post });
    this.draw();
    if (near || post.who.kind === "me") this.end();
    else if (!known) this.jump.hidden = false;
  }

  // The stream may bring a post before the answer to its own sending does.
  recognise(post) {
    for (const draft of this.drafts.values()) {
      if (draft.state === "sending" && draft.text === post.text) return this.drafts.delete(draft.id);
    }
    return false;
  }

  pending(draft) {
    draft.state = "sending";
    this.drafts.set(draft.id, draft);
    this.draw();
    this.end();
  }

  settled(draft) { this.drafts.delete(draft.id); }

  failed(draft, why) {
    Object.assign(draft, { state: "failed", why });
    if (this.drafts.has(draft.id)) this.draw();
  }

  near() { return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < NEAR; }

  end() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.look();
  }

  look() {
    this.follows = this.near();
    if (!this.follows) return;
    this.jump.hidden = true;
    if (this.shown.size) this.onSeen(Math.max(...this.shown.keys()));
  }

  // What has not changed keeps its place on the page, so that a player goes on playing.
  draw() {
    const rows = [];
    let day = null, before = null;
    const entries = [...this.shown.entries()].sort(([one], [other]) => one - other);
    for (const [, entry] of entries) {
      const { post } = entry;
      if (post.day !== day) {
        rows.push(this.day(post.day));
        [day, before] = [post.day, null];
      }
      const same = before !== null && before.who.kind === post.who.kind && before.who.name === post.who.name && !before.keys.length;
      const answers = post.who.kind === "bot" && post.quote?.id === before?.id;
      const print = JSON.stringify([post, same, answers]);
      if (entry.print !== print) Object.assign(entry, { print, row: this.bubble(post, same, answers) });
      rows.push(entry.row);
      before = post;
    }
    for (const draft of this.drafts.values()) rows.push(this.unsent(draft));
    this.list.replaceChildren(...rows);
    this.empty.hidden = rows.length > 0;
    if (!rows.length) {
      this.empty.replaceChildren(avatar({ kind: "bot", name: "" }), element("h2", "", this.say("empty")), element("p", "", this.hint));
    }
  }

  day(words) {
    const row = element("li", "day");
    row.append(element("span", "", words));
    return row;
  }

  // A bot's answer right below what it answers needs no quotation.
  bubble(post, same, answers) {
    const mine = post.who.kind === "me";
    const row = element("li", `post ${mine ? "mine" : post.who.kind}${same ? " same" : ""}`);
    row.id = `post-${post.id}`;
    row.dataset.post = post.id;
    const said = element("div", "said");
    const by = element("p", "by");
    by.append(element("b", "", post.who.name));
    if (post.who.note) by.append(element("i", "", post.who.note));
    const bubble = element("div", "bubble");
    if (post.quote && !answers) bubble.append(this.quote(post.quote));
    if (post.text) {
      const words = element("div", "words-of");
      words.append(post.who.kind === "bot" ? set(post.text) : linked(post.text));
      bubble.append(words);
    }
    if (post.files.length) bubble.append(this.files(post.files));
    bubble.addEventListener("click", (event) => this.tapped(event, post));
    said.append(by, bubble);
    if (post.keys.length) said.append(this.keys(post));
    said.append(this.foot(post));
    row.append(avatar(post.who), said);
    return row;
  }

  // On a screen that is touched, a tap on a message replies to it; links, players and marked text are left alone.
  tapped(event, post) {
    if (!matchMedia("(hover: none)").matches || event.target.closest("a, button, audio, img")) return;
    if (String(getSelection())) return;
    this.onReply(post);
  }

  quote(quoted) {
    const link = element("button", "quote");
    link.type = "button";
    link.append(element("b", "", quoted.name), element("span", "", quoted.text));
    link.addEventListener("click", () => {
      const row = document.getElementById(`post-${quoted.id}`);
      if (!row) return;
      row.scrollIntoView({ block: "center" });
      row.classList.remove("lit");
      requestAnimationFrame(() => row.classList.add("lit"));
    });
    return link;
  }

  files(kept) {
    const all = element("div", "files");
    for (const file of kept) {
      const address = `/files/${file.hash}`;
      if (file.media_type.startsWith("audio/")) all.append(this.player(address, file.name));
      else all.append(this.paper(address, file));
    }
    return all;
  }

  player(address, name) {
    const player = element("audio");
    Object.assign(player, { controls: true, preload: "metadata", src: address });
    player.setAttribute("aria-label", `${this.say("audio")} ${name}`);
    return player;
  }

  paper(address, file) {
    const photo = ["image/jpeg", "image/png", "image/webp", "image/gif"].includes(file.media_type);
    const link = element("a", photo ? "photo" : "paper");
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener";
    if (photo) {
      const image = element("img");
      Object.assign(image, { src: address, alt: file.name, loading: "lazy" });
      image.addEventListener("load", () => { if (this.follows) this.end(); });
      link.append(image);
    } else {
      const ending = file.name.includes(".") ? file.name.split(".").pop().slice(0, 4).toUpperCase() : "…";
      link.append(element("b", "", ending), element("span", "", file.name));
    }
    return link;
  }

  keys(post) {
    const board = element("div", "keys");
    for (const row of post.keys) {
      for (let start = 0; start < row.length; start += 3) {
        const line = element("div");
        for (const key of row.slice(start, start + 3)) {
          const button = element("button", "", key.label);
          button.type = "button";
          button.addEventListener("click", () => this.onPress(post, key, button));
          line.append(button);
        }
        board.append(line);
      }
    }
    return board;
  }

  foot(post) {
    const foot = element("div", "foot");
    const time = element("time", "", post.time);
    time.dateTime = post.at;
    const reply = element("button", "", this.say("reply"));
    reply.type = "button";
    reply.setAttribute("aria-label", this.say("replying", { name: post.who.name }));
    reply.addEventListener("click", () => this.onReply(post));
    if (post.edited) foot.append(element("span", "", this.say("edited")));
    foot.append(time, reply);
    return foot;
  }

  unsent(draft) {
    const row = element("li", `post mine ${draft.state}`);
    const said = element("div", "said");
    const bubble = element("div", "bubble");
    if (draft.reply) bubble.append(this.quote({ id: draft.reply.id, name: draft.reply.who.name, text: draft.reply.text }));
    if (draft.text) bubble.append(element("div", "words-of", draft.text));
    for (const file of draft.files) bubble.append(element("div", "", file.name));
    const foot = element("div", "foot");
    if (draft.state === "failed") {
      const retry = element("button", "retry", `${this.say("failed")} · ${this.say("retry")}`);
      retry.type = "button";
      retry.title = draft.why;
      retry.addEventListener("click", () => this.onRetry(draft));
      foot.append(retry);
    } else foot.append(element("span", "", this.say("sending")));
    said.append(bubble, foot);
    row.append(said);
    return row;
  }
}
