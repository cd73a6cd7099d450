// The slide-out panel: what htmx puts into #panel is shown as a dialog; closing it empties it and returns the focus.
// Going back in the browser replaces the whole page, the panel too, so it is looked up each time.
"use strict";

let addressBefore = null;
let openedFrom = null;

const isPanel = (element) => element instanceof HTMLDialogElement && element.id === "panel";

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isPanel(event.detail.target) && !event.detail.target.open) {
    addressBefore = location.href;
    openedFrom = document.activeElement?.closest("details[data-menu]")?.querySelector("summary") ?? document.activeElement;
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  const panel = event.detail.target;
  document.querySelector("[data-unavailable]")?.remove();
  if (!isPanel(panel) || !panel.innerHTML.trim()) return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) menu.open = false;
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
  (panel.querySelector("[autofocus]") ?? document.getElementById("panel-title"))?.focus();
});

// The form stays as it was typed; the message says that it wasn't saved.
function tellUnavailable(verb) {
  const place = document.querySelector("dialog#panel[open]") ?? document.getElementById("main");
  place.querySelector("[data-unavailable]")?.remove();
  const message = document.createElement("div");
  message.className = "alert alert-danger";
  message.setAttribute("role", "alert");
  message.dataset.unavailable = "";
  message.textContent = `${verb === "get" ? "" : "Nothing was saved. "}Temporarily unavailable. Try again in a moment.`;
  place.prepend(message);
}

document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 503) return tellUnavailable(event.detail.requestConfig.verb);
  if (isPanel(event.detail.target)) location.assign(event.detail.pathInfo.requestPath);
});

document.addEventListener("click", (event) => {
  const panel = event.target.closest?.("#panel");
  if (panel && (event.target === panel || event.target.closest("[data-close-panel]"))) panel.close();
});

document.addEventListener("close", (event) => {
  if (!isPanel(event.target)) return;
  event.target.replaceChildren();
  if (addressBefore && location.href !== addressBefore) history.replaceState(null, "", addressBefore);
  openedFrom?.focus();
  addressBefore = openedFrom = null;
}, true);

// Back pressed twice in a row: only the page that the address names may arrive.
let restoring = null;
document.addEventListener("htmx:historyCacheMiss", (event) => {
  restoring?.abort();
  restoring = event.detail.xhr;
});
