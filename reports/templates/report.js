"use strict";
// Everything here is an addition: without this script the page still holds all figures and tables.
(function () {
  // Data lie deflated in script elements (reports/packing.py) and are read when they are wanted.
  function inflated(element) {
    const bytes = Uint8Array.from(atob(element.textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
  }

  function unpacked(element) {
    return inflated(element).json();
  }

  // The drawing engine is longer than most pages. The page's policy names its checksum.
  let engine = null;
  async function start() {
    const script = document.createElement("script");
    script.textContent = await inflated(document.getElementById("engine")).text();
    document.head.append(script);
  }

  function started() {
    engine = engine || start();
    return engine;
  }

  const packed = new Map([...document.querySelectorAll("script.spec")].map((element) => [element.dataset.for, element]));
  const specs = new Map();

  async function specOf(name) {
    if (!specs.has(name)) {
      specs.set(name, await unpacked(packed.get(name)));
    }
    return specs.get(name);
  }

  function button(label, about, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.setAttribute("aria-label", label + ": " + about);
    made.addEventListener("click", () => action(made));
    return made;
  }

  function save(name, content, type) {
    const link = document.createElement("a");
    link.href = content instanceof Blob ? URL.createObjectURL(content) : "data:" + type + ";charset=utf-8," + encodeURIComponent(content);
    link.download = name;
    link.click();
  }

  // As in stimuli/cells.py: text that a spreadsheet would compute stays text behind an apostrophe.
  function guarded(text) {
    const number = /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^-?(inf|nan)$/i.test(text);
    return /^'*[=+\-@\t\r]/.test(text) && !number ? "'" + text : text;
  }

  function quoted(value) {
    const text = value === null || value === undefined ? "" : guarded(String(value));
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }

  function csvOf(rows) {
    return rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  }

  // Figures: the drawing that stands on the page is replaced by a live one when it comes into view.
  function rowsOf(part) {
    const own = (part.data && part.data.values) || [];
    const parts = [part.spec, ...(part.layer || []), ...(part.concat || []), ...(part.hconcat || []), ...(part.vconcat || [])];
    return [...own, ...parts.filter(Boolean).flatMap(rowsOf)];
  }

  function numbersOf(spec) {
    const rows = rowsOf(spec);
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    return [columns, ...rows.map((row) => columns.map((column) => row[column]))];
  }

  function drawingAsFile(figure) {
    const copy = figure.querySelector("svg").cloneNode(true);
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("xmlns:xlink", "http://www.w3.org/1999/xlink");
    return copy.outerHTML.replaceAll("currentColor", "#1b1b1b");
  }

  function savePng(figure, name) {
    const drawing = figure.querySelector("svg");
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = 2 * drawing.viewBox.baseVal.width;
      canvas.height = 2 * drawing.viewBox.baseVal.height;
      const context = canvas.getContext("2d");
      context.fillStyle = "#ffffff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(name, blob, "image/png"));
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(drawingAsFile(figure));
  }

  // Panels take the room that the page has; letters keep their size.
  function fitted(spec, natural, room) {
    const made = structuredClone(spec);
    const columns = made.columns || 1;
    const kept = Math.max(1, Math.min(columns, Math.floor(room / 280)));
    const more = room / kept - natural / columns;
    const factor = Math.min(1.6, Math.max(1, (room * columns) / (natural * kept)));
    const narrow = room < 480;
    function fit(part) {
      if (typeof part.width === "number") {
        part.width = Math.round(Math.max(part.width + more, Math.min(part.width, spec.usermeta.narrowest)));
      }
      ["width", "height"].forEach((side) => {
        if (part.width && part.width.step && part[side] && part[side].step) {
          part[side].step *= factor;
        }
      });
      [part.spec, ...(part.concat || []), ...(part.vconcat || [])].filter(Boolean).forEach(fit);
    }
    if (made.columns) {
      made.columns = kept;
    }
    fit(made);
    return narrow ? JSON.parse(JSON.stringify(made), (key, value) => fittedPart(key, value, room)) : made;
  }

  // On a phone legends have one column, and long titles and names several lines.
  function fittedPart(key, value, room) {
    // Lines end behind these signs, and have so many letters at most; names have two lines.
    const broken = (letters, ends) =>
      `split(trim(replace(datum.label, regexp("(.{1," + ${letters} + "})(${ends})", "g"), "$1$2\\n")), regexp("\\\\s*\\n"))`;
    if (key === "legend" && value) {
      const named = !value.gradientLength && !value.orient;
      return { ...value, columns: 1, ...(named ? { labelExpr: broken(Math.floor(room / 9), "\\\\s+|$") } : {}) };
    }
    if (key === "y" && value && value.type === "nominal" && value.axis !== null) {
      const letters = `max(${Math.floor(room / 15)}, ceil(length(datum.label) / 2) + 4)`;
      return { ...value, axis: { ...value.axis, labelExpr: broken(letters, "[-_, ]+|$") } };
    }
    if (key === "title" && typeof value === "string") {
      const most = Math.floor(room / 9);
      const lines = value.split(" ").reduce((done, word) => {
        const longer = done.length ? done[done.length - 1] + " " + word : word;
        return done.length && longer.length <= most ? [...done.slice(0, -1), longer] : [...done, word];
      }, []);
      return lines.length > 1 ? lines : value;
    }
    return value;
  }

  function widthOf(drawing) {
    return drawing.viewBox.baseVal.width;
  }

  async function drawn(trial, spec) {
    const errorsOnly = 1;
    await window.vegaEmbed(trial, spec, { actions: false, renderer: "svg", logLevel: errorsOnly });
    return trial.querySelector("svg");
  }

  async function enliven(figure) {
    const place = figure.querySelector(".drawing");
    const room = place.parentElement.clientWidth;
    // The width of the drawing that came with the page: it may be drawn again.
    figure.dataset.natural = figure.dataset.natural || widthOf(place.querySelector("svg"));
    const natural = Number(figure.dataset.natural);
    const trial = document.createElement("div");
    try {
      await started();
      const spec = await specOf(figure.id);
      const fit = (given) => drawn(trial, fitted(spec, natural, given));
      let made = await fit(room);
      const over = widthOf(made) - room;
      if (over > 1) {
        made = await fit(room - over);
      }
      made.setAttribute("aria-hidden", "true");
      made.style.setProperty("--natural", widthOf(made) + "px");
      place.replaceChildren(trial);
      figure.dataset.live = "yes";
    } catch (error) {
      console.error("The figure " + figure.id + " stays as it is: " + error);
    }
  }

  const figures = [...document.querySelectorAll("figure.figure")].filter((figure) => packed.has(figure.id));
  const watcher = new IntersectionObserver((seen) => {
    seen.filter((entry) => entry.isIntersecting).forEach((entry) => {
      watcher.unobserve(entry.target);
      enliven(entry.target);
    });
  }, { rootMargin: "200px" });
  figures.forEach((figure) => {
    const title = figure.closest("details").querySelector("h4").textContent;
    const bar = document.createElement("div");
    bar.className = "buttons";
    bar.append(
      button("SVG", title, () => save(figure.id + ".svg", drawingAsFile(figure), "image/svg+xml")),
      button("PNG", title, () => savePng(figure, figure.id + ".png")),
      button("Data (CSV)", title, async () => save(figure.id + ".csv", csvOf(numbersOf(await specOf(figure.id))), "text/csv")),
    );
    figure.append(bar);
    watcher.observe(figure);
  });

  // Tables: sorting and copying.
  function rank(text) {
    const found = /^<?\s*[-+]?(\d+\.?\d*|\.\d+)/.exec(text.replaceAll(",", ""));
    return found ? parseFloat(found[0].replace("<", "")) : null;
  }

  function sort(table, column, header) {
    const down = header.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("thead th").forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].map((row, place) => ({ row, place, text: row.cells[column].textContent }));
    const numeric = header.classList.contains("number");
    rows.sort((a, b) => {
      const [x, y] = numeric ? [rank(a.text), rank(b.text)] : [a.text, b.text];
      if (x === null || y === null) return (x === null) - (y === null) || a.place - b.place;
      const order = numeric ? x - y : x.localeCompare(y);
      return (down ? -order : order) || a.place - b.place;
    });
    table.tBodies[0].append(...rows.map((entry) => entry.row));
  }

  function cellsOf(table) {
    return [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
  }

  const special = { "\\": "\\textbackslash{}", "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}", "|": "\\textbar{}" };

  function latexOf(table) {
    const rows = cellsOf(table).map((row) => "  " + row.map((text) => text.replace(/[\\&%$#_{}~^<>|]/g, (c) => special[c])).join(" & ") + " \\\\");
    const align = [...table.tHead.rows[0].cells].map((cell) => (cell.classList.contains("number") ? "r" : "l")).join("");
    return ["% needs \\usepackage{booktabs}", "\\begin{tabular}{" + align + "}", "  \\toprule", rows[0], "  \\midrule", ...rows.slice(1), "  \\bottomrule", "\\end{tabular}", ""].join("\n");
  }

  async function copy(text, pressed) {
    const label = pressed.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch (error) {
      // Some browsers give a local page no clipboard; the old way still works there.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    pressed.textContent = "Copied";
    setTimeout(() => { pressed.textContent = label; }, 1500);
  }

  // Wide tables: what stands behind estimate, interval and p is shown on demand.
  function columnsOf(table, title) {
    if (!table.querySelector("thead .more")) {
      return [];
    }
    const label = "All " + table.tHead.rows[0].cells.length + " columns";
    const made = button(label, title, () => {
      made.setAttribute("aria-pressed", String(!table.classList.toggle("brief")));
    });
    table.classList.add("brief");
    made.setAttribute("aria-pressed", "false");
    return [made];
  }

  document.querySelectorAll("table.data").forEach((table) => {
    const title = table.caption.textContent;
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const made = button(header.textContent, "sort", () => sort(table, column, header));
      made.removeAttribute("aria-label");
      made.title = (header.title ? header.title + " " : "") + "Sort by this column";
      // Paper repeats text at the head of every page, and no buttons.
      header.dataset.label = header.textContent;
      header.replaceChildren(made);
    });
    const bar = document.createElement("div");
    bar.className = "buttons";
    bar.append(
      button("Copy as CSV", title, (pressed) => copy(csvOf(cellsOf(table)), pressed)),
      button("Copy as LaTeX", title, (pressed) => copy(latexOf(table), pressed)),
      ...columnsOf(table, title),
    );
    table.closest(".scroll").after(bar);
  });

  // What an address points to may lie in a folded part.
  function reveal() {
    let part = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    while (part && (part = part.parentElement.closest("details"))) {
      part.open = true;
    }
  }
  window.addEventListener("hashchange", reveal);
  reveal();

  // Paper cannot be unfolded.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => closed.forEach((part) => { part.open = false; }));

  window.reportPage = { unpacked, specs, specOf, enliven };
  document.documentElement.dataset.ready = "yes";
})();
