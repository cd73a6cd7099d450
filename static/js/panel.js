// The slide-out panel: what htmx puts into #panel is shown as a dialog; closing it empties it and returns the focus.
"use strict";

const panel = document.getElementById("panel");
let addressBefore = null;
let openedFrom = null;

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target === panel && !panel.open) {
    addressBefore = location.href;
    openedFrom = document.activeElement?.closest("details[data-menu]")?.querySelector("summary") ?? document.activeElement;
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== panel || !panel.innerHTML.trim()) return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
  (panel.querySelector("[autofocus]") ?? document.getElementById("panel-title"))?.focus();
});

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.target === panel) location.assign(event.detail.pathInfo.requestPath);
});

panel?.addEventListener("click", (event) => {
  if (event.target === panel || event.target.closest("[data-close-panel]")) panel.close();
});

panel?.addEventListener("close", () => {
  panel.replaceChildren();
  if (addressBefore && location.href !== addressBefore) history.replaceState(null, "", addressBefore);
  openedFrom?.focus();
  addressBefore = openedFrom = null;
});
