// What script adds to every page: values that fit what is typed. Everything works without it.
"use strict";

(() => {
  const WAIT = 200; // ms after the last key

  for (const field of document.querySelectorAll("input[data-values]")) {
    let waiting = 0;
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => offer(field), WAIT);
    });
    field.addEventListener("focus", () => offer(field), { once: true });
  }

  async function offer(field) {
    const typed = field.value;
    const answer = await fetch(`/values/${encodeURIComponent(field.dataset.values)}?${new URLSearchParams({ typed })}`);
    if (!answer.ok || field.value !== typed) return;
    const found = await answer.json();
    field.list.replaceChildren(
      ...found.map((value) => {
        const option = document.createElement("option");
        option.value = value;
        return option;
      }),
    );
  }
})();
