"use strict";
// Search over the links of the page itself: what is listed can be found, and nothing else has to be loaded.
(() => {
  const form = document.getElementById("search"), box = document.getElementById("q");
  const list = document.getElementById("found"), said = document.getElementById("said");
  const letters = { "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss" };
  const plain = text => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "")
    .replace(/[łøđðþıæœß]/g, letter => letters[letter]).replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  const entries = new Map();
  for (const link of document.querySelectorAll("a[data-k]"))
    if (!entries.has(link.href)) entries.set(link.href, { link, name: plain(link.textContent), key: ` ${link.dataset.k}` });
  const most = 12;

  const words = (count, forms) => (forms[new Intl.PluralRules(document.documentElement.lang).select(count)] || forms.other)
    .replace("{count}", count.toLocaleString(document.documentElement.lang));

  function find() {
    const asked = plain(box.value), parts = asked.split(" ").filter(Boolean);
    list.replaceChildren();
    list.hidden = !parts.length;
    said.textContent = "";
    if (!parts.length) return;
    const hits = [...entries.values()].filter(entry => parts.every(part => entry.key.includes(` ${part}`)));
    hits.sort((a, b) => b.name.startsWith(asked) - a.name.startsWith(asked));
    for (const { link } of hits.slice(0, most)) {
      const item = document.createElement("li"), copy = document.createElement("a"), kind = document.createElement("small");
      copy.href = link.getAttribute("href");
      copy.textContent = link.textContent;
      kind.textContent = link.dataset.kind;
      copy.append(" ", kind);
      item.append(copy);
      list.append(item);
    }
    const count = words(hits.length, JSON.parse(form.dataset.count));
    said.textContent = !hits.length ? form.dataset.none : hits.length > most ? `${count}; ${form.dataset.more}` : count;
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
