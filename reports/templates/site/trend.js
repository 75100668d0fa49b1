"use strict";
// The chart of an indicator: other views, a cursor, and the rows as a table to filter and save. Shapes and words come from
// the page itself, so it works from a file share; nothing is calculated here but which figure the cursor is on.
(() => {
  const at = id => document.getElementById(id);
  const data = JSON.parse(at("chart-data").textContent);
  const language = document.documentElement.lang;
  const [form, grain, by, part] = ["chart-form", "chart-grain", "chart-by", "chart-part"].map(at);
  const [cursor, find, words, count] = ["chart-cursor", "chart-find", "chart-words", "chart-count"].map(at);
  const chart = document.querySelector("svg.chart"), [ticks, shapes, periods, labels] = [".ticks", ".shapes", ".periods", ".labels"].map(name => chart.querySelector(name));
  const inSvg = (name, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) if (value !== "") made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };
  const html = (name, text = "", type = "") => Object.assign(document.createElement(name), { textContent: text, className: type });
  let view = data.views[0], slot = 0;

  // A row of the data: the empty end is left out.
  const row = ([status, value = null, text, numerator = null, denominator = null, n = null, note, provisional, fraction, base]) => ({
    status, value, numerator, denominator, n, provisional,
    text: text ?? data.words.status[status - 1],
    note: data.notes[note] ?? "",
    fraction: fraction ?? (numerator === null || denominator === null ? "" : `${numerator} / ${denominator}`),
    base: base ?? (n === null ? "" : String(n)),
  });
  const why = one => [one.provisional ? data.words.provisional : "", one.note || data.words.why[one.status]].filter(Boolean).join(". ");
  const matching = () => data.views.filter(one => one.of[0] === grain.value && one.of[1] === by.value);
  const place = label => inSvg("text", { x: `${label[0]}%`, y: label[1], class: label[3] ?? "" }, label[2]);

  function draw() {
    const { names, axis } = data.grains[view.of[0]], rows = view.rows.map(row);
    ticks.replaceChildren(...view.ticks.map(([y, text]) => inSvg("text", { x: -10, y: y + 4 }, text)));
    shapes.replaceChildren(inSvg("path", { class: "at" }), ...Object.entries(view.paths).map(([name, d]) => inSvg("path", { class: name, d })));
    periods.replaceChildren(...axis.map(place));
    labels.replaceChildren(...view.labels.map(place));
    const [title, subtitle] = view.head.map(index => data.notes[index]);
    at("chart-title").textContent = at("chart-name").textContent = title;
    at("chart-subtitle").textContent = subtitle;
    at("chart-alt").textContent = `${subtitle}. ${rows.map((one, index) => `${names[index]}: ${one.text}`).join("; ")}.`;
    at("chart-notes").textContent = view.notes.map(index => data.notes[index]).join(" ");
    for (const [index, name] of ["target", "band"].entries()) {
      at(`key-${name}`).hidden = !view.key[index];
      at(`key-${name}`).lastElementChild.textContent = view.key[index];
    }
    cursor.setAttribute("aria-valuemax", names.length - 1);
    slot = -1;
    point(names.length - 1);
  }

  function point(wanted) {
    const { names } = data.grains[view.of[0]], next = Math.min(Math.max(wanted, 0), names.length - 1);
    if (next === slot) return;
    slot = next;
    const one = row(view.rows[slot]), reason = why(one);
    const x = Math.round(1000 * (slot + 0.5) / names.length);
    shapes.querySelector(".at").setAttribute("d", `M${x} 34V220`);
    cursor.setAttribute("aria-valuenow", slot);
    cursor.setAttribute("aria-valuetext", names[slot]);
    at("chart-when").textContent = names[slot];
    at("chart-value").replaceChildren(
      html("strong", one.text),
      ...[one.fraction, one.base && !one.fraction ? data.words.n.replace("{count}", one.base) : "", reason].filter(Boolean).flatMap(text => [" ", html("span", text)]),
    );
  }

  // What can be chosen next depends on what was: years may have other parts than quarters.
  function choose(changed) {
    const there = data.views.filter(one => one.of[0] === grain.value);
    const dimensions = new Set(there.map(one => one.of[1]));
    for (const option of by.options) option.hidden = option.disabled = !dimensions.has(option.value);
    if (!dimensions.has(by.value)) by.value = there[0].of[1];
    const found = matching(), before = part.value;
    if (changed !== part) {
      part.replaceChildren(...found.map(one => Object.assign(html("option", one.of[3]), { value: one.of[2] })));
      if (found.some(one => one.of[2] === before)) part.value = before;
    }
    part.parentElement.hidden = by.value === "total";
    view = found.find(one => one.of[2] === part.value) ?? found[0];
    draw();
    list();
  }

  const plain = text => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim();

  // Newest first; in each period the parts in their order.
  function rows() {
    const { names, periods: codes } = data.grains[grain.value], wanted = plain(words.value).split(" ").filter(Boolean), found = [];
    for (let index = names.length - 1; index >= 0; index--)
      for (const one of matching()) {
        const line = { period: codes[index], name: names[index], of: one.of, ...row(one.rows[index]) };
        const key = ` ${plain(`${line.name} ${line.period} ${one.of[3]} ${line.text} ${why(line)}`)}`;
        if (wanted.every(word => key.includes(` ${word}`))) found.push(line);
      }
    return found;
  }

  function list() {
    if (!at("chart-rows").open) return;
    const shown = rows(), total = by.value === "total", forms = JSON.parse(find.dataset.count);
    at("chart-part-head").hidden = total;
    at("chart-table").tBodies[0].replaceChildren(...shown.map(line => {
      const made = document.createElement("tr"), head = html("th", line.name);
      head.scope = "row";
      made.append(head, ...(total ? [] : [html("td", line.of[3])]), html("td", line.text, line.value === null ? "number missing" : "number strong"),
        html("td", line.fraction, "number"), html("td", line.base, "number"), html("td", why(line), "notecell"));
      return made;
    }));
    count.textContent = shown.length ? (forms[new Intl.PluralRules(language).select(shown.length)] || forms.other).replace("{count}", shown.length.toLocaleString(language)) : find.dataset.none;
  }

  // A text that a spreadsheet would run as a formula is quoted; a number stays one.
  const cell = value => typeof value === "number" ? String(value) : `"${(/^\s*[=+\-@\t\r]/.test(value) ? "'" : "") + value.replaceAll('"', '""')}"`;

  function save() {
    const lines = rows().map(line => [data.id, line.period, line.of[1], line.of[2], line.value ?? "", line.numerator ?? "", line.denominator ?? "", line.n ?? "", data.statuses[line.status], line.note]);
    const text = `\ufeff${[data.columns, ...lines].map(line => line.map(cell).join(",")).join("\r\n")}\r\n`;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `${data.id}-${grain.value}-${by.value}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // A link from the plan names a period: indicators/MEM-02-en.html#p-2024-Q3.
  function follow() {
    const wanted = decodeURIComponent(location.hash.slice(1)).replace(/^p-/, "");
    const found = Object.entries(data.grains).find(([, one]) => one.periods.includes(wanted));
    if (!found || !location.hash.startsWith("#p-")) return;
    grain.value = found[0];
    choose(grain);
    point(found[1].periods.indexOf(wanted));
  }

  function move(event) {
    const moves = { ArrowLeft: slot - 1, ArrowDown: slot - 1, ArrowRight: slot + 1, ArrowUp: slot + 1, Home: 0, End: view.rows.length - 1 };
    if (!(event.key in moves) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    point(moves[event.key]);
  }

  for (const shown of [form, cursor, at("chart-said"), at("chart-rows")]) shown.hidden = false;
  form.addEventListener("change", event => choose(event.target));
  form.addEventListener("submit", event => event.preventDefault());
  find.addEventListener("submit", event => event.preventDefault());
  find.addEventListener("input", list);
  find.addEventListener("reset", () => setTimeout(list));
  at("chart-rows").addEventListener("toggle", list);
  at("chart-save").addEventListener("click", save);
  cursor.addEventListener("keydown", move);
  for (const name of ["pointermove", "pointerdown"])
    cursor.addEventListener(name, event => point(Math.floor(event.offsetX / cursor.clientWidth * view.rows.length)));
  addEventListener("hashchange", follow);
  choose(grain);
  follow();
})();
