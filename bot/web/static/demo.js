// The demo's panel: the visible clock, the cast, and a guided tour of five steps.
import { avatar, element } from "./parts.js";

const texts = JSON.parse(document.body.dataset.demoTexts);
const at = (id) => document.getElementById(id);
const GROUPS = ["firm", "liaison", "department", "office", "inspection"];
const FACES = { firm: "firm", liaison: "office", department: "office", office: "office", inspection: "group" };
const STEPS = 5;
const FEW = 3;

async function ask(path, method = "GET") {
  const answer = await fetch(path, { method });
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error ?? String(answer.status));
  return found;
}

function trouble(words) {
  at("demo-trouble").textContent = words;
  at("demo-trouble").hidden = !words;
}

function clock(shown) {
  at("clock-time").textContent = shown.time;
  at("clock-day").textContent = shown.day;
  const tag = at("clock-tag");
  tag.textContent = shown.working_day ? texts.working_day : texts.rest_day;
  tag.classList.toggle("rest", !shown.working_day);
  document.querySelector("[data-clock]").textContent = `${shown.day} ${shown.time} · ${tag.textContent}`;
  at("demo-play").textContent = shown.playing ? texts.pause : texts.play;
  at("demo-play").dataset.on = shown.playing ? "off" : "on";
}

const moving = [...document.querySelectorAll("[data-stride]"), at("demo-play")];

async function move(path) {
  for (const button of moving) button.disabled = true;
  trouble("");
  try {
    clock(await ask(path, "POST"));
  } catch (error) {
    trouble(error.message);
  } finally {
    for (const button of moving) button.disabled = false;
  }
}

for (const button of document.querySelectorAll("[data-stride]")) {
  button.addEventListener("click", () => move(`/demo/advance/${button.dataset.stride}`));
}
at("demo-play").addEventListener("click", () => move(`/demo/play/${at("demo-play").dataset.on}`));

async function tick() {
  let wait = 10_000;
  try {
    const shown = await ask("/demo/clock");
    clock(shown);
    wait = shown.playing ? 1000 : 10_000;
  } catch { /* the next look tries again */ }
  setTimeout(tick, document.hidden ? 30_000 : wait);
}

async function be(person) {
  try {
    await ask(`/demo/be/${person}`, "POST");
  } catch (error) {
    trouble(error.message);
    return;
  }
  location.assign("/");
}

function face(person, me) {
  const button = element("button");
  button.type = "button";
  button.dataset.person = person.id;
  button.setAttribute("aria-pressed", String(person.id === me));
  const who = element("span", "who");
  who.append(element("b", "", person.name), element("span", "", person.note));
  button.append(avatar({ kind: FACES[person.group], name: person.name }), who);
  button.addEventListener("click", () => be(person.id));
  return button;
}

// A group shows its first few, whoever one is now among them; the others follow on demand.
function section(group, members, me) {
  const here = element("section");
  const shown = [...members.filter((one) => one.id === me), ...members.filter((one) => one.id !== me)];
  const head = element("h4", "", texts[`group_${group}`]);
  const faces = shown.map((person) => face(person, me));
  here.append(head, ...faces);
  if (faces.length <= FEW + 1) return here;
  const more = element("button", "more");
  more.type = "button";
  const fold = (folded) => {
    for (const hidden of faces.slice(FEW)) hidden.hidden = folded;
    more.textContent = folded ? texts.everybody.replace("{count}", faces.length) : texts.fewer;
    more.setAttribute("aria-expanded", String(!folded));
  };
  more.addEventListener("click", () => fold(more.getAttribute("aria-expanded") === "true"));
  head.append(more);
  fold(true);
  return here;
}

async function cast() {
  const { people, me } = await ask("/demo/people");
  if (document.body.dataset.signedIn === "no" && people.length) return be(people[0].id);
  for (const group of GROUPS) {
    const members = people.filter((person) => person.group === group);
    if (members.length) at("cast").append(section(group, members, me));
  }
}

function tour(step) {
  sessionStorage.setItem("tour", String(step));
  at("tour-count").textContent = texts.step.replace("{step}", step);
  at("tour-title").textContent = texts[`tour${step}_title`];
  at("tour-text").textContent = texts[`tour${step}`];
  at("tour-before").disabled = step === 1;
  at("tour-after").disabled = step === STEPS;
  at("tour-dots").replaceChildren(...Array.from({ length: STEPS }, (_, index) => element("i", index + 1 === step ? "on" : "")));
}

const step = () => Math.min(Math.max(Number(sessionStorage.getItem("tour")) || 1, 1), STEPS);
at("tour-before").addEventListener("click", () => tour(step() - 1));
at("tour-after").addEventListener("click", () => tour(step() + 1));

function drawer(open) {
  at("demo").classList.toggle("open", open);
  at("demo-open").setAttribute("aria-expanded", String(open));
  (open ? at("demo-close") : at("demo-open")).focus();
}
at("demo-open").addEventListener("click", () => drawer(!at("demo").classList.contains("open")));
at("demo-close").addEventListener("click", () => drawer(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && at("demo").classList.contains("open")) drawer(false);
});

tour(step());
tick();
cast().catch((error) => trouble(error.message));
