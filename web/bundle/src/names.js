// Completion: tables, columns of the tables that are read, functions, and named queries, from /sql/names.
import { syntaxTree } from "@codemirror/language";

const QUIET = new Set(["String", "LineComment", "BlockComment", "QuotedIdentifier", "Number"]);
const READ = /\b(?:from|join|describe|summarize)\s+"?([a-z_]\w*)"?/gi;

let asked = null;

/** Ask for the names once; while they are not there, nothing is completed but keywords. */
export function askNames() {
  asked ??= fetch("sql/names").then(
    (answer) => (answer.ok ? answer.json() : null),
    () => null,
  );
  asked.then((found) => {
    if (!found) asked = null; // the next word asks again
  });
  return asked;
}

/** Complete one word of a statement. */
export async function completeNames(context) {
  const word = context.matchBefore(/\w*/);
  if (!context.explicit && word.from === word.to && before(context, word) !== ".") return null;
  if (QUIET.has(syntaxTree(context.state).resolveInner(context.pos, -1).name)) return null;
  const names = await askNames();
  if (!names || context.aborted) return null;
  const text = context.state.doc.toString();
  const options =
    before(context, word) === "." ? ofQualifier(names, context, word, text) : ofWord(names, text, context);
  return options.length ? { from: word.from, options, validFor: /^\w*$/ } : null;
}

function before(context, word) {
  return word.from > 0 ? context.state.sliceDoc(word.from - 1, word.from) : "";
}

/** Columns of the table, or of the one that an alias stands for, before the point. */
function ofQualifier(names, context, word, text) {
  const [qualifier] = context.state.sliceDoc(Math.max(0, word.from - 80), word.from - 1).match(/\w+$/) ?? [""];
  const alias = new RegExp(`\\b(?:from|join)\\s+([a-z_]\\w*)\\s+(?:as\\s+)?${qualifier}\\b`, "i").exec(text);
  const table = names.tables[qualifier.toLowerCase()] ?? names.tables[(alias?.[1] ?? "").toLowerCase()];
  return table ? table.columns.map((column) => columnOption(column, "", 1)) : [];
}

function ofWord(names, text, context) {
  return [...columns(names, text), ...tables(names), ...functions(names), ...queries(names, text, context)];
}

function* columns(names, text) {
  const seen = new Set();
  for (const [, name] of text.matchAll(READ)) {
    for (const column of names.tables[name.toLowerCase()]?.columns ?? []) {
      if (!seen.has(column[0])) {
        seen.add(column[0]);
        yield columnOption(column, name, 3);
      }
    }
  }
}

function columnOption([label, type, about], table, boost) {
  return { label, type: "property", detail: `${type}${table ? `, ${table}` : ""}`, info: about || undefined, boost };
}

function* tables(names) {
  for (const [label, { kind, about }] of Object.entries(names.tables)) {
    yield { label, type: "class", detail: kind, info: about || undefined, boost: 2 };
  }
}

function* functions(names) {
  for (const name of names.past) yield call(name, "the past", 1);
  for (const name of names.functions.ours) yield call(name, "of the mirror", 1);
  for (const name of names.functions.engine) yield call(name, "function", -1);
}

function call(name, detail, boost) {
  return { label: name, type: "function", detail, apply: `${name}(`, boost };
}

/** Named queries, where nothing else is written: the one that is chosen is filled in. */
function* queries(names, text) {
  if (!/^\s*\w*\s*$/.test(text)) return;
  for (const { name, title } of names.queries) {
    yield { label: name, type: "text", detail: title, apply: (view) => fillQuery(view, name), boost: -2 };
  }
}

async function fillQuery(view, name) {
  const answer = await fetch(`sql/names?query=${encodeURIComponent(name)}`);
  if (!answer.ok) return;
  const { sql } = await answer.json();
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: sql }, userEvent: "input.complete" });
}
