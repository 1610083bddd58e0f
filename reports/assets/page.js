// Little helpers for a page that is complete without them: theme, sorting, filtering, the slider, copying.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const say = (text) => { document.querySelector("[data-announce]").textContent = text; };
  const keep = { get(key) { try { return localStorage.getItem(key); } catch { return null; } },
                 set(key, value) { try { localStorage.setItem(key, value); } catch { /* private window */ } } };

  // Pictures that are shown several times are stored once: copies take the address of the first.
  for (const copy of all("img[data-again]")) {
    const first = document.querySelector(`img[data-picture="${copy.dataset.again}"]`);
    if (first) copy.src = first.src;
  }

  // Theme: automatic, light, dark.
  const themes = ["automatic", "light", "dark"];
  const themeButton = document.querySelector("[data-theme-button]");
  const setTheme = (theme) => {
    if (theme === "automatic") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    themeButton.textContent = `Theme: ${theme}`;
    keep.set("bench-theme", theme);
  };
  themeButton.hidden = false;
  setTheme(themes.includes(keep.get("bench-theme")) ? keep.get("bench-theme") : "automatic");
  themeButton.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "automatic";
    setTheme(themes[(themes.indexOf(now) + 1) % themes.length]);
  });

  // Sorting: numbers by value, words as words, missing values always last.
  const collator = new Intl.Collator("en", { numeric: true });
  const keyOf = (row, at) => {
    const cell = row.cells[at];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const text = cell.textContent.trim();
    return cell.classList.contains("number") || text === "-" || text === "" ? null : text;
  };
  const compareKeys = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b));
  const sortBy = (table, header, at) => {
    const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    all("[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, at) }));
    rows.sort((a, b) => (a.key === null) - (b.key === null) || (a.key === null ? 0 : sign * compareKeys(a.key, b.key)));
    body.append(...rows.map((entry) => entry.row));
    say(`Sorted by ${header.textContent.trim()}, ${direction}`);
  };
  for (const table of all("table[data-sortable]")) {
    if (table.tBodies.length === 0 || table.tBodies[0].rows.length < 2) continue;
    const headers = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    headers.forEach((header, at) => {
      const label = header.querySelector("[data-sort]");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...label.childNodes);
      label.replaceWith(button);
      button.addEventListener("click", () => sortBy(table, header, at));
    });
  }

  // Filtering rows by any word in them; floor and ceiling stay.
  for (const input of all("[data-filter]")) {
    input.closest("label").hidden = false;
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = [...document.getElementById(input.getAttribute("aria-controls")).tBodies[0].rows];
      for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
      say(`${rows.filter((row) => !row.hidden).length} of ${rows.length} rows shown`);
    });
  }

  // The slider: two pictures of one test image, the left one in front up to the handle.
  const fill = (select, names, chosen) => {
    select.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
  };
  for (const box of all("[data-compare]")) {
    const gallery = box.closest(".gallery");
    const strips = all(".strip", gallery);
    const shotsOf = (strip) => all(".shot", strip).filter((shot) => shot.querySelector("img.base"));
    const usable = strips.filter((strip) => shotsOf(strip).length > 1);
    if (usable.length === 0) continue;
    const part = (name) => box.querySelector(`[data-${name}]`);
    const [image, left, right, slider, stage] = [part("image"), part("left"), part("right"), part("slider"), box.querySelector(".stage")];
    const find = (label) => shotsOf(usable[image.selectedIndex]).find((shot) => shot.dataset.label === label);
    const show = () => {
      const pair = [[left, part("over"), part("left-tag")], [right, part("under"), part("right-tag")]];
      const numbers = pair.map(([select, picture, tag]) => {
        const shot = find(select.value);
        tag.textContent = select.value;
        picture.alt = `${image.value}, ${select.value}`;
        if (shot) picture.src = shot.querySelector("img.base").src; else picture.removeAttribute("src");
        const caption = shot?.querySelector("figcaption .numbers")?.textContent;
        return caption ? `${select.value}: ${caption}` : null;
      });
      part("compare-numbers").textContent = numbers.filter(Boolean).join("  |  ");
    };
    const choose = (at, leftName, rightName) => {
      const names = shotsOf(usable[at]).map((shot) => shot.dataset.label);
      fill(left, names, names.includes(leftName) ? leftName : names[0]);
      fill(right, names, names.includes(rightName) ? rightName : names[1]);
      show();
    };
    fill(image, usable.map((strip) => strip.dataset.strip));
    choose(0);
    image.addEventListener("change", () => choose(image.selectedIndex, left.value, right.value));
    left.addEventListener("change", show);
    right.addEventListener("change", show);
    slider.addEventListener("input", () => {
      stage.style.setProperty("--cut", `${slider.value}%`);
      slider.setAttribute("aria-valuetext", `${slider.value} percent ${left.value}`);
    });
    gallery.addEventListener("click", (event) => {
      const shot = event.target.closest("[data-open]")?.closest(".shot");
      if (!shot) return;
      const at = usable.indexOf(shot.closest(".strip"));
      image.selectedIndex = at;
      choose(at, "source", shot.dataset.label === "source" ? right.value : shot.dataset.label);
      box.scrollIntoView({ block: "center" });
      slider.focus({ preventScroll: true });
    });
    box.hidden = false;
  }

  // Copying a table.
  for (const button of all("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = button.closest("div").querySelector("pre");
      try { await navigator.clipboard.writeText(text.textContent); button.textContent = "Copied"; }
      catch { getSelection().selectAllChildren(text); button.textContent = "Selected: press Ctrl+C"; }
    });
  }

  // Contents: closed on a narrow screen, the section in view marked.
  const contents = document.querySelector("[data-contents]");
  if (matchMedia("(max-width: 67.99rem)").matches) contents.open = false;
  const links = new Map(all(".contents a").map((link) => [link.getAttribute("href").slice(1), link]));
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      all(".contents a[aria-current]").forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-10% 0px -75% 0px" });
  all(".part[id]").forEach((section) => observer.observe(section));

  // Print with everything unfolded, and fold it again.
  addEventListener("beforeprint", () => all("details.more, details.card").forEach((one) => {
    if (!one.open) { one.open = true; one.dataset.folded = ""; }
  }));
  addEventListener("afterprint", () => all("details[data-folded]").forEach((one) => {
    one.open = false; delete one.dataset.folded;
  }));
})();
