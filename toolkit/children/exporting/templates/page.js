"use strict";
// What the child sees and does. DATA is made by mevgs-toolkit; the lists in it are those of lists.csv.
const DATA = JSON.parse(document.getElementById("data").textContent);
const KEYS = { ArrowLeft: 0, f: 0, ArrowRight: 1, j: 1 };
const SIDES = ["left", "right"];
const CORNER_PX = 80;
const HOLD_MS = 2000;
const url = new URLSearchParams(location.search);
const byId = (id) => document.getElementById(id);

// ---- stimuli: each stands once in the page, and becomes a file in memory with a short address

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
}

// Undoes `toolkit.children.exporting.media.packed`: differences between samples, Rice-coded.
function unpackedWav({ data, n, rate }) {
  const bytes = bytesOf(data);
  const view = new DataView(new ArrayBuffer(44 + 2 * n));
  let at = 0;
  const bit = () => (bytes[at >> 3] >> (7 - (at++ & 7))) & 1;
  const number = (width) => {
    let value = 0;
    for (let i = 0; i < width; i++) value = 2 * value + bit();
    return value;
  };
  let width = 0;
  let sample = 0;
  for (let i = 0; i < n; i++) {
    if (i % DATA.block === 0) width = number(4);
    let high = 0;
    while (bit()) high++;
    const zigzag = high * 2 ** width + number(width);
    sample += zigzag % 2 ? -(zigzag + 1) / 2 : zigzag / 2;
    view.setInt16(44 + 2 * i, sample, true);
  }
  const text = (place, signs) => [...signs].forEach((sign, i) => view.setUint8(place + i, sign.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * n, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * n, true);
  return view;
}

const address = {};
for (const [id, one] of Object.entries(DATA.media)) {
  const content = one.type === "audio/wav" ? unpackedWav(one) : bytesOf(one.data);
  address[id] = URL.createObjectURL(new Blob([content], { type: one.type }));
}

// ---- who takes part: asked, or told in the address of the page

const FORMS = {
  participant: /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/,
  list: /^\d{1,4}$/,
  age: /^\d{1,3}([.]\d+)?$/,
  exposure: /^([a-z]{2,3}:\d{1,3}( |$))*$/,
};

// A value is taken from the address only if the form would have taken it.
function fromAddress(name) {
  const value = (url.get(name) ?? window.jatos?.urlQueryParameters?.[name] ?? "").trim();
  const input = byId(name);
  if (!FORMS[name].test(value) || value === "") return "";
  if (input.type === "number" && (Number(value) < Number(input.min) || Number(value) > Number(input.max))) return "";
  return value;
}

function randomName(length) {
  const signs = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(crypto.getRandomValues(new Uint32Array(length)), (n) => signs[n % signs.length]).join("");
}

function browserName() {
  const names = [["Edg", "Edge"], ["OPR", "Opera"], ["SamsungBrowser", "Samsung"], ["Firefox"], ["FxiOS", "Firefox"],
    ["CriOS", "Chrome"], ["HeadlessChrome"], ["Chrome"], ["Version", "Safari"]];
  for (const [sign, name] of names) {
    const found = navigator.userAgent.match(new RegExp(sign + "/(\\d+)"));
    if (found) return `${name ?? sign} ${found[1]}`;
  }
  return "other";
}

// ---- screens before and after

function show(id) {
  for (const one of byId("page").children) one.hidden = one.id !== id;
  byId("page").hidden = id === "experiment";
  byId("experiment").hidden = id !== "experiment";
  window.scrollTo(0, 0);
  byId(id).querySelector("h1")?.focus();
}

const session = { rows: [], running: false, stopped: false };
const simulated = url.get("simulate") === "data-only";

function askConsent() {
  if (!byId("consent").querySelector("h1, p") || simulated) return askAbout();
  byId("agree").onclick = askAbout;
  byId("decline").onclick = () => show("declined");
  show("consent");
}

function askAbout() {
  for (const name of Object.keys(FORMS)) byId(name).value = fromAddress(name);
  const told = ["participant", "age"].every((name) => byId(name).value !== "");
  if (byId("list").value === "") byId("list").value = Math.floor(Math.random() * DATA.lists.length);
  if (simulated && byId("participant").value === "") byId("participant").value = `simulated-${randomName(6)}`;
  byId("child").onsubmit = (event) => {
    event.preventDefault();
    instruct();
  };
  if (told || simulated) instruct();
  else show("about");
}

function instruct() {
  const value = (name) => byId(name).value.trim();
  session.child = {
    participant_id: value("participant"),
    session_id: randomName(10),
    list: Number(value("list")),
    age_months: value("age") === "" ? null : Number(value("age")),
    exposure: value("exposure"),
  };
  byId("start").onclick = run;
  if (simulated) run();
  else show("instructions");
}

// ---- the trials

function picture(id, place) {
  return `<button type="button" class="picture" aria-label="${DATA.words[SIDES[place]]}"><img src="${address[id]}" alt=""></button>`;
}

let usedDevice = "";
let held; // a tablet has no Esc: the upper left corner, held, does the same
document.addEventListener("pointerdown", (event) => {
  usedDevice = event.pointerType;
  if (session.running && Math.max(event.clientX, event.clientY) < CORNER_PX) held = setTimeout(stop, HOLD_MS);
}, true);
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => clearTimeout(held), true);
document.addEventListener("keydown", (event) => {
  if (!session.running) return;
  usedDevice = "keyboard";
  if (event.key === "Escape") return stop();
  const button = document.querySelectorAll(".picture")[KEYS[event.key]];
  if (button && !button.disabled && !event.repeat) button.click();
}, true);
window.addEventListener("beforeunload", (event) => session.running && event.preventDefault());

function stop() {
  if (!session.running) return;
  session.stopped = true;
  jsPsych.abortExperiment();
}

function trialOf(item, side, order) {
  const shown = side === 0 ? [item.target_id, item.distractor_id] : [item.distractor_id, item.target_id];
  const same = { choices: shown, button_html: picture };
  const silence = {
    ...same,
    type: jsPsychHtmlButtonResponse,
    stimulus: "",
    trial_duration: DATA.silence_ms,
    enable_button_after: DATA.silence_ms + 1000,
    response_ends_trial: false,
    simulation_options: { data: { response: null, rt: null } },
  };
  const word = {
    ...same,
    type: jsPsychAudioButtonResponse,
    stimulus: address[item.word_id],
    response_allowed_while_playing: false,
    trial_duration: DATA.limit_ms,
    post_trial_gap: DATA.gap_ms,
    simulation_options: () => ({ data: { response: Math.random() < Number(url.get("accuracy") ?? 0.75) ? side : 1 - side } }),
    on_load: () => (usedDevice = ""),
    on_finish: (answer) => session.stopped || keep(item, side, shown, order, answer),
  };
  return [silence, word];
}

function keep(item, side, shown, order, answer) {
  const chosen = Number.isInteger(answer.response) ? shown[answer.response] : null;
  session.rows.push({
    ...DATA.same,
    ...session.child,
    ...item,
    started_at: session.started_at,
    trial_order: order,
    left_id: shown[0],
    right_id: shown[1],
    target_side: SIDES[side],
    chosen_id: chosen ?? "",
    correct: chosen === null ? null : Number(chosen === item.target_id),
    response_time_s: chosen === null ? null : Math.round(answer.rt) / 1000,
    device: chosen === null ? "" : usedDevice || "mouse",
    browser: browserName(),
    screen_width_px: window.innerWidth,
    screen_height_px: window.innerHeight,
  });
}

function practiceIsPassed() {
  const right = session.rows.filter((row) => row.part === "practice" && row.correct === 1).length;
  return right >= DATA.design.practice_needed;
}

let jsPsych;
function run() {
  show("experiment");
  session.running = true;
  session.started_at = new Date().toISOString();
  jsPsych = initJsPsych({ display_element: "trials", override_safe_mode: true, on_finish: finish });
  jsPsych.pluginAPI.audioContext()?.resume(); // Safari plays sound only once a tap has asked for it
  const trials = DATA.lists[session.child.list].map(([number, side], order) => [DATA.items[number], side, order]);
  const timelineOf = (part) => trials.filter(([item]) => item.part === part).flatMap((trial) => trialOf(...trial));
  const kinds = (type) => Object.keys(DATA.media).filter((id) => DATA.media[id].type.startsWith(type)).map((id) => address[id]);
  const timeline = [
    { type: jsPsychPreload, images: kinds("image"), audio: kinds("audio"), show_progress_bar: false },
    ...timelineOf("practice"),
    { timeline: timelineOf("test"), conditional_function: practiceIsPassed },
  ];
  if (simulated) jsPsych.simulate(timeline, "data-only");
  else jsPsych.run(timeline);
}

// ---- what becomes of the answers

function csvOf(rows) {
  const cell = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [DATA.columns, ...rows.map((row) => DATA.columns.map((name) => row[name]))]
    .map((cells) => cells.map(cell).join(",") + "\n").join("");
}

function fileName(ending) {
  const plain = (text) => text.replace(/[^A-Za-z0-9]/g, "") || "none";
  const { participant_id, session_id } = session.child;
  return `study-${plain(DATA.design.paradigm)}_subject-${plain(participant_id)}_session-${plain(session_id)}_data.${ending}`;
}

function offer(name, content, type) {
  const link = document.createElement("a");
  link.download = link.textContent = name;
  link.href = URL.createObjectURL(new Blob([content], { type }));
  const line = document.createElement("li");
  line.append(link);
  byId("files").append(line);
  return link;
}

async function post(where, content) {
  const answer = await fetch(where, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(content) });
  if (!answer.ok) throw new Error(`${where} answered ${answer.status}`);
}

async function send(csv, told) {
  if (window.jatos) {
    await window.jatos.submitResultData(JSON.stringify(told));
    window.jatos.endStudy();
  } else if (DATA.send.datapipe) {
    await post("https://pipe.jspsych.org/api/data/", { experimentID: DATA.send.datapipe, filename: fileName("csv"), data: csv });
  } else {
    await post(DATA.send.post, { filename: fileName("json"), ...told });
  }
}

async function trySending(csv, told) {
  byId("again").hidden = true;
  byId("told").textContent = DATA.words.sending;
  try {
    await send(csv, told);
    byId("told").textContent = DATA.words.sent;
  } catch (error) {
    console.warn(error);
    byId("told").textContent = DATA.words.not_sent;
    byId("again").hidden = false;
  }
}

async function finish() {
  if (!session.running) return;
  session.running = false;
  const rows = session.rows.map((row) => Object.fromEntries(DATA.columns.map((name) => [name, row[name] ?? null])));
  const told = { design: DATA.design, trials: rows };
  const csv = csvOf(rows);
  const link = offer(fileName("csv"), csv, "text/csv");
  offer(fileName("json"), JSON.stringify(told), "application/json");
  byId("again").onclick = () => trySending(csv, told);
  show("end");
  if (window.jatos || DATA.send.datapipe || DATA.send.post) await trySending(csv, told);
  else {
    byId("told").textContent = DATA.words.kept;
    link.click();
  }
  byId("end").dataset.done = "yes";
}

// ---- JATOS offers its script beside the page, and tells when it is ready

if (location.pathname.includes("/publix/")) {
  const script = document.createElement("script");
  script.src = "jatos.js";
  script.onload = () => window.jatos.onLoad(askConsent);
  document.head.append(script);
} else askConsent();
