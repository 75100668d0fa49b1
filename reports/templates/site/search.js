"use strict";
// Served pages come from the same address as the workbook: under another name of it one would have to sign in again.
(() => {
  const link = document.getElementById("workbook");
  if (link && location.protocol !== "file:") link.href = link.dataset.served;
})();
// Search over the links of the page itself: what is listed can be found, and nothing else has to be loaded.
(() => {
  const form = document.getElementById("search"), box = document.getElementById("q");
  const list = document.getElementById("found"), said = document.getElementById("said");
  const letters = { "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss" };
  const plain = text => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "")
    .replace(/[łøđðþıæœß]/g, letter => letters[letter]).replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  const entries = new Map();
  for (const link of document.querySelectorAll("a[data-k]"))
    if (!entries.has(link.href)) {
      const name = plain(link.textContent), key = ` ${link.dataset.k}`;
      entries.set(link.href, { link, name, key, shown: ` ${name} ${plain(link.dataset.kind)}`, figure: "figure" in link.dataset });
    }
  const most = 12;

  const words = (count, forms) => (forms[new Intl.PluralRules(document.documentElement.lang).select(count)] || forms.other)
    .replace("{count}", count.toLocaleString(document.documentElement.lang));

  // All words, in any order. Where nothing has them all, what has most of those that stand anywhere: a question as it is
  // asked ("how many women did ...") has words that no entry has.
  function hits(parts) {
    const has = (key, part) => key.includes(` ${part}`), all = [...entries.values()];
    const score = (key, words) => words.filter(part => has(key, part)).length;
    const whole = all.filter(entry => score(entry.key, parts) === parts.length);
    const known = parts.filter(part => all.some(entry => has(entry.key, part)));
    const most = Math.max(0, ...all.map(entry => score(entry.key, known)));
    const found = whole.length || most < 2 ? whole : all.filter(entry => score(entry.key, known) === most);
    // First what begins so, then what shows most of the words, then figures: who writes several words asks for one.
    const begins = entry => entry.name.startsWith(parts.join(" ")), shows = new Map(found.map(entry => [entry, score(entry.shown, parts)]));
    const figure = entry => parts.length > 1 && entry.figure;
    found.sort((a, b) => begins(b) - begins(a) || shows.get(b) - shows.get(a) || figure(b) - figure(a));
    return { found, whole: whole.length > 0 };
  }

  function find() {
    const parts = [...new Set(plain(box.value).split(" ").filter(Boolean))];
    list.replaceChildren();
    list.hidden = !parts.length;
    said.textContent = "";
    if (!parts.length) return;
    const { found, whole } = hits(parts);
    for (const { link } of found.slice(0, most)) {
      const item = document.createElement("li"), copy = document.createElement("a"), kind = document.createElement("small");
      copy.href = link.getAttribute("href");
      copy.textContent = link.textContent;
      kind.textContent = link.dataset.kind;
      copy.append(" ", kind);
      item.append(copy);
      list.append(item);
    }
    const count = words(found.length, JSON.parse(form.dataset.count)), more = found.length > most ? `; ${form.dataset.more}` : "";
    said.textContent = !found.length ? form.dataset.none : whole ? count + more : `${form.dataset.most} ${count}${more}`;
  }

  function move(event) {
    const stops = [box, ...list.querySelectorAll("a")], now = stops.indexOf(document.activeElement);
    if (event.key === "Escape") { box.value = ""; find(); box.focus(); }
    else if (event.key === "ArrowDown" && now >= 0 && now + 1 < stops.length) stops[now + 1].focus();
    else if (event.key === "ArrowUp" && now > 0) stops[now - 1].focus();
    else return;
    event.preventDefault();
  }

  form.hidden = false;
  form.addEventListener("submit", event => {
    event.preventDefault();
    const first = list.querySelector("a");
    if (first) first.focus();
  });
  box.addEventListener("input", find);
  form.addEventListener("keydown", move);
  if (box.value) find();
})();
