"use strict";
// Filter, sort and export the rows of the page's table: nothing is loaded, so it works from a file share. The form names the
// table, the file, and its columns: "id", "data-name", or ".name" for the words of an element.
(() => {
  const form = document.getElementById("filter"), table = document.getElementById(form.dataset.table);
  const box = document.getElementById("words"), count = document.getElementById("count");
  const body = table.tBodies[0], rows = [...body.rows], choices = [...form.querySelectorAll("select")];
  const language = document.documentElement.lang;
  const letters = { "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss" };
  const plain = text => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "")
    .replace(/[łøđðþıæœß]/g, letter => letters[letter]).replace(/[^\p{L}\p{N}]+/gu, " ").trim();

  function filter() {
    const parts = plain(box.value).split(" ").filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const key = ` ${row.dataset.key}`;
      row.hidden = !(parts.every(part => key.includes(` ${part}`))
        && choices.every(choice => !choice.value || row.dataset[choice.dataset.by] === choice.value));
      shown += !row.hidden;
    }
    const forms = JSON.parse(form.dataset.count);
    count.textContent = shown
      ? (forms[new Intl.PluralRules(language).select(shown)] || forms.other).replace("{count}", shown.toLocaleString(language))
      : form.dataset.none;
  }

  function sort(button) {
    const head = button.closest("th"), by = button.dataset.sort;
    const rising = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    rows.sort((a, b) => a.dataset[by].localeCompare(b.dataset[by], language, { numeric: true }) * (rising ? 1 : -1));
    body.append(...rows);
  }

  // A cell that a spreadsheet would run as a formula is text.
  const cell = text => `"${(/^\s*[=+\-@\t\r]/.test(text) ? "'" : "") + text.replaceAll('"', '""')}"`;
  const words = (row, name) => (row.querySelector(`.${name}`) || { textContent: "" }).textContent.replace(/\s+/g, " ").trim();

  const held = (row, from) => from === "id" ? row.id : from.startsWith("data-") ? row.getAttribute(from) : words(row, from.slice(1));

  function save() {
    const columns = Object.entries(JSON.parse(form.dataset.columns));
    const lines = rows.filter(row => !row.hidden).map(row => columns.map(([, from]) => held(row, from)));
    const text = `\ufeff${[columns.map(([name]) => name), ...lines].map(line => line.map(cell).join(",")).join("\r\n")}\r\n`;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = form.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  form.hidden = false;
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("input", filter);
  document.getElementById("export").addEventListener("click", save);
  for (const button of table.tHead.querySelectorAll("button")) button.addEventListener("click", () => sort(button));
  // A link from a project names it: outcomes/index.html#COMANAGE.
  const wanted = decodeURIComponent(location.hash.slice(1));
  const project = choices.find(choice => choice.dataset.by === "project");
  if (project && [...project.options].some(option => option.value === wanted)) project.value = wanted;
  filter();
})();
