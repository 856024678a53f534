// What script adds to every page: values that fit what is typed, and ages that go on. Everything works without it.
"use strict";

(() => {
  const WAIT = 200; // ms after the last key
  const TICK = 30_000; // ms between two looks at ages

  for (const field of document.querySelectorAll("input[data-values]")) {
    let waiting = 0;
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => offer(field), WAIT);
    });
    field.addEventListener("focus", () => offer(field), { once: true });
  }

  const asking = new Map(); // by field what stops the question that is under way

  async function offer(field) {
    asking.get(field)?.abort();
    const mine = new AbortController();
    asking.set(field, mine);
    const root = document.querySelector("a.brand").pathname; // of one tenant among several it is below a path
    const path = `${root}values/${encodeURIComponent(field.dataset.values)}?${new URLSearchParams({ typed: field.value })}`;
    const found = await fetch(path, { signal: mine.signal }).then(
      (answer) => (answer.ok ? answer.json() : []),
      () => [], // overtaken by the next key, or the server is gone
    );
    if (mine.signal.aborted) return;
    field.list.replaceChildren(
      ...found.map((value) => {
        const option = document.createElement("option");
        option.value = value;
        return option;
      }),
    );
  }

  // "As of 2026-11-30 07:12 UTC, 3 min old." told by the server's clock when the page was made, and on from there.
  const TOLD = /(\d{4}-\d\d-\d\d) (\d\d:\d\d) UTC(,| \(\w+,) \d+ (?:s|min|h|d) old/g;
  const made = Date.parse(document.querySelector('meta[name="now"]')?.content ?? "");
  const began = performance.now();

  function words(seconds) {
    for (const [unit, length] of [["d", 86_400], ["h", 3_600], ["min", 60]]) {
      if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit}`;
    }
    return `${seconds} s`;
  }

  function goOn() {
    const now = made + (performance.now() - began);
    for (const line of document.querySelectorAll(".dated")) {
      if (line.children.length) continue;
      line.textContent = line.textContent.replace(TOLD, (told, day, time, before) => {
        const seconds = Math.floor((now - Date.parse(`${day}T${time}:00Z`)) / 1000);
        return seconds > 0 ? `${day} ${time} UTC${before} ${words(seconds)} old` : told;
      });
    }
  }

  if (!Number.isNaN(made)) setInterval(goOn, TICK);
})();
