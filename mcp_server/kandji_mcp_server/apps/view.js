"use strict";
(() => {
  const main = document.querySelector("main");
  const VIEW = "kandji-mirror/view";
  const SHAPES = new Set(["svg", "g", "path", "text", "tspan", "line", "rect", "circle"]);
  const ATTRIBUTES = new Set(
    ("class role aria-label viewBox overflow width height x y x1 x2 y1 y2 cx cy r d dx dy transform fill fill-opacity " +
      "stroke stroke-width stroke-opacity stroke-dasharray stroke-linecap stroke-miterlimit opacity display " +
      "pointer-events font-size font-weight font-style text-anchor dominant-baseline").split(" "),
  );
  const STYLES = ["--font-sans", "--border-radius-md"];
  const send = (message) => window.parent.postMessage({ jsonrpc: "2.0", ...message }, "*");

  function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // Shapes and their places only, whatever the text has: no script, link, style or reference comes into the page.
  function picture(text) {
    const drawn = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    if (drawn.localName !== "svg" || drawn.querySelector("parsererror")) return null;
    for (const element of [drawn, ...drawn.querySelectorAll("*")]) {
      if (!SHAPES.has(element.localName)) element.remove();
      for (const { name, value } of [...element.attributes])
        if (!ATTRIBUTES.has(name) || /url\s*\(/i.test(value)) element.removeAttribute(name);
    }
    return document.importNode(drawn, true);
  }

  function words(value) {
    if (value === null || value === undefined || value === "") return "not known";
    if (typeof value === "boolean") return value ? "yes" : "no";
    if (typeof value === "number") return Math.abs(value) < 10000 ? String(value) : value.toLocaleString("en");
    if (Array.isArray(value)) return value.map(words).join(", ") || "none";
    if (typeof value === "object") return JSON.stringify(value);
    return value.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?Z$/, "$1 $2 UTC");
  }

  function table(label, heads, rows) {
    const number = heads.map((_, place) => rows.some((row) => typeof row[place] === "number"));
    const cell = (value, place) => {
      const [text, tone] = value && value.words !== undefined ? [value.words, value.tone] : [words(value), ""];
      const kinds = [number[place] && "n", text.length > 50 && "wide", tone].filter(Boolean);
      return make("td", { class: kinds.join(" ") }, text);
    };
    const head = heads.map((name, place) => make("th", { scope: "col", class: number[place] ? "n" : "" }, name));
    const body = rows.map((row) => make("tr", {}, ...row.map(cell)));
    const made = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, made);
  }

  function facts(pairs) {
    const fact = ([label, value, tone]) =>
      make("div", {}, make("dt", {}, label), make("dd", { class: tone || "" }, value));
    return make("dl", {}, ...pairs.map(fact));
  }

  const readable = (name) => name.replaceAll("_", " ");
  const lines = (texts, kind) => (texts || []).map((text) => make("p", kind ? { class: kind } : {}, text));

  function folded(title, open, ...inside) {
    return make("details", open ? { open: "" } : {}, make("summary", {}, title), ...inside);
  }

  function answerTable(answer, open) {
    const same = Object.entries(answer.same_in_all_rows || {}).map(([name, value]) => [readable(name), words(value)]);
    const total = answer.total_rows ?? answer.row_count;
    const count = answer.rows.length < total ? `${answer.rows.length} of ${words(total)} rows` : `Table, ${words(total)} rows`;
    const title = total === 1 ? "Table, 1 row" : count;
    // identifiers are for programs: people read them last
    const last = (place) => Number(answer.columns[place].endsWith("_id"));
    const order = answer.columns.map((_, place) => place).sort((one, other) => last(one) - last(other));
    const heads = order.map((place) => readable(answer.columns[place]));
    const inside = [table(title, heads, answer.rows.map((row) => order.map((place) => row[place])))];
    if (same.length) inside.unshift(make("p", { class: "soft" }, "In all rows:"), facts(same));
    return folded(title, open, ...inside);
  }

  function block(told) {
    if (told.facts && told.open) return [make("h2", {}, told.title), facts(told.facts)];
    if (told.facts) return [folded(told.title, false, facts(told.facts))];
    const rows = table(told.title, told.heads, told.rows);
    const some = told.rows.length < told.total ? `${told.rows.length} of ` : "";
    return [folded(`${told.title} (${some}${words(told.total)})`, told.open, rows)];
  }

  // Where the host passes no view on: the parts of a device as the model has them.
  function partBlocks(parts) {
    const told = (name, part) => {
      const title = readable(name);
      const rows = Array.isArray(part.rows) ? part.rows : null;
      if (rows) return { title, heads: part.columns.map(readable), rows, total: part.total ?? rows.length, open: true };
      return { title, facts: Object.entries(part).map(([key, value]) => [readable(key), words(value)]), open: true };
    };
    const found = Object.entries(parts).flatMap(([name, part]) =>
      Array.isArray(part) ? part.map((one, place) => [`${readable(name)} ${place + 1}`, one]) : [[name, part]],
    );
    return found.filter(([, part]) => part && typeof part === "object").map(([name, part]) => told(name, part));
  }

  function show(result, view, answer) {
    const svg = view.svg && picture(view.svg);
    const parts = [make("h1", {}, view.title || document.title)];
    if (view.sentence) parts.push(make("p", {}, view.sentence));
    if (view.dated || answer.age) parts.push(make("p", { class: "soft" }, view.dated || `${answer.age} old`));
    if (svg) parts.push(svg);
    parts.push(...lines(view.remarks, "soft"), ...lines(answer.notes, "note"));
    for (const told of view.blocks || partBlocks(answer.parts || {})) parts.push(...block(told));
    if (Array.isArray(answer.rows) && answer.rows.length) parts.push(answerTable(answer, !svg));
    if (!view.title && !answer.rows && !answer.parts) parts.push(...(result.content || []).map((part) => make("p", {}, part.text || "")));
    main.replaceChildren(...parts);
  }

  function shown(result = {}) {
    const text = (result.content || []).map((part) => part.text || "").join("\n");
    if (result.isError) return say(text);
    let answer = result.structuredContent;
    if (!answer) {
      try {
        answer = JSON.parse(text);
      } catch {
        answer = {};
      }
    }
    show(result, (result._meta || {})[VIEW] || {}, answer);
  }

  const say = (text) => main.replaceChildren(make("p", { role: "status" }, text));

  function follow(context) {
    if (!context) return;
    const style = document.documentElement.style;
    if (context.theme === "light" || context.theme === "dark") style.colorScheme = context.theme;
    for (const name of STYLES) {
      const value = context.styles?.variables?.[name];
      if (typeof value === "string") style.setProperty(name, value);
    }
  }

  const NOTIFICATIONS = {
    "ui/notifications/tool-result": shown,
    "ui/notifications/tool-cancelled": () => say("It was stopped before there was an answer."),
    "ui/notifications/host-context-changed": follow,
  };

  window.addEventListener("message", (event) => {
    const message = event.data;
    if (event.source !== window.parent || !message || message.jsonrpc !== "2.0") return;
    if (message.method && message.id !== undefined) {
      const known = message.method === "ping" || message.method === "ui/resource-teardown";
      send({ id: message.id, ...(known ? { result: {} } : { error: { code: -32601, message: "Method not found" } }) });
    } else if (message.method) {
      NOTIFICATIONS[message.method]?.(message.params);
    } else if (message.id === 1) {
      follow(message.result?.hostContext);
      send({ method: "ui/notifications/initialized", params: {} });
      new ResizeObserver(() => {
        const { width, height } = document.documentElement.getBoundingClientRect();
        send({ method: "ui/notifications/size-changed", params: { width: Math.ceil(width), height: Math.ceil(height) } });
      }).observe(document.documentElement);
    }
  });

  send({
    id: 1,
    method: "ui/initialize",
    params: {
      protocolVersion: "2026-01-26",
      appInfo: { name: "kandji-mirror", version: "1" },
      appCapabilities: { availableDisplayModes: ["inline", "fullscreen"] },
    },
  });
})();
