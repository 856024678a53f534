// The page /sql with script: an editor, an answer without a new page, a statement that can be cancelled, a history.
// Everything works without it: the form is sent and answered by a page.
import { fill, makeEditor, mark } from "./editor.js";
import { forget, keep, show } from "./past.js";

const SHARED = 4_000; // characters of a statement that the address carries

const form = document.getElementById("console");
const field = document.getElementById("statement");
const cancel = document.getElementById("cancel");
const running = document.getElementById("running");
const runButton = form.querySelector('button[value="run"]');

let stopping = null;

const view = makeEditor(field, () => form.requestSubmit(runButton));

for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;
markError();
showPast();
if (!field.value) view.focus();

form.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("data-native")) return; // a file: the browser saves it
  event.preventDefault();
  run(event.submitter ?? runButton);
});

cancel.addEventListener("click", () => stopping?.abort());

document.getElementById("forget").addEventListener("click", () => {
  forget();
  showPast();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-fill]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  fill(view, link.dataset.fill);
  window.scrollTo({ top: 0 });
});

async function run(submitter) {
  stopping?.abort();
  const mine = new AbortController();
  stopping = mine;
  const body = new URLSearchParams(new FormData(form, submitter));
  body.set("part", "1"); // what is wrong with a statement is no failure of the request
  const ticking = startClock();
  keep(field.value);
  try {
    const answer = await fetch(form.action, { method: "POST", body, signal: mine.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.getElementById("answer")) take(page);
    else tell("The session has ended. Sign in again in another window; the statement stays here.");
  } catch (error) {
    if (mine !== stopping) return;
    tell(error.name === "AbortError" ? "Cancelled: the statement was stopped." : "The server does not answer.");
  } finally {
    clearInterval(ticking);
    if (mine === stopping) settle();
  }
}

function startClock() {
  const began = performance.now();
  const tick = () => (running.textContent = `Running, ${Math.floor((performance.now() - began) / 1000)} s`);
  form.parentElement.classList.add("working");
  cancel.disabled = false;
  tick();
  return setInterval(tick, 1000);
}

function settle() {
  stopping = null;
  cancel.disabled = true;
  form.parentElement.classList.remove("working");
  if (running.textContent.startsWith("Running")) running.textContent = "";
  showPast();
}

/** Put the answer of another page into this one. */
function take(page) {
  for (const id of ["params", "answer"]) {
    document.getElementById(id).replaceWith(document.importNode(page.getElementById(id), true));
  }
  for (const name of ["line", "column", "length"]) field.dataset[name] = page.getElementById("statement").dataset[name];
  markError();
  const wrong = document.querySelector('#params [aria-invalid="true"]');
  running.textContent = document.querySelector("#answer h2")?.textContent ?? "";
  if (wrong) wrong.focus();
  if (field.value.length <= SHARED) {
    window.history.replaceState(null, "", `sql?${new URLSearchParams({ sql: field.value })}`);
  }
}

function markError() {
  const { line, column, length } = field.dataset;
  const said = document.querySelector("#answer .wrong .said")?.textContent ?? "";
  mark(view, { line: Number(line), column: Number(column), length: Number(length) }, said);
}

function showPast() {
  show((statement) => {
    fill(view, statement);
    window.scrollTo({ top: 0 });
  });
}

function tell(words) {
  const said = document.createElement("p");
  said.className = "note";
  said.setAttribute("role", "alert");
  said.textContent = words;
  document.getElementById("answer").replaceChildren(said);
  running.textContent = "";
}
