// What pages do beyond links and forms. Every page works without it where it can; nothing here holds a
// rule, and what it shows comes from the server as HTML.
"use strict";

document.documentElement.classList.add("js");

// ---- copy buttons: <button data-copy="the text"> or data-copy-from="#id" ------------------------
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = button.dataset.copyFrom;
  const text = source ? document.querySelector(source).textContent : button.dataset.copy || button.closest(".code").querySelector("pre").textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https browsers offer no clipboard: a selection that the person copies themselves.
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.classList.add("done");
  announce("Copied");
  setTimeout(() => button.classList.remove("done"), 1500);
});

// What a screen reader says without the focus moving.
function announce(text) {
  const place = document.getElementById("announced");
  if (place) place.textContent = text;
}

// ---- menus behind <details>: only one is open; a click elsewhere and Escape close it -------------
const menus = "details.menu[open], details.others[open]";
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(menus)) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  for (const found of document.querySelectorAll(".seek .found")) {
    if (!found.parentElement.contains(event.target)) found.replaceChildren();
  }
});
document.addEventListener("keydown", (event) => {
  // A dialog closes by itself, and nothing behind it does.
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  for (const menu of document.querySelectorAll(menus)) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  for (const found of document.querySelectorAll(".seek .found:not(:empty)")) {
    found.replaceChildren();
    found.parentElement.querySelector("input").focus();
  }
  const box = event.target.closest("details.plus[open], details.edit[open]");
  if (box) {
    box.open = false;
    box.querySelector("summary").focus();
  }
  const back = event.target.closest(".lineage")?.querySelector("a[data-back]");
  if (back) back.click();
});

// ---- a button that a role may not use says why to a finger too, and to a screen reader at once ----
document.addEventListener("click", (event) => {
  const pressed = event.target.closest("button[aria-disabled=true]");
  for (const told of document.querySelectorAll(".brief.told")) {
    if (told !== pressed) told.classList.remove("told");
  }
  if (!pressed) return;
  event.preventDefault();
  pressed.classList.toggle("told");
  announce(pressed.querySelector(".reason")?.textContent || "");
});

// ---- what opens puts the focus into its first field -----------------------------------------------
document.addEventListener("toggle", (event) => {
  const box = event.target;
  if (!box.open || !box.matches("details.plus, details.edit")) return;
  const field = box.querySelector("input:not([type=hidden]), textarea, select");
  if (field && !box.contains(document.activeElement?.closest("form"))) field.focus();
}, true);

// ---- a part of the page was put in place of the old one: the focus stays where it was ------------
// At the same thing where it is there still, else at the next one around it.
// A button that is disabled while the answer is awaited has lost it before that comes.
// Each request remembers its own place: one may be sent while the answer of another still settles.
const placesOf = new WeakMap();
document.addEventListener("htmx:beforeRequest", (event) => {
  const around = [];
  placesOf.set(event.detail.xhr, around);
  for (let each = document.activeElement; each && each !== document.body; each = each.parentElement) {
    if (each.id) around.push(each.id);
  }
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "lineage") announce(document.querySelector("#side h2")?.textContent || "");
  const lost = !document.activeElement || document.activeElement === document.body || !document.activeElement.checkVisibility();
  const places = placesOf.get(event.detail.xhr) || [];
  if (!lost) return;
  for (const id of places) {
    const place = document.getElementById(id);
    if (!place) continue;
    const stops = [
      ...place.querySelectorAll("details[open] form :is(input:not([type=hidden]), textarea, select)"),
      ...place.querySelectorAll("details[open] form button"),
      ...place.querySelectorAll("details.plus > summary"),
      ...place.querySelectorAll("summary, a[href], button, input:not([type=hidden]), select, textarea"),
    ];
    const next = place.matches("a, summary, button, input, select, textarea") && place.checkVisibility() ? place : stops.find((each) => each.checkVisibility());
    if (next) {
      next.focus();
      return;
    }
  }
});

// ---- who was ticked stays ticked while one looks for others -----------------------------------------
let ticked = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "candidates") ticked = [...event.detail.target.querySelectorAll("label:has(input:checked)")];
});
document.addEventListener("htmx:afterSettle", () => {
  const place = document.getElementById("candidates");
  for (const label of place ? ticked.splice(0).reverse() : []) {
    const again = place.querySelector(`input[name="${CSS.escape(label.querySelector("input").name)}"]`);
    if (again) again.checked = true;
    else place.prepend(label);
  }
});

// ---- tabs that do not fit scroll to the one that is shown ------------------------------------------
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const tabs = tab.parentElement;
  tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.clientWidth) / 2;
}

// ---- a picture that does not fit shows the node that was chosen ------------------------------------
function showChosen() {
  const node = document.querySelector(".canvas .node.chosen") || document.querySelector(".canvas .node.root");
  if (!node) return;
  const canvas = node.closest(".canvas");
  const [box, frame] = [node.getBoundingClientRect(), canvas.getBoundingClientRect()];
  canvas.scrollBy(box.left - frame.left - (frame.width - box.width) / 2, box.top - frame.top - (frame.height - box.height) / 2);
}
showChosen();
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id === "lineage") showChosen();
});

// ---- dialogs: <a data-dialog href> shows the .ask part of that page over this one ----------------
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const dialog = document.getElementById("dialog");
  let part = null;
  try {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    part = answer.ok && !answer.redirected ? page.querySelector("main .ask") : null;
  } catch {
    part = null;
  }
  if (!part) {
    window.location.assign(link.href);
    return;
  }
  for (const form of part.querySelectorAll("form:not([action])")) form.action = link.href;
  for (const cancel of part.querySelectorAll("a.cancel")) cancel.dataset.close = "";
  dialog.querySelector(".inside").replaceChildren(document.adoptNode(part));
  const title = part.querySelector("h1");
  // By its text and not by its id: a step inside may be replaced, heading and all.
  dialog.setAttribute("aria-label", title ? title.textContent : document.title);
  if (!dialog.open) dialog.showModal();
  const first = part.querySelector("input:not([type=hidden]), select, textarea") || part.querySelector("button");
  if (first) first.focus();
  if (window.htmx) window.htmx.process(part);
});
document.addEventListener("click", (event) => {
  const dialog = document.getElementById("dialog");
  if (!dialog || !dialog.open) return;
  if (event.target.closest("[data-close]") || event.target === dialog) {
    event.preventDefault();
    dialog.close();
  }
});

// ---- the search bar: `/` goes to it, arrows go through what it found ---------------------------
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const field = document.querySelector(".bar .seek input");
    if (field) {
      event.preventDefault();
      field.select();
    }
    return;
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const seek = event.target.closest(".seek");
  if (!seek) return;
  const stops = [seek.querySelector("input"), ...seek.querySelectorAll(".found a")];
  const next = stops[stops.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) {
    event.preventDefault();
    next.focus();
  }
});

// ---- a form with data-on-change shows its button only when something was changed ----------------
for (const form of document.querySelectorAll("form[data-on-change]")) {
  const button = form.querySelector("button:not([type=button])");
  button.hidden = true;
  form.addEventListener("input", () => {
    button.hidden = false;
  });
}

// ---- <button data-insert="## Summary"> puts the text at the end of its form's text field ---------
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const area = button.closest("form").querySelector("textarea");
  const before = area.value.trimEnd();
  area.value = `${before}${before ? "\n\n" : ""}${button.dataset.insert}\n\n`;
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
});

// ---- a form is sent once, however often its button is clicked before the answer is there ------------
// Those that are sent in the background have their button disabled meanwhile. Who comes back to the
// page, or waited for long, may send it again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    event.stopImmediatePropagation();
    return;
  }
  form.dataset.sent = "true";
  setTimeout(() => delete form.dataset.sent, 15_000);
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// ---- what takes long says so: <form data-busy="Deleting…"> ---------------------------------------
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.busy || event.defaultPrevented) return;
  const button = form.querySelector("button:not([type=button])");
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", form.dataset.busy);
  button.after(bar);
  announce(form.dataset.busy);
  // A button that is disabled at once would not send the form.
  setTimeout(() => {
    button.disabled = true;
    button.textContent = form.dataset.busy;
  }, 0);
});

// ---- a button with data-needs="2" waits until so many boxes of its form are ticked ----------------
function count() {
  for (const button of document.querySelectorAll("button[data-needs]")) {
    const ticked = document.querySelectorAll(`input[type=checkbox][form="${button.form.id}"]:checked`).length;
    button.disabled = ticked !== Number(button.dataset.needs);
    // Why it is disabled is said beside it, where a finger finds it as well.
    const told = button.form.querySelector(".needs");
    if (told) told.hidden = !button.disabled;
  }
}
document.addEventListener("change", count);
document.addEventListener("htmx:afterSettle", count);
window.addEventListener("pageshow", count);

// ---- lineage: a node's neighbours stay bright under the pointer, and nodes can be dragged ----------
document.addEventListener("mouseover", (event) => {
  const node = event.target.closest(".graph .node");
  for (const each of document.querySelectorAll(".graph .near")) each.classList.remove("near");
  if (!node) return;
  const graph = node.closest(".graph");
  for (const arrow of graph.querySelectorAll(".arrow")) {
    const { from, to } = arrow.dataset;
    if (from !== node.dataset.id && to !== node.dataset.id) continue;
    arrow.classList.add("near");
    const other = from === node.dataset.id ? to : from;
    graph.querySelector(`.node[data-id="${CSS.escape(other)}"]`)?.classList.add("near");
  }
});
// Closing the details leads back to their node; a chosen node leads on to its details.
document.addEventListener("click", (event) => {
  const back = event.target.closest("a[data-to]");
  if (back) document.getElementById(`node-${back.dataset.to}`)?.focus();
  const chosen = event.target.closest(".graph a[aria-current]");
  if (!chosen || event.detail) return;
  event.preventDefault();
  event.stopPropagation();
  document.querySelector("#side :is(input[type=search], a[href])")?.focus();
}, true);
let drag = null;
document.addEventListener("pointerdown", (event) => {
  const node = event.target.closest(".graph .node");
  if (!node || event.button || event.pointerType === "touch") return;
  const [x, y] = (node.dataset.at || "0 0").split(" ").map(Number);
  drag = { node, x, y, fromX: event.clientX, fromY: event.clientY, moved: false };
});
document.addEventListener("dragstart", (event) => {
  if (event.target.closest?.(".graph")) event.preventDefault();
});
document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  const [dx, dy] = [event.clientX - drag.fromX, event.clientY - drag.fromY];
  if (!drag.moved && Math.hypot(dx, dy) < 5) return;
  drag.moved = true;
  const { node } = drag;
  const graph = node.closest(".graph");
  graph.classList.add("dragging");
  const scale = graph.viewBox.baseVal.width / graph.getBoundingClientRect().width;
  const [x, y] = [drag.x + dx * scale, drag.y + dy * scale];
  node.dataset.at = `${x} ${y}`;
  node.setAttribute("transform", `translate(${x} ${y})`);
  for (const arrow of graph.querySelectorAll(".arrow")) redraw(graph, arrow, node.dataset.id);
});
document.addEventListener("pointerup", () => {
  if (!drag) return;
  drag.node.closest(".graph")?.classList.remove("dragging");
  // The click that ends a dragging opens nothing.
  if (drag.moved) window.addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); }, { capture: true, once: true });
  drag = null;
});
// An arrow of a node that was dragged goes straight from box to box.
function redraw(graph, arrow, id) {
  const { from, to } = arrow.dataset;
  if (from !== id && to !== id) return;
  const [a, b] = [from, to].map((each) => {
    const node = graph.querySelector(`.node[data-id="${CSS.escape(each)}"]`);
    const box = node.querySelector("rect:not(.behind)");
    const [x, y] = (node.dataset.at || "0 0").split(" ").map(Number);
    return { x: Number(box.getAttribute("x")) + x, y: Number(box.getAttribute("y")) + y + box.height.baseVal.value / 2, w: box.width.baseVal.value };
  });
  const right = a.x + a.w <= b.x;
  const [x1, x2] = right ? [a.x + a.w, b.x] : [a.x, b.x + b.w];
  const bend = Math.max(Math.abs(x2 - x1) / 2, 24) * (right ? 1 : -1);
  arrow.setAttribute("d", `M${x1} ${a.y}C${x1 + bend} ${a.y} ${x2 - bend} ${b.y} ${x2} ${b.y}`);
}
