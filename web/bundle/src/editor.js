// The editor in place of the text field: it lives in a shadow root, whose style sheets need no leave of the policy.
import { autocompletion, acceptCompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { SQLDialect, keywordCompletionSource, sql } from "@codemirror/lang-sql";
import { HighlightStyle, bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { askNames, completeNames } from "./names.js";

const KEYWORDS =
  "all and anti any as asc asof between both by case cast collate cross cube cume_dist current_date current_timestamp " +
  "describe desc distinct else end escape except exclude exists explain extract false fetch filter first following for " +
  "from full glob group grouping having ignore ilike in inner intersect interval into is isnull join last lateral left " +
  "like limit natural not notnull null nulls offset on only or order outer over partition pivot positional preceding " +
  "qualify range recursive rename replace respect right rollup row rows sample select semi sets show similar some " +
  "summarize tables tablesample then to trailing true try_cast unbounded union unnest unpivot using values when where " +
  "window with within";
const TYPES =
  "array bigint blob bool boolean char date decimal double float hugeint int integer json list map numeric real " +
  "smallint string struct text time timestamp timestamptz tinyint ubigint uinteger usmallint utinyint uuid varchar";

const DUCKDB = SQLDialect.define({
  keywords: KEYWORDS,
  types: TYPES,
  doubleDollarQuotedStrings: true,
  operatorChars: "*+-%<>!=&|~^/",
  specialVar: "$",
});

const LOOK = EditorView.theme({
  "&": {
    color: "var(--ink)",
    backgroundColor: "var(--paper)",
    border: "1px solid var(--soft)",
    borderRadius: "6px",
    fontSize: ".95rem",
  },
  "&.cm-focused": { outline: "3px solid var(--focus)", outlineOffset: "2px" },
  ".cm-scroller": {
    fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
    lineHeight: "1.55",
    maxHeight: "60vh",
  },
  ".cm-content, .cm-gutter": { minHeight: "11rem" },
  ".cm-content": { padding: ".5rem 0", caretColor: "var(--ink)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 35%, transparent)",
  },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--soft)", border: "0", borderRadius: "6px 0 0 6px" },
  ".cm-gutterElement": { padding: "0 .5rem" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--line)", color: "inherit" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    border: "1px solid var(--soft)",
    borderRadius: "6px",
    maxWidth: "30rem",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { maxHeight: "16rem", fontFamily: "inherit" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: ".2rem .5rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--paper)" },
  ".cm-completionDetail": { fontStyle: "normal", color: "inherit", opacity: ".8", fontSize: ".85em" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionInfo": { padding: ".4rem .6rem", fontSize: ".85rem" },
  ".cm-diagnostic": { padding: ".4rem .6rem" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--bad)" },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--bad)",
    textUnderlineOffset: ".25em",
  },
});

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--link)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: [tags.typeName, tags.standard(tags.name)], color: "var(--accent)" },
  { tag: tags.special(tags.name), color: "var(--bad)" },
]);

/** Put an editor in place of a text field that keeps its text; `run` is called by Ctrl-Enter. */
export function makeEditor(field, run) {
  const host = document.createElement("div");
  host.className = "editor";
  field.before(host);
  field.hidden = true;
  const root = host.attachShadow({ mode: "open" });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({ doc: field.value, extensions: extensions(field, run) }),
  });
  document.getElementById("statement-label").addEventListener("click", (event) => {
    event.preventDefault();
    view.focus();
  });
  return view;
}

function extensions(field, run) {
  return [
    lineNumbers(),
    highlightSpecialChars(),
    history(),
    drawSelection(),
    bracketMatching(),
    closeBrackets(),
    syntaxHighlighting(COLOURS),
    sql({ dialect: DUCKDB }),
    autocompletion({ override: [completeNames, keywordCompletionSource(DUCKDB, true)], icons: false, maxRenderedOptions: 60 }),
    keymap.of([
      { key: "Mod-Enter", run: () => run() || true, preventDefault: true },
      { key: "Tab", run: acceptCompletion }, // else it leaves the editor, as it leaves every field
      ...closeBracketsKeymap,
      ...completionKeymap,
      ...lintKeymap,
      ...historyKeymap,
      ...defaultKeymap,
    ]),
    EditorView.contentAttributes.of({
      "aria-label": "Statement. Control Enter runs, Control Space completes, Tab leaves the editor.",
      autocapitalize: "off",
      spellcheck: "false",
    }),
    EditorView.domEventHandlers({ beforeinput: typeOver }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) field.value = update.state.doc.toString();
      if (update.focusChanged && update.view.hasFocus) askNames();
    }),
    LOOK,
  ];
}

/**
 * Replace a selection by what is typed. Left to the browser it would keep the look of what goes by styles inside the
 * text, which the policy of the page forbids, and says so each time.
 */
function typeOver(event, view) {
  const { from, to, empty } = view.state.selection.main;
  if (event.inputType !== "insertText" || event.data == null || empty || view.composing) return false;
  const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
  const taken = view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, event.data, insert));
  if (!taken) view.dispatch(insert());
  event.preventDefault();
  return true;
}

/** Replace the whole statement. */
export function fill(view, text) {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: text.length } });
  view.dispatch(setDiagnostics(view.state, []));
  view.focus();
}

/** Mark the place of an error; a line of 0 takes the mark away. */
export function mark(view, { line, column, length }, message) {
  const found = [];
  if (line > 0 && line <= view.state.doc.lines) {
    const begin = view.state.doc.line(line);
    const from = Math.min(begin.from + Math.max(column - 1, 0), begin.to);
    found.push({ from, to: Math.min(from + Math.max(length, 1), begin.to), severity: "error", message });
  }
  view.dispatch(setDiagnostics(view.state, found));
}
