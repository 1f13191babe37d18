"use strict";
/* One answer at a time: take, correct or leave it by a key; the corrections are saved as CSV. */

const find = (id) => document.getElementById(id);
const DATA = JSON.parse(find("data").textContent);
const ROWS = DATA.rows;
/* Three digits after a comma may be thousands or decimals. */
const TYPED = /^(?=[0-9.,]{1,20}[ a-z])[0-9]+(?:(?:\.|,(?![0-9]{3}(?![0-9])))[0-9]+)? *([a-z].*)$/i;

const kept = restore();
const corrections = kept.corrections ?? {};
let place = Math.min(kept.place ?? 0, ROWS.length - 1);
let marked = 0;
let isKept = true;

const nameOf = (row) => `${row.image} ${row.question}`;

/* Storage may be forbidden for pages of files. */
function restore() {
  try {
    return JSON.parse(localStorage.getItem(DATA.key)) ?? {};
  } catch {
    return {};
  }
}

function keep() {
  try {
    localStorage.setItem(DATA.key, JSON.stringify({ corrections, place }));
  } catch {
    isKept = false;
  }
}

/* As the command that reads the file judges it: a number and a unit of the question. */
function isQuantity(text, question) {
  const unit = TYPED.exec(text.trim())?.[1].replace(/ +/g, " ").toLowerCase();
  return DATA.units[question].includes(unit);
}

function showImage(row) {
  const source = DATA.images[row.image];
  find("image").src = source;
  find("image").alt = `Product image of row ${row.index}`;
  find("image").parentElement.hidden = !source;
  find("missing").hidden = Boolean(source);
  find("outline").setAttribute("points", (row.outline ?? []).map((point) => point.join(",")).join(" "));
  find("crop").hidden = !row.crop;
  if (row.crop) find("crop").src = row.crop;
  find("crop").alt = "The text that was read";
}

function makeChoice(text, number) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.setAttribute("aria-pressed", String(number === marked));
  button.classList.toggle("taken", corrections[nameOf(ROWS[place])] === text);
  button.addEventListener("click", () => decide(text));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

/* What may be taken: the answer, other quantities of the image, and what was typed. */
function listChoices() {
  const row = ROWS[place];
  const typed = corrections[nameOf(row)];
  return [...new Set([...row.choices, ...(typed ? [typed] : [])])];
}

function showAbout(about) {
  find("about").replaceChildren(...about.flatMap(([name, text]) => {
    const parts = [document.createElement("dt"), document.createElement("dd")];
    parts[0].textContent = name;
    parts[1].textContent = text;
    return parts;
  }));
}

function show() {
  const row = ROWS[place];
  const sure = row.confidence === null ? "" : ` (${row.confidence.toFixed(2)})`;
  find("question").textContent = `${row.question}: ${row.answer}${sure}`;
  showImage(row);
  find("choices").replaceChildren(...listChoices().map(makeChoice));
  showAbout(row.about);
  const done = ROWS.filter((one) => nameOf(one) in corrections).length;
  const where = isKept ? "kept in this browser" : "not kept by this browser: save before you leave";
  find("state").textContent = `row ${place + 1} of ${ROWS.length}, ${done} reviewed, ${where}`;
  find("progress").value = done;
}

function say(text) {
  find("message").textContent = text;
  find("typed").setAttribute("aria-invalid", String(Boolean(text)));
}

/* Goes to another row and marks its answer, or what was taken there before. */
function move(steps) {
  place = Math.max(0, Math.min(ROWS.length - 1, place + steps));
  const row = ROWS[place];
  marked = Math.max(0, listChoices().indexOf(corrections[nameOf(row)] ?? row.answer));
  find("typed").value = "";
  say("");
  keep();
  show();
}

function decide(text) {
  corrections[nameOf(ROWS[place])] = text;
  const wasLast = place === ROWS.length - 1;
  move(1);
  if (wasLast) find("message").textContent = "That was the last row. Press S to save.";
}

function mark() {
  marked = (marked + 1) % listChoices().length;
  show();
}

function undo() {
  delete corrections[nameOf(ROWS[place])];
  move(0);
}

function type() {
  const { question } = ROWS[place];
  const text = find("typed").value.trim();
  if (!text) return;
  if (text.toLowerCase() === DATA.not_stated || isQuantity(text, question)) {
    find("typed").blur();
    decide(text.toLowerCase() === DATA.not_stated ? DATA.not_stated : text);
  } else {
    say(`“${text}” is no allowed quantity: a number and a unit of ${question}.`);
  }
}

function save() {
  const quote = (value) => `"${String(value).replaceAll('"', '""')}"`;
  const lines = ROWS.map((row) => {
    const values = { ...row, correct: corrections[nameOf(row)] ?? "" };
    return DATA.headings.map((name) => quote(values[name])).join(",");
  });
  const text = `\ufeff${[DATA.headings.map(quote).join(","), ...lines].join("\r\n")}\r\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = DATA.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

const ACTIONS = {
  Enter: () => decide(listChoices()[marked]),
  c: mark,
  n: () => decide(DATA.not_stated),
  t: () => find("typed").focus(),
  j: () => move(1),
  ArrowRight: () => move(1),
  k: () => move(-1),
  ArrowLeft: () => move(-1),
  u: undo,
  s: save,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === find("typed")) {
    if (event.key === "Escape") find("typed").blur();
    return;
  }
  if (event.key === "Enter" && event.target.matches("button")) return; /* it presses the button */
  const act = ACTIONS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  type();
});
for (const button of document.querySelectorAll("[data-key]")) {
  button.addEventListener("click", () => ACTIONS[button.dataset.key]());
}
/* A button that the mouse has pressed must not take the next Enter. */
document.addEventListener("click", (event) => {
  if (event.detail && event.target.closest("button")) document.activeElement.blur();
});
move(0);
