// The chat page. What people wrote is only ever set as text, never as markup.
import { avatar, element, linked, uuid } from "./parts.js";
import { Composer } from "./composer.js";
import { Talk } from "./talk.js";

const texts = JSON.parse(document.body.dataset.texts);
const at = (id) => document.getElementById(id);
const say = (key, holes = {}) => texts[key].replace(/\{(\w+)\}/g, (all, name) => holes[name] ?? all);
const narrow = matchMedia("(max-width: 760px)");
const page = { rooms: new Map(), me: null, open: null, stream: null };

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw Object.assign(new Error(say("offline")), { offline: true });
  }
  const found = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(found.error || say("failed"));
  return found;
}

const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

function toast(words) {
  const line = element("p", "", words);
  at("toasts").append(line);
  setTimeout(() => line.remove(), 4000);
}

const talk = new Talk({
  scroll: at("scroll"), list: at("posts"), empty: at("empty"), older: at("older"), jump: at("jump"), say, linked,
  onReply: (shown) => composer.replyTo(shown),
  onPress: press,
  onRetry: (draft) => send(draft),
  onOlder: older,
  onSeen: seen,
});

const composer = new Composer({ form: at("composer"), at, say, onSend: (draft) => send(draft) });

async function press(shown, key, button) {
  button.classList.add("busy");
  button.disabled = true;
  try {
    await post(`/api/chat/rooms/${shown.room}/press`, { id: uuid(), post: shown.id, data: key.data });
  } catch (error) {
    toast(error.message);
  } finally {
    setTimeout(() => { button.classList.remove("busy"); button.disabled = false; }, 700);
  }
}

async function send(draft) {
  const room = draft.room ?? page.open;
  Object.assign(draft, { room, id: draft.id ?? uuid() });
  if (room === page.open) talk.pending(draft);
  const form = new FormData();
  form.set("id", draft.id);
  form.set("text", draft.text);
  if (draft.reply) form.set("reply_to", draft.reply.id);
  for (const file of draft.files) form.append("files", file, file.name);
  try {
    const made = await ask(`/api/chat/rooms/${room}/say`, { method: "POST", body: form });
    talk.settled(draft);
    composer.trouble("");
    arrived(made.post);
  } catch (error) {
    talk.failed(draft, error.message);
    composer.trouble(error.message);
  }
}

async function older() {
  const room = page.open;
  try {
    const { posts, more } = await ask(`/api/chat/rooms/${room}/posts?before=${talk.first}`);
    if (page.open === room) talk.before(posts, more);
  } catch (error) {
    toast(error.message);
  }
}

function seen(id) {
  const room = page.rooms.get(page.open);
  if (!room || document.hidden || (room.read ?? 0) >= id) return;
  room.read = id;
  room.unread = 0;
  line(room);
  post(`/api/chat/rooms/${room.id}/read`, { post: id }).catch(() => { room.read = 0; });
}

// --- The list of rooms ---------------------------------------------------------------------------

function line(room) {
  const here = room.button ?? (room.button = element("button", "room-line"));
  here.type = "button";
  here.dataset.room = room.id;
  const face = room.private ? avatar({ kind: "bot", name: "" }) : avatar({ kind: "group", name: room.name });
  const words = element("span", "words");
  const last = room.last;
  const who = last?.who.kind === "me" ? `${say("you")}：` : room.private ? "" : `${last?.who.name}：`;
  const text = last ? who + last.text : room.note;
  words.append(element("span", "name", room.name), element("span", "last", text));
  const side = element("span", "side");
  side.append(element("span", "when", last ? (last.day === page.today ? last.time : last.day.replace(/（.*/, "")) : ""));
  if (room.unread) {
    const dot = element("span", "unread", room.unread > 99 ? "99+" : String(room.unread));
    dot.setAttribute("aria-label", say("unread", { count: room.unread }));
    side.append(dot);
  }
  here.replaceChildren(face, words, side);
  here.setAttribute("aria-current", String(room.id === page.open));
  here.onclick = () => enter(room.id);
}

function list() {
  const rooms = [...page.rooms.values()];
  at("rooms").replaceChildren(...rooms.map((room) => {
    line(room);
    const item = element("li");
    item.append(room.button);
    return item;
  }));
  if (!rooms.length) at("rooms").append(element("li", "no-rooms", say("no_rooms")));
}

async function enter(id, remember = true) {
  const room = page.rooms.get(id);
  if (!room) return;
  page.open = id;
  for (const other of page.rooms.values()) line(other);
  document.body.classList.add("in-room");
  at("nothing").hidden = true;
  at("room").hidden = false;
  at("room-name").textContent = room.name;
  at("room-note").textContent = room.note;
  if (remember) history.pushState({ room: id }, "", `#${id}`);
  composer.open(id);
  talk.hint = say(!room.private ? "empty_group" : page.me.office ? "empty_office" : "empty_hint");
  talk.clear();
  try {
    const { posts, more } = await ask(`/api/chat/rooms/${id}/posts`);
    if (page.open === id) talk.show(posts, more);
  } catch (error) {
    toast(error.message);
  }
  if (narrow.matches) at("room-name").focus(); else composer.focus();
}

function leave() {
  page.open = null;
  document.body.classList.remove("in-room");
  at("room").hidden = true;
  at("nothing").hidden = false;
  for (const room of page.rooms.values()) line(room);
}

// --- News ----------------------------------------------------------------------------------------

function arrived(shown) {
  const room = page.rooms.get(shown.room);
  if (!room) return load();
  const newest = !room.last || !(room.newest > shown.id);
  if (newest) {
    if (shown.id !== room.newest && shown.who.kind !== "me" && !(room.read >= shown.id)) room.unread += 1;
    const words = shown.text.split(/\s+/).join(" ") || shown.files.map((file) => `[${file.name}]`).join(" ");
    room.newest = shown.id;
    room.last = { ...shown, text: words };
  }
  line(room);
  if (shown.room === page.open) talk.arrived(shown);
}

function listen(serial) {
  page.stream?.close();
  const stream = page.stream = new EventSource(`/api/chat/stream?after=${serial}`);
  stream.addEventListener("post", (event) => arrived(JSON.parse(event.data)));
  stream.addEventListener("toast", (event) => toast(JSON.parse(event.data).text));
  stream.addEventListener("over", () => { stream.close(); location.reload(); });
  stream.onopen = () => { at("offline").hidden = true; };
  stream.onerror = () => {
    at("offline").textContent = say("offline");
    at("offline").hidden = false;
    if (stream.readyState === EventSource.CLOSED) setTimeout(load, 3000);
  };
}

async function load() {
  let state;
  try {
    state = await ask("/api/chat/state");
  } catch (error) {
    at("offline").textContent = error.message;
    at("offline").hidden = false;
    setTimeout(load, 3000);
    return;
  }
  page.me = state.me;
  page.today = state.today;
  const known = page.rooms;
  page.rooms = new Map(state.rooms.map((room) => [room.id, { ...known.get(room.id), ...room }]));
  at("me-name").textContent = state.me.name;
  at("me-avatar").replaceWith(Object.assign(avatar({ kind: "me", name: state.me.name }), { id: "me-avatar" }));
  at("me-avatar").classList.add("self-avatar");
  composer.chips(state.chips);
  list();
  listen(state.serial);
  begin();
}

function begin() {
  if (page.open && page.rooms.has(page.open)) return;
  const wanted = Number(location.hash.slice(1));
  if (page.rooms.has(wanted)) enter(wanted, false);
  else if (!narrow.matches || page.rooms.size === 1) {
    const first = page.rooms.values().next().value;
    if (first) enter(first.id, false);
  }
}

at("back").addEventListener("click", () => { if (history.state?.room) history.back(); else { history.replaceState({}, "", "/"); leave(); } });
addEventListener("popstate", (event) => (event.state?.room ? enter(event.state.room, false) : leave()));
document.addEventListener("visibilitychange", () => { if (!document.hidden) talk.look(); });
at("sign-out").addEventListener("click", async () => {
  await post("/api/chat/sign-out", {}).catch(() => {});
  location.assign("/");
});
if (document.body.dataset.signedIn === "yes") load();
