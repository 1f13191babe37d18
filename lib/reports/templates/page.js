"use strict";
/* Tables sort by a click on a heading, code opens all at once, answers are filtered and sorted. */

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
  for (const heading of columns.values()) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.title = "Sort by this column";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sortRows(table, heading));
  }
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

function filterCards(form) {
  const { entity, outcome, order } = Object.fromEntries(new FormData(form));
  let shown = 0;
  for (const group of all(".gallery")) {
    const cards = all(".card", group).sort(ORDERS[order]);
    for (const card of cards) {
      card.hidden = (entity && card.dataset.entity !== entity)
        || (outcome && card.dataset.outcome !== outcome);
    }
    const left = cards.filter((card) => !card.hidden).length;
    group.hidden = !left;
    shown += left;
    group.querySelector(".cards").append(...cards);
  }
  form.querySelector("output").value = `${shown} of ${all(".gallery .card").length} shown`;
}

function zoom(button) {
  const large = button.closest(".card").classList.toggle("large");
  button.setAttribute("aria-expanded", String(large));
}

all("table").forEach(alignNumbers);
all("table").forEach(makeSortable);
for (const button of all("button.zoom")) button.addEventListener("click", () => zoom(button));
all("button.toggle").forEach(prepareCode);
for (const form of all("form.filter")) {
  form.hidden = false;
  form.addEventListener("change", () => filterCards(form));
  form.addEventListener("submit", (event) => event.preventDefault());
  filterCards(form);
}
