"use strict";
/* Tables sort by a click on a heading, code opens all at once, figures and images enlarge, answers
   are searched, sorted and saved as CSV. */

const all = (query, from = document) => [...from.querySelectorAll(query)];

/* A cell's number if it begins with one, else its text; what is missing comes last. */
function valueOf(cell) {
  const text = cell.dataset.value ?? cell.textContent.trim();
  const number = parseFloat(text.replace(/,/g, ""));
  return Number.isNaN(number) ? text : number;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === typeof b) return a.localeCompare(b);
  return typeof a === "number" ? -1 : 1;
}

function sortRows(table, heading) {
  const up = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [valueOf(row.cells[heading.cellIndex]), row]);
  rows.sort((a, b) => (up ? 1 : -1) * compare(a[0], b[0]));
  body.append(...rows.map(([, row]) => row));
}

const NUMBER = /^([-+]?[\d.,]+ ?%?|nan|–|)$/i;

/* Sets columns of nothing but numbers flush right, as tables of notebooks do not by themselves. */
function alignNumbers(table) {
  const width = Math.max(0, ...[...table.rows].map((row) => row.cells.length));
  for (let place = 0; place < width; place += 1) {
    const column = [...table.rows].map((row) => row.cells[place]).filter(Boolean);
    const values = column.filter((cell) => cell.matches("td"));
    if (values.length && values.every((cell) => NUMBER.test(cell.textContent.trim()))) {
      for (const cell of column) cell.classList.add("number");
    }
  }
}

/* Gives each column's lowest heading with a text a button; tables with joined cells stay as is. */
function makeSortable(table) {
  if (!table.tHead || !table.tBodies.length || table.tBodies[0].rows.length < 2) return;
  if (all("[colspan]:not([colspan='1']), [rowspan]:not([rowspan='1'])", table).length) return;
  const columns = new Map();
  for (const heading of all("th", table.tHead)) {
    if (heading.textContent.trim()) columns.set(heading.cellIndex, heading);
  }
  for (const heading of columns.values()) addSort(heading, () => sortRows(table, heading));
}

/* Labels the cells of a table whose rows are stacked on a phone. */
function labelCells(table) {
  const headings = all("thead th", table).map((heading) => heading.textContent);
  for (const cell of all("td", table)) cell.dataset.label ??= headings[cell.cellIndex];
}

function addSort(heading, sort) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "sort";
  button.title = "Sort by this column";
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", sort);
}

function prepareCode(button) {
  const blocks = all("details.code");
  button.hidden = !blocks.length;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(open));
    button.textContent = open ? "Hide code" : "Show code";
    for (const block of blocks) block.open = open;
  });
}

const ORDERS = {
  given: (a, b) => a.dataset.place - b.dataset.place,
  highest: (a, b) => b.dataset.confidence - a.dataset.confidence,
  lowest: (a, b) => a.dataset.confidence - b.dataset.confidence,
};

/* What the form of the search asks for; a confidence that is not known is in no range. */
function readSearch(form) {
  const given = Object.fromEntries(new FormData(form));
  const lower = (name) => given[name].trim().toLowerCase();
  return {
    ...given, words: lower("text").split(/\s+/), group: lower("group"),
    ranged: given.least !== "" || given.most !== "",
    least: Number(given.least), most: given.most === "" ? 1 : Number(given.most),
  };
}

/* Whether an answer (entity, outcome, group, confidence, text) is asked for. */
function isWanted(answer, search) {
  const { confidence } = answer;
  const known = confidence !== null && confidence >= 0;
  return (!search.entity || answer.entity === search.entity)
    && (!search.outcome || answer.outcome === search.outcome)
    && answer.group.toLowerCase().includes(search.group)
    && (!search.ranged || (known && confidence >= search.least && confidence <= search.most))
    && search.words.every((word) => answer.text.includes(word));
}

function filterCards(search) {
  for (const group of all(".gallery")) {
    const cards = all(".card", group).sort(ORDERS[search.order]);
    for (const card of cards) {
      const { entity, outcome, group: own, confidence } = card.dataset;
      const text = `${card.textContent} ${own}`.toLowerCase();
      const answer = { entity, outcome, group: own, confidence: Number(confidence), text };
      card.hidden = !isWanted(answer, search);
    }
    group.hidden = cards.every((card) => card.hidden);
    group.querySelector(".cards").append(...cards);
  }
}

const STEP = 100; /* rows of the list that are shown at once */

/* The list of answers: its rows lie in the page as JSON and are shown some at a time. */
function openList(form) {
  const { columns, rows } = JSON.parse(document.getElementById("answer-rows").textContent);
  const section = document.querySelector("section.list");
  const table = section.querySelector("table");
  const headings = all("th", table.tHead);
  const at = (name) => columns.indexOf(name);
  const answers = rows.map((row) => ({
    row, entity: row[at("entity")], outcome: row[at("outcome")], group: row[at("group")] ?? "",
    confidence: row[at("confidence")], text: row.join(" ").replace(/_/g, " ").toLowerCase(),
  }));
  const empty = columns.map((name) => (["answer", "truth"].includes(name) ? "nothing" : "–"));
  let found = answers;

  function makeRow({ row }) {
    const line = document.createElement("tr");
    for (const [place, heading] of headings.entries()) {
      const cell = document.createElement(place ? "td" : "th");
      if (!place) cell.scope = "row";
      cell.dataset.label = columns[place];
      cell.className = heading.className;
      const value = row[place] ?? "–";
      cell.textContent = place === at("entity") ? value.replace(/_/g, " ") : value || empty[place];
      line.append(cell);
    }
    return line;
  }

  function show(count) {
    table.tBodies[0].replaceChildren(...found.slice(0, count).map(makeRow));
    section.querySelector(".more").hidden = count >= found.length;
  }

  function sort(place) {
    const up = headings[place].getAttribute("aria-sort") !== "ascending";
    for (const heading of headings) heading.removeAttribute("aria-sort");
    headings[place].setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = ({ row }) => row[place] ?? "";
    answers.sort((a, b) => (up ? 1 : -1) * compare(value(a), value(b)));
    search();
  }

  function search() {
    const wanted = readSearch(form);
    filterCards(wanted);
    found = answers.filter((answer) => isWanted(answer, wanted));
    show(STEP);
    const shown = all(".gallery .card:not([hidden])").length;
    form.querySelector("output").value = `${found.length} of ${answers.length} answers, ${shown} with an image`;
  }

  section.hidden = form.hidden = false;
  for (const [place, heading] of headings.entries()) addSort(heading, () => sort(place));
  section.querySelector(".more").addEventListener(
    "click", () => show(table.tBodies[0].rows.length + STEP));
  form.addEventListener("input", search);
  form.addEventListener("submit", (event) => event.preventDefault());
  const save = form.querySelector(".save");
  save.addEventListener("click", () => saveRows([columns, ...found.map(({ row }) => row)], save.dataset.name));
  search();
}

/* Offers rows as a CSV file, in UTF-8 with a byte order mark, without which Excel takes it for another. */
function saveRows(rows, name) {
  const quote = (value) => `"${String(value ?? "").replace(/"/g, '""')}"`;
  const text = rows.map((row) => `${row.map(quote).join(",")}\r\n`).join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function zoom(button) {
  const large = button.closest(".card, figure").classList.toggle("large");
  button.setAttribute("aria-expanded", String(large));
}

/* Makes a figure of a notebook a button: on a phone it fits the page and enlarges by a touch. */
function makeZoomable(image) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "zoom";
  button.setAttribute("aria-expanded", "false");
  image.replaceWith(button);
  button.append(image);
}

all("table.stack").forEach(labelCells);
all("table").forEach(alignNumbers);
all("table:not(.answers)").forEach(makeSortable);
all(".jp-RenderedImage > img").forEach(makeZoomable);
for (const button of all("button.zoom")) button.addEventListener("click", () => zoom(button));
all("button.toggle").forEach(prepareCode);
all("form.filter").forEach(openList);
