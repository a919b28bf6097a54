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
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll(menus)) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  for (const found of document.querySelectorAll(".seek .found:not(:empty)")) {
    found.replaceChildren();
    found.parentElement.querySelector("input").focus();
  }
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
  dialog.showModal();
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
