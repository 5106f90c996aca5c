// What the pages do by themselves: no library, nothing loaded, nothing stored.
"use strict";

// Excerpts in search results are fetched from the pages, which a browser refuses for files opened from a disk.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

// Sphinx marks found words with boxes that it cannot measure on the hidden titles of icons.
document.querySelectorAll("svg title").forEach((title) => title.remove());

function claimFilter(form) {
  const rows = [...document.querySelectorAll("table.claims tbody tr")];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const { verdict, paper, text } = form.elements;
  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) {
      row.hidden = !(
        (!verdict.value || row.dataset.verdict === verdict.value) &&
        (!paper.value || row.dataset.paper === paper.value) &&
        words.every((word) => texts.get(row).includes(word))
      );
    }
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector("output").value = `${shown} of ${rows.length} claims shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  // A link to a claim that is filtered away shows every claim again.
  window.addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.hidden) {
      form.reset();
      apply();
      target.scrollIntoView();
    }
  });
  form.hidden = false;
  apply();
}

function codeButton(button) {
  const folded = [...document.querySelectorAll(".cell details.hide")];
  button.hidden = folded.length === 0;
  button.addEventListener("click", () => {
    const open = folded.some((one) => !one.open);
    folded.forEach((one) => (one.open = open));
    button.textContent = open ? "Hide all code" : "Show all code";
  });
}

// Radio buttons of a heat map with several measures; without this script all measures stand below each other.
function measurePicks(view, number) {
  const panels = [...view.querySelectorAll("[class^='tv-panel-']")];
  if (panels.length < 2) return;
  const box = document.createElement("fieldset");
  box.append(Object.assign(document.createElement("legend"), { textContent: "Colour shows" }));
  panels.forEach((panel, place) => {
    const pick = Object.assign(document.createElement("input"), { type: "radio", name: `measure-${number}` });
    pick.className = panel.className.replace("panel", "pick");
    pick.checked = place === 0;
    const label = document.createElement("label");
    label.append(pick, ` ${panel.querySelector("b").textContent} `);
    box.append(label);
  });
  panels[0].before(box);
}

// What scrolls sideways can be scrolled by keyboard.
function reachable() {
  for (const box of document.querySelectorAll(".wide, .tv-wide, .highlight pre, .table-wrapper")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

// Two side columns, told apart by name.
for (const [column, name] of [["sidebar-drawer", "Pages"], ["toc-drawer", "On this page"]]) {
  document.querySelector(`aside.${column}`)?.setAttribute("aria-label", name);
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("form.filter").forEach(claimFilter);
  document.querySelectorAll("button.all-code").forEach(codeButton);
  document.querySelectorAll("div.tv-heat").forEach(measurePicks);
  document.querySelectorAll("div.tv-kept[data-state]").forEach(keptView); // of kept_sets.js
  document.addEventListener("toggle", reachable, true);
  window.addEventListener("resize", reachable);
  reachable();
});
