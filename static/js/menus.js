// Menus are details elements and open by themselves. This closes them again, and moves focus with the arrow keys.
"use strict";

const openMenus = () => document.querySelectorAll("details[data-menu][open]");

function closeMenus(except) {
  for (const menu of openMenus()) if (menu !== except) menu.open = false;
}

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("details[data-menu]"));
});

document.addEventListener("toggle", (event) => {
  const menu = event.target;
  if (!(menu instanceof HTMLDetailsElement) || !menu.matches("[data-menu]") || !menu.open) return;
  closeMenus(menu);
  keepInView(menu);
}, true);

// A row's menu near the bottom opens upwards, and is lifted out of the scrolling table.
function keepInView(menu) {
  if (!menu.hasAttribute("data-floating")) return;
  const sheet = menu.querySelector(".menu-sheet");
  const box = menu.getBoundingClientRect();
  const below = window.innerHeight - box.bottom;
  sheet.style.position = "fixed";
  sheet.style.insetInlineEnd = `${document.documentElement.clientWidth - box.right}px`;
  const up = below < sheet.offsetHeight + 12 && box.top > below;
  sheet.style.top = up ? "auto" : `${box.bottom + 4}px`;
  sheet.style.bottom = up ? `${window.innerHeight - box.top + 4}px` : "auto";
}

// An open menu follows its row, and closes when the row leaves the screen.
function follow() {
  for (const menu of openMenus()) {
    const box = menu.getBoundingClientRect();
    if (box.bottom < 0 || box.top > window.innerHeight) menu.open = false;
    else keepInView(menu);
  }
}

window.addEventListener("scroll", follow, { passive: true, capture: true });
window.addEventListener("resize", follow, { passive: true });

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details[data-menu][open]");
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault();
    event.stopPropagation();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...menu.querySelectorAll(".menu-item")];
    const step = event.key === "ArrowDown" ? 1 : -1;
    const place = items.indexOf(document.activeElement);
    const next = place < 0 ? (step > 0 ? 0 : items.length - 1) : (place + step + items.length) % items.length;
    items[next]?.focus();
    event.preventDefault();
  }
});
