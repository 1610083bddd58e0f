// Little helpers for a page that is complete without them: theme, folds, sorting, pictures pressed open, watching.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const keep = { get(store, key) { try { return store.getItem(key); } catch { return null; } },
                 set(store, key, value) { try { store.setItem(key, value); } catch { /* private window */ } } };

  // Pictures that are shown several times are stored once: copies take the address of the first.
  for (const copy of all("img[data-again]")) {
    const first = document.querySelector(`img[data-picture="${copy.dataset.again}"]`);
    if (first) copy.src = first.src;
  }

  // Theme: auto, light, dark.
  const themes = ["auto", "light", "dark"];
  const button = document.getElementById("theme");
  const setTheme = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
    keep.set(localStorage, "bench-theme", theme);
  };
  button.hidden = false;
  const asked = new URLSearchParams(location.search).get("theme") ?? keep.get(localStorage, "bench-theme");
  setTheme(themes.includes(asked) ? asked : "auto");
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "auto";
    setTheme(themes[(themes.indexOf(now) + 1) % themes.length]);
  });

  // A link into a fold opens it.
  const openTo = (hash) => {
    const target = hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
    if (!target) return;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", () => openTo(location.hash));
  for (const link of all('a[href^="#"]')) link.addEventListener("click", () => openTo(link.hash));

  // Print with every fold open, and shut them again.
  let shut = [];
  addEventListener("beforeprint", () => { shut = all("details:not([open])"); shut.forEach((one) => { one.open = true; }); });
  addEventListener("afterprint", () => { shut.forEach((one) => { one.open = false; }); });

  // A page that is being watched reloads: it stays where it was, with the same folds open.
  if (document.body.dataset.watched !== undefined) {
    const key = `bench-watch:${location.pathname}`;
    const was = JSON.parse(keep.get(sessionStorage, key) ?? "null");
    if (was) {
      const open = new Set(was.open);
      all("details[id]").forEach((fold) => { fold.open = open.has(fold.id); });
      requestAnimationFrame(() => scrollTo({ top: was.top, behavior: "instant" }));
    } else openTo(location.hash);
    addEventListener("pagehide", () => {
      const open = all("details[id][open]").map((fold) => fold.id);
      keep.set(sessionStorage, key, JSON.stringify({ open, top: scrollY }));
    });
  } else openTo(location.hash);

  // Sorting: numbers by value, words as words, missing values always last.
  const collator = new Intl.Collator("en", { numeric: true });
  const keyOf = (row, at) => {
    const cell = row.cells[at];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const text = cell.textContent.trim();
    return text === "-" || text === "" ? null : text;
  };
  const byKey = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b));
  const sortBy = (table, header, at) => {
    const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    all("[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: keyOf(row, at) }));
    rows.sort((a, b) => (a.key === null) - (b.key === null) || (a.key === null ? 0 : sign * byKey(a.key, b.key)));
    table.tBodies[0].append(...rows.map((entry) => entry.row));
    document.querySelector("[data-announce]").textContent = `Sorted by ${header.textContent.trim()}, ${direction}`;
  };
  for (const table of all("table[data-sortable]")) {
    if (table.tBodies[0].rows.length < 2) continue;
    const headers = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    headers.forEach((header, at) => {
      const label = header.querySelector("[data-sort]");
      if (!label || !label.textContent.trim()) return;
      const press = document.createElement("button");
      press.type = "button";
      press.className = "sort";
      press.append(...label.childNodes);
      label.replaceWith(press);
      press.addEventListener("click", () => sortBy(table, header, at));
    });
  }

  // A picture pressed open: larger, over its source, with a slider between them.
  const zoom = document.getElementById("zoom");
  const part = (name) => zoom.querySelector(`[data-${name}]`);
  const slider = part("slider");
  const cut = () => {
    zoom.querySelector(".stage").style.setProperty("--cut", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value} percent ${part("left").textContent}`);
  };
  slider.addEventListener("input", cut);
  part("close").addEventListener("click", () => zoom.close());
  for (const press of all("[data-open]")) {
    press.addEventListener("click", () => {
      const image = press.querySelector("img");
      const first = press.closest(".shots, .strip").querySelector("img");
      part("under").src = image.src;
      part("over").src = first.src;
      part("under").alt = part("right").textContent = image.alt;
      part("over").alt = part("left").textContent = first.alt;
      slider.value = "50";
      cut();
      zoom.showModal();
      slider.focus();
    });
  }

  // Copying a table.
  for (const press of all("[data-copy]")) {
    press.hidden = false;
    press.addEventListener("click", async () => {
      const text = press.closest("div").querySelector("pre");
      try { await navigator.clipboard.writeText(text.textContent); press.textContent = "Copied"; }
      catch { getSelection().selectAllChildren(text); press.textContent = "Selected: press Ctrl+C"; }
    });
  }
})();
