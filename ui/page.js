// What the browser does by itself on both pages: clicks on [data-act] go to the server, dialogs, keys, light and dark.
(() => {
  "use strict";
  const words = window.errataWords || {};
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) element.setAttribute(key, "");
      else if (value !== false && value != null) element.setAttribute(key, value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  };
  const send = (data) => window.errataSend && window.errataSend(data);
  const announce = (text) => {
    let live = document.getElementById("er-live");
    if (!live) document.body.append((live = make("div", { id: "er-live", role: "status", class: "er-sr" })));
    live.textContent = text;
  };

  // One dialog at a time. A spec is {title, text, html, act, id, ok, danger, wide, side, keep, note, fields: [{name, label, type, value, options, required, help, watch}]};
  // texts become text nodes, `html` is markup that the server has already escaped.
  function control(spec) {
    const shared = { id: `er-f-${spec.name}`, "data-first": !!spec.first, name: spec.name, required: !!spec.required, "aria-describedby": spec.help ? `er-h-${spec.name}` : null };
    if (spec.type === "select") {
      const list = make("select", shared);
      for (const [value, label] of spec.options) list.append(make("option", { value, selected: value === spec.value }, label));
      return list;
    }
    if (spec.type === "area") {
      const area = make("textarea", { ...shared, rows: spec.rows || 3, maxlength: 20000 });
      area.value = spec.value || "";
      return area;
    }
    return make("input", { ...shared, type: spec.type || "text", value: spec.value || "", maxlength: 2000, autocomplete: "off" });
  }

  const closeAll = () => document.querySelectorAll("dialog.er-dialog").forEach((old) => { old.close(); old.remove(); });
  // What the page opens by itself never takes a form away, nor what is shown but once: it is said on top, or waits until that is closed.
  const held = [];
  const isKept = (spec) => !!(spec.keep || spec.fields?.length);
  const openForm = () => document.querySelector("dialog[open][data-kept]");
  const openByItself = (open) => (openForm() ? held.push(open) : open());
  const sayAbove = (kind, ...said) => document.querySelector("dialog[open] .er-dialog-body").prepend(make("p", { class: `er-problem ${kind}`, role: "alert" }, ...said));

  const sent = new Map();  // forms by number, as they were filled in, so that a refusal can open its own again
  let unanswered = null;  // the last of them, until the server has heard of it
  let filling = null;  // reads the open form
  const filled = (spec, values) => ({ ...spec, fields: spec.fields.map((one) => ({ ...one, value: values[one.name] ?? one.value })) });
  function openDialog(spec) {
    closeAll();
    const before = document.activeElement;
    const form = make("form", { method: "dialog" });
    const title = make("h2", { id: "er-dialog-title" }, spec.title);
    const close = make("button", { type: "button", class: "er-icon", "aria-label": words.close || "Close" }, "✕");
    form.append(make("header", {}, title, close));
    // A text without fields may be longer than the screen: the keyboard scrolls only what it can reach.
    const reached = spec.fields?.length ? {} : { tabindex: 0, role: "region", "aria-labelledby": "er-dialog-title" };
    const body = make("div", { class: "er-dialog-body", ...reached });
    if (spec.text) body.append(make("p", {}, spec.text));
    if (spec.html) { const shown = make("div", { class: "er-view" }); shown.innerHTML = spec.html; body.append(shown); }
    for (const field of spec.fields || []) {
      if (field.type === "hidden") { body.append(control(field)); continue; }
      const row = make("div", { class: "er-field" }, make("label", { for: `er-f-${field.name}` }, field.label), control(field));
      if (field.help) row.append(make("small", { id: `er-h-${field.name}` }, field.help));
      body.append(row);
    }
    // Something to know while filling in: asked for when the watched field rests, shown if it still says the same.
    const note = make("div", { class: "er-dialog-note", "aria-live": "polite" });
    body.prepend(note);
    for (const field of (spec.fields || []).filter((one) => one.watch)) {
      const input = body.querySelector(`[name="${CSS.escape(field.name)}"]`);
      const look = () => send({ name: field.watch, form: { value: input.value } });
      let rest = 0;
      input.addEventListener("input", () => { clearTimeout(rest); rest = setTimeout(look, 400); });
      note.dataset.watched = input.id;
    }
    if (spec.note) note.innerHTML = spec.note;
    form.append(body);
    const footer = make("footer");
    const cancel = make("button", { type: "button", class: "er-button" }, spec.act ? words.cancel || "Cancel" : words.close || "Close");
    footer.append(cancel);
    if (spec.act) footer.append(make("button", { type: "submit", class: `er-button ${spec.danger ? "er-danger" : "er-primary"}` }, spec.ok));
    form.append(footer);
    const dialog = make("dialog", { class: `er-dialog${spec.wide ? " er-wide" : ""}${spec.side ? " er-side" : ""}`, "aria-labelledby": "er-dialog-title", "data-kept": isKept(spec) }, form);
    const read = () => Object.fromEntries(new FormData(form).entries());
    filling = spec.fields?.length ? () => dialog.isConnected && filled(spec, read()) : null;
    const end = () => { dialog.close(); dialog.remove(); if (before && before.isConnected) before.focus(); held.shift()?.(); };
    close.onclick = cancel.onclick = end;
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); end(); });
    dialog.addEventListener("click", (event) => { if (event.target === dialog && !isKept(spec)) end(); });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const values = read(), number = sent.size + 1;
      sent.set(number, filled({ ...spec, fields: spec.fields || [] }, values));
      unanswered = spec.fields?.length ? sent.get(number) : null;
      end();
      send({ name: spec.act, id: spec.id || "", form: values, sent: number });
    });
    document.body.append(dialog);
    dialog.showModal();
    const first = dialog.querySelector("[data-first]") || dialog.querySelector(".er-field :is(input, textarea, select)");
    if (first) first.focus();
  }

  // Browsers give the clipboard to safe addresses only; over plain http in a network the old way still works.
  function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const held = make("textarea", { class: "er-sr" });
    held.value = text;
    const before = document.activeElement;
    (document.querySelector("dialog[open]") || document.body).append(held);
    held.select();
    const done = document.execCommand("copy");
    held.remove();
    if (before) before.focus();
    return done ? Promise.resolve() : Promise.reject(new Error("not copied"));
  }

  function download(spec) {
    const link = make("a", { href: URL.createObjectURL(new Blob([spec.text], { type: "text/markdown" })), download: spec.file });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // The server's word to the browser: open a dialog, download a text, go somewhere.
  window.errataTell = (value) => {
    if (!value) return;
    const spec = JSON.parse(value);
    if (spec.file) download(spec);
    else if (spec.refused) {
      const form = sent.get(spec.sent);
      openByItself(() => { openDialog(form || { title: spec.refused }); if (form) sayAbove("", spec.refused); });
    } else if (spec.note !== undefined && !spec.title) {
      const note = document.querySelector("dialog[open] .er-dialog-note");
      if (note && document.getElementById(note.dataset.watched)?.value === spec.of) note.innerHTML = spec.note;
    } else if (spec.go) window.location.assign(spec.go);
    else if (spec.closed) closeAll();
    else openByItself(() => openDialog(spec));
  };

  // No connection: said on top of the page for as long as it lasts; nothing that was typed is touched.
  function connected(is) {
    let strip = document.getElementById("er-offline");
    if (!strip) document.body.append((strip = make("div", { id: "er-offline", role: "alert" })));
    strip.textContent = words.offline || "Offline";
    strip.hidden = is;
    if (is) sessionStorage.removeItem("errata-back"); else remember();
  }
  // Gradio loads the page anew once the server answers again: the open chat, what was typed and the open form come back with it.
  const composer = () => document.querySelector("#er-ask textarea");
  function remember() {
    const chat = document.querySelector("#er-chats [aria-current]")?.dataset.id || "";
    const form = (filling && filling()) || unanswered;
    sessionStorage.setItem("errata-back", JSON.stringify({ chat, draft: composer()?.value || "", form }));
  }
  window.addEventListener("pagehide", () => { if (document.getElementById("er-offline")?.hidden === false) remember(); });
  function comeBack() {
    const kept = sessionStorage.getItem("errata-back");
    if (!kept) return;
    const { chat, draft, form } = JSON.parse(kept);
    const drawn = setInterval(() => {
      if (!document.querySelector("#er-account .er-line, .er-strip")) return;
      clearInterval(drawn);
      sessionStorage.removeItem("errata-back");
      if (form) openDialog(form);
      if (chat) document.querySelector(`#er-chats [data-act="open"][data-id="${CSS.escape(chat)}"]`)?.click();
      if (draft) { composer().value = draft; composer().dispatchEvent(new Event("input", { bubbles: true })); }
    }, 100);
  }
  window.addEventListener("offline", () => connected(false));
  window.addEventListener("online", () => connected(true));

  // A session that has ended answers 401, or with the sign-in page: say so and keep what was typed.
  const fetched = window.fetch;
  let told = false;
  window.fetch = async (...request) => {
    let response;
    try {
      response = await fetched(...request);
    } catch (error) {
      if (error instanceof TypeError) connected(false);  // an aborted request is another kind of error
      throw error;
    }
    if (document.getElementById("er-offline")?.hidden === false) connected(true);
    const signIn = response.status === 401 || (response.redirected && new URL(response.url).pathname === "/login");
    if (signIn) sayEnded();
    else if (response.ok && new URL(response.url).pathname.includes("/gradio_api/")) {
      told = false;
      unanswered = null;
      document.querySelectorAll(".er-ended").forEach((said) => said.remove());
    }
    return response;
  };
  // Signing in happens in a tab of its own, so that what was typed here is still here afterwards.
  function sayEnded() {
    const lost = unanswered;
    if (told && !lost) return;
    told = true;
    unanswered = null;
    const link = make("a", { href: `/login?next=${window.location.pathname}`, target: "_blank", rel: "noopener" }, words.signIn);
    if (lost) openByItself(() => openDialog(lost));
    if (openForm()) sayAbove("er-ended", words.signedOut, " ", link);
    else openDialog({ title: words.signedOut, html: link.outerHTML });
  }

  // The report that is shown may still be the one before: what it offers then waits for the one that was chosen, which is asked for again.
  function isStale(button) {
    const shown = button.closest("#er-detail [data-report]"), chosen = document.querySelector('#er-queue [aria-current="true"]');
    if (!shown || !chosen || shown.dataset.report === chosen.dataset.id) return false;
    announce(words.notYet);
    send({ name: "select", id: chosen.dataset.id });
    return true;
  }
  document.addEventListener("click", (event) => {
    const cite = event.target.closest('a[href^="#source-"]');
    if (cite) {
      event.preventDefault();
      const [, answer, n] = cite.getAttribute("href").match(/^#source-(.*)-(\d+)$/) || [];
      if (answer) send({ name: "source", id: answer, n: Number(n) });
      return;
    }
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      const panel = document.getElementById(opener.dataset.opens);
      if (panel) { panel.hidden = !panel.hidden; opener.setAttribute("aria-expanded", String(!panel.hidden)); }
      return;
    }
    const target = event.target.closest("[data-act], [data-dialog]");
    if (!target || target.disabled || isStale(target)) return;
    if (target.dataset.dialog) return openDialog(JSON.parse(target.dataset.dialog));
    const { act, id = "", text = "" } = target.dataset;
    if (act === "copy") {
      const done = () => { target.classList.add("er-done"); announce(words.copied || "Copied"); setTimeout(() => target.classList.remove("er-done"), 1500); };
      copy(text).then(done).catch(() => announce(words.notCopied || "Not copied"));
      return;
    }
    if (act === "keys") return setKeys(!keys);
    if (act === "theme") return setTheme(document.body.classList.contains("dark") ? "light" : "dark");
    if (target.dataset.closes !== undefined) closeAll();
    if (act === "select" || act === "open") {
      target.parentElement.parentElement.querySelectorAll("[aria-current]").forEach((old) => old.removeAttribute("aria-current"));
      target.setAttribute("aria-current", "true");
      closeSidebarOnPhone();
      const shown = act === "select" && window.innerWidth < 760 && document.getElementById("er-detail");
      if (shown) setTimeout(() => shown.scrollIntoView({ behavior: "smooth" }), 600);
    }
    send({ name: act, id, n: Number(target.dataset.n || 0) });
  });

  // On a phone the list of chats covers the chat: it starts closed and closes after a choice.
  function closeSidebarOnPhone() {
    const toggle = window.innerWidth < 760 && document.querySelector(".sidebar.open .toggle-button");
    if (toggle) toggle.click();
    return !!toggle;
  }
  const waiting = setInterval(() => { if (window.innerWidth >= 760 || !document.getElementById("er-main") || closeSidebarOnPhone()) { if (document.querySelector(".gradio-container .column")) clearInterval(waiting); } }, 50);

  const typing = (element) => element && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      const stop = document.querySelector("#er-ask button.stop-button");
      if (stop) stop.click();
      return;
    }
    if (typing(event.target) || !keys) return;
    if (event.key === "j" || event.key === "k") {
      const rows = [...document.querySelectorAll('#er-queue [data-act="select"]')];
      if (!rows.length || !rows[0].offsetParent) return;
      const now = rows.findIndex((row) => row.getAttribute("aria-current") === "true");
      const next = rows[Math.min(rows.length - 1, Math.max(0, now + (event.key === "j" ? 1 : -1)))];
      next.click(); next.focus(); next.scrollIntoView({ block: "nearest" });
      return;
    }
    const bound = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (bound && bound.offsetParent && !bound.disabled) { event.preventDefault(); bound.click(); }
    if (event.key === "/") { const box = document.querySelector("#er-search :is(input, textarea)"); if (box) { event.preventDefault(); box.focus(); } }
  });

  const recall = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* a private window keeps nothing */ } };
  function setTheme(theme) {
    keep("errata-theme", theme);
    document.body.classList.toggle("dark", theme === "dark");
  }
  // Single keys can be turned off: who dictates, or whose hand shakes, would decide by accident.
  let keys = recall("errata-keys") !== "off";
  function setKeys(on) {
    keys = on;
    keep("errata-keys", on ? "on" : "off");
    announce(on ? words.keysOn : words.keysOff);
    document.body.classList.toggle("er-no-keys", !on);
  }
  function start() {
    document.documentElement.lang = words.language || "en";
    const dress = () => { const theme = recall("errata-theme"); if (theme && document.body.classList.contains("dark") !== (theme === "dark")) document.body.classList.toggle("dark", theme === "dark"); };
    dress();
    document.body.classList.toggle("er-no-keys", !keys);
    comeBack();
    new MutationObserver(dress).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }
  if (document.body) start(); else document.addEventListener("DOMContentLoaded", start);
})();
