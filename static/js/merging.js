// What the wizard and the merge pages gain from JavaScript: picking submits, sections become tabs, one click is one merge.
"use strict";

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-picks]");
  if (form && event.target.matches("[data-picker] input[type=hidden]") && event.target.value) form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-once]")) return;
  if (event.target.dataset.sent) return event.preventDefault();
  event.target.dataset.sent = "yes";
  const button = event.target.querySelector("button:not([type=button])");
  setTimeout(() => { button.disabled = true; button.setAttribute("aria-busy", "true"); });
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once][data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("button[aria-busy]")?.removeAttribute("disabled");
  }
});

// A wizard that has just slid out waits for a name.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "panel") return;
  const form = event.detail.target.querySelector("form[data-picks]");
  if (form && !form.querySelector("[data-picker] input[type=hidden]").value) form.querySelector("[role=combobox]").focus();
});

function sectionOf(tab) {
  return document.getElementById(tab.getAttribute("href").slice(1));
}

function open(list, tab) {
  for (const other of list.querySelectorAll("a")) {
    const chosen = other === tab;
    other.setAttribute("aria-selected", String(chosen));
    other.tabIndex = chosen ? 0 : -1;
    sectionOf(other).hidden = !chosen;
  }
}

function makeTabs(list) {
  if (list.dataset.ready) return;
  list.dataset.ready = "yes";
  list.setAttribute("role", "tablist");
  for (const tab of list.querySelectorAll("a")) {
    const section = sectionOf(tab);
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", section.id);
    section.setAttribute("role", "tabpanel");
    section.tabIndex = 0;
  }
  const named = location.hash && list.querySelector(`a[href="${CSS.escape(location.hash).replace("\\#", "#")}"]`);
  open(list, named || list.querySelector("[data-open]") || list.querySelector("a"));
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest?.("[role=tablist][data-tablist] [role=tab]");
  if (!tab) return;
  event.preventDefault();
  open(tab.closest("[data-tablist]"), tab);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tablist][data-tablist] [role=tab]");
  if (!tab) return;
  const list = tab.closest("[data-tablist]");
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const at = tabs.indexOf(tab);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  const target = tabs[(next + tabs.length) % tabs.length];
  open(list, target);
  target.focus();
});

const makeAll = () => document.querySelectorAll("[data-tablist]").forEach(makeTabs);
document.addEventListener("htmx:afterSwap", makeAll);
document.addEventListener("htmx:historyRestore", makeAll);
document.addEventListener("DOMContentLoaded", makeAll);
if (document.readyState !== "loading") makeAll();
