// The statements that were run, in this browser alone.
const KEY = "kandji-mirror.statements";
const MOST = 50;
const LONGEST = 20_000;

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((statement) => typeof statement === "string") : [];
  } catch {
    return []; // the browser keeps nothing, or something else wrote there
  }
}

/** Keep a statement as the newest. */
export function keep(statement) {
  const text = statement.trim();
  if (!text || text.length > LONGEST) return;
  try {
    localStorage.setItem(KEY, JSON.stringify([text, ...read().filter((other) => other !== text)].slice(0, MOST)));
  } catch {
    // full, or not allowed: the console works without
  }
}

/** Show what is kept; `choose` gets the statement that is wanted again. */
export function show(choose) {
  const section = document.getElementById("history");
  const list = document.getElementById("statements");
  const statements = read();
  section.hidden = statements.length === 0;
  list.replaceChildren(
    ...statements.map((statement) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = statement.replace(/\s+/g, " ").slice(0, 300);
      button.addEventListener("click", () => choose(statement));
      item.append(button);
      return item;
    }),
  );
}

/** Forget all of them. */
export function forget() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // nothing was kept
  }
}
