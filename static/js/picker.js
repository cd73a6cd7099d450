// Type-ahead for accounts, as the ARIA practices describe a combobox with a list. See templates/_picker.html.
"use strict";

const PAUSE = 120;
let newest = 0;

function parts(input) {
  const picker = input.closest("[data-picker]");
  return {
    picker,
    input,
    value: picker.querySelector("input[type=hidden]"),
    list: picker.querySelector("[role=listbox]"),
    status: picker.querySelector("[data-picker-status]"),
  };
}

function close({ input, list }) {
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

async function look(input) {
  const it = parts(input);
  const text = input.value.trim();
  const ticket = ++newest;
  if (!text) return close(it);
  const address = new URL(it.picker.dataset.url, location.href);
  address.searchParams.set("q", text);
  const answer = await fetch(address, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
  if (ticket !== newest || !answer.ok) return;
  it.list.innerHTML = await answer.text();
  const found = it.list.querySelectorAll("[role=option]");
  found.forEach((option, place) => { option.id = `${it.list.id}_${place}`; option.setAttribute("aria-selected", "false"); });
  it.list.hidden = false;
  input.setAttribute("aria-expanded", "true");
  it.status.textContent = found.length ? `${found.length} offered` : "Nobody found";
}

function mark(it, option) {
  for (const other of it.list.querySelectorAll("[role=option]")) other.setAttribute("aria-selected", String(other === option));
  it.input.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

function choose(it, option) {
  it.value.value = option.dataset.id;
  it.input.value = option.dataset.label;
  close(it);
  it.value.dispatchEvent(new Event("change", { bubbles: true }));
}

const timers = new WeakMap();
document.addEventListener("input", (event) => {
  const input = event.target;
  if (!input.matches?.("[data-picker] [role=combobox]")) return;
  const { value } = parts(input);
  if (value.value) {
    value.value = "";
    value.dispatchEvent(new Event("change", { bubbles: true }));
  }
  clearTimeout(timers.get(input));
  timers.set(input, setTimeout(() => look(input), PAUSE));
});

document.addEventListener("keydown", (event) => {
  const input = event.target;
  if (!input.matches?.("[data-picker] [role=combobox]")) return;
  const it = parts(input);
  const options = [...it.list.querySelectorAll("[role=option]")];
  const place = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (it.list.hidden) return void look(input);
    const step = event.key === "ArrowDown" ? 1 : -1;
    const next = place < 0 ? (step > 0 ? 0 : options.length - 1) : (place + step + options.length) % options.length;
    if (options[next]) mark(it, options[next]);
  } else if (event.key === "Enter" && !it.list.hidden && options[place]) {
    event.preventDefault();
    choose(it, options[place]);
  } else if (event.key === "Escape" && !it.list.hidden) {
    event.preventDefault();
    event.stopPropagation();
    close(it);
  }
});

document.addEventListener("mousedown", (event) => {
  const option = event.target.closest?.("[data-picker] [role=option]");
  if (!option) return;
  event.preventDefault();
  choose(parts(option.closest("[data-picker]").querySelector("[role=combobox]")), option);
});

document.addEventListener("focusout", (event) => {
  if (event.target.matches?.("[data-picker] [role=combobox]")) close(parts(event.target));
});
