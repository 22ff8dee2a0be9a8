// Trials: all that are kept can be filtered and sorted. Only those of the page shown are drawn.
(function () {
  const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
  const AT_ONCE = 24;
  const WAIT_MS = 200;
  const value = Object.fromEntries([...LETTERS].map((letter, place) => [letter, place]));

  // As `letters` in reports/packing.py writes them.
  function numbersOf({ width, text }) {
    const found = new Uint32Array(text.length / width);
    for (let place = 0; place < text.length; place += 1) {
      const at = Math.floor(place / width);
      found[at] = found[at] * LETTERS.length + value[text[place]];
    }
    return found;
  }

  let media = null;
  function mediaOf() {
    if (!media) {
      media = new Map(Object.entries(JSON.parse(document.getElementById("media").textContent)));
      document.querySelectorAll("[data-file]").forEach((element) => media.set(element.dataset.file, element.getAttribute("src")));
    }
    return media;
  }

  function element(name, text, className) {
    const made = document.createElement(name);
    made.textContent = text || "";
    if (className) {
      made.className = className;
    }
    return made;
  }

  // The table of one paradigm, with what is asked of it.
  function read(table) {
    const columns = Object.fromEntries(Object.entries(table.columns).map(([name, told]) => [name, numbersOf(told)]));
    const text = (name, trial) => table.values[name][columns[name][trial]];
    const n = columns.trial.length;
    const width = columns.answer.length / n;
    const notAsked = 2 * table.zero + 1;

    function answersOf(population, trial) {
      return population.seeds
        .map((seed, place) => ({ seed, at: trial * width + population.first + place }))
        .filter(({ at }) => columns.answer[at] !== notAsked)
        .map(({ seed, at }) => ({ seed, step: columns.answer[at] - table.zero, rival: columns.rival ? table.values.rival[columns.rival[at]] : "" }));
    }

    function told(trial, populations) {
      let [asked, right, scored, steps] = [0, 0, 0, 0];
      for (const population of populations) {
        for (let place = 0; place < population.seeds.length; place += 1) {
          const letter = columns.answer[trial * width + population.first + place];
          if (letter !== notAsked) {
            asked += 1;
            right += letter > table.zero;
            scored += population.scored;
            steps += population.scored ? letter - table.zero : 0;
          }
        }
      }
      return { trial, asked, share: asked ? right / asked : NaN, margin: scored ? (table.step * steps) / scored : NaN };
    }

    function wordOf(trial) {
      const [spelled, concept, voice] = table.words[columns.word_id[trial]];
      return { spelled, concept, voice };
    }

    // What there is to see of it: its pictures, or else its clip.
    function shownOf(trial) {
      const [clip, ...pictures] = filesOf(trial);
      return pictures.length ? pictures : [clip];
    }

    function filesOf(trial) {
      const clip = text("word_id", trial);
      return columns.position[trial] === 2 ? [clip] : [clip, text("target_id", trial), text("distractor_id", trial)];
    }

    return { table, columns, text, n, answersOf, told, wordOf, filesOf, shownOf };
  }

  function inSd(data, steps) {
    const rounded = (data.table.step * steps).toFixed(1);
    return steps < 0 ? rounded : "+" + rounded;
  }

  function chosenOf(data, population, trial) {
    const answers = data.answersOf(population, trial);
    const two = data.columns.position[trial] !== 2;
    const target = data.text("target_concept", trial);
    const counts = new Map([["+" + target, 0]]);
    if (two) {
      counts.set("-" + data.text("distractor_concept", trial), 0);
    }
    answers.forEach(({ step, rival }) => {
      const other = step < 0 ? "-" + (two ? data.text("distractor_concept", trial) : rival) : "=neither (tie)";
      const what = step > 0 ? "+" + target : other;
      counts.set(what, (counts.get(what) || 0) + 1);
    });
    const made = element("div", "", "answer");
    const who = element("p", "", "who");
    who.append(element("b", population.name));
    if (population.scored) {
      const mean = answers.reduce((sum, { step }) => sum + step, 0) / answers.length;
      who.append(" ", element("span", "margin " + inSd(data, mean) + " SD", "margin"));
    }
    const list = element("ul", "", "chosen");
    counts.forEach((n, what) => {
      const row = element("li", "", what[0] === "+" ? "target" : "");
      row.style.setProperty("--share", ((100 * n) / answers.length).toFixed(1) + "%");
      row.append(element("span", what.slice(1) + (what[0] === "+" ? " (target)" : "")), " ", element("span", n + " of " + answers.length));
      list.append(row);
    });
    made.append(who, list);
    return made;
  }

  function seedsOf(data, population, trial) {
    const made = element("p", "", "seeds");
    made.append(element("b", population.name));
    data.answersOf(population, trial).forEach(({ seed, step, rival }) => {
      const parts = [seed, step > 0 ? "✓" : "✗", population.scored ? inSd(data, step) : "", step < 0 && data.columns.position[trial] === 2 ? rival : ""];
      made.append(" ", element("span", parts.filter(Boolean).join(" "), step > 0 ? "right" : "wrong"));
    });
    return made;
  }

  function optionsOf(data, trial, list) {
    const position = data.columns.position[trial];
    if (position === 2) {
      list.remove();
      return;
    }
    const options = [["target", true], ["distractor", false]].map(([which, isTarget]) => {
      const row = element("li", "", isTarget ? "target" : "");
      const concept = data.text(which + "_concept", trial);
      const source = mediaOf().get(data.text(which + "_id", trial));
      const shown = source ? document.createElement("img") : element("span", concept, "unseen");
      if (source) {
        Object.assign(shown, { src: source, alt: "Drawing: " + concept, width: 96, height: 96 });
      } else {
        shown.setAttribute("aria-hidden", "true");
      }
      row.append(shown, element("span", concept + (isTarget ? " (target)" : "")));
      return row;
    });
    list.append(...(position === 1 ? options.reverse() : options));
  }

  function cardOf(data, trial, name) {
    const card = document.getElementById("trial-card").content.firstElementChild.cloneNode(true);
    const { spelled, concept, voice } = data.wordOf(trial);
    const language = data.text("test_language", trial);
    const heading = card.querySelector("h4");
    heading.id = name;
    card.setAttribute("aria-labelledby", name);
    const kind = data.table.kinds[trial];
    heading.querySelector(".kind").textContent = (kind ? kind + ", " : "") + data.text("condition", trial) + ", trial " + data.columns.trial[trial];
    const word = heading.querySelector("q");
    word.lang = language;
    word.textContent = spelled;
    heading.querySelector(".meaning").textContent = (spelled === concept ? "" : " (" + concept + ")") + ", " + language;
    const sound = card.querySelector("audio");
    const source = mediaOf().get(data.text("word_id", trial));
    if (source) {
      sound.src = source;
      sound.setAttribute("aria-label", "The word " + spelled + (voice ? ", said by voice " + voice : ""));
    } else {
      sound.remove();
    }
    optionsOf(data, trial, card.querySelector(".options"));
    const populations = data.table.populations.filter((population) => data.answersOf(population, trial).length);
    card.querySelector(".answers-here").replaceWith(...populations.map((population) => chosenOf(data, population, trial)));
    const details = card.querySelector("details");
    details.append(...populations.map((population) => seedsOf(data, population, trial)));
    details.append(element("p", data.filesOf(trial).join(", "), "files"));
    return card;
  }

  const ORDERS = {
    fewest: (a, b) => a.share - b.share,
    most: (a, b) => b.share - a.share,
    divided: (a, b) => Math.abs(a.share - 0.5) - Math.abs(b.share - 0.5),
    lowest: (a, b) => a.margin - b.margin,
    highest: (a, b) => b.margin - a.margin,
    word: (a, b) => a.spelled.localeCompare(b.spelled),
  };

  function wantedWord(data, typed) {
    const wanted = typed.trim().toLowerCase();
    const texts = data.table.words.map(([spelled, concept]) => [spelled.toLowerCase(), concept.toLowerCase()]);
    const exact = texts.map((both) => both.includes(wanted));
    // A whole word means that word; parts of words are looked for where there is no such word.
    return exact.some(Boolean) ? exact : texts.map((both) => both.some((own) => own.includes(wanted)));
  }

  function within(number, least, most, factor) {
    return (least === "" || number * factor >= Number(least) - 1e-9) && (most === "" || number * factor <= Number(most) + 1e-9);
  }

  function matching(data, wanted) {
    const all = data.table.populations;
    const named = all.filter((population) => population.name === wanted.population);
    const trained = all.filter((population) => population.trained);
    const populations = named.length ? named : trained.length ? trained : all;
    const words = wantedWord(data, wanted.word);
    const found = [];
    for (let trial = 0; trial < data.n; trial += 1) {
      const fits =
        words[data.columns.word_id[trial]] &&
        (!wanted.condition || data.text("condition", trial) === wanted.condition) &&
        (!wanted.language || data.text("test_language", trial) === wanted.language) &&
        (!wanted.pictured || data.shownOf(trial).every((name) => mediaOf().has(name)));
      const told = fits && data.told(trial, populations);
      if (told && told.asked && within(told.share, wanted.least, wanted.most, 100) && within(told.margin, wanted.low, wanted.high, 1)) {
        found.push({ ...told, spelled: data.wordOf(trial).spelled });
      }
    }
    const order = ORDERS[wanted.sort];
    // Where there are no scores, no trial stands before another by its margin.
    return order ? found.sort((a, b) => order(a, b) || a.trial - b.trial) : found;
  }

  function fill(form, data) {
    const choices = {
      condition: data.table.values.condition,
      language: [...data.table.values.test_language].sort(),
      population: data.table.populations.map((population) => population.name),
    };
    Object.entries(choices).forEach(([name, values]) => {
      form.elements[name].append(...values.map((text) => new Option(text, text)));
      form.elements[name].closest("label").hidden = values.length < 2;
    });
    if (!data.table.populations.some((population) => population.trained)) {
      form.elements.population.options[0].textContent = "all";
    }
    form.querySelector(".margins").hidden = !data.table.populations.some((population) => population.scored);
  }

  async function make(section) {
    const data = read(await window.reportPage.unpacked(section.querySelector("script.trials")));
    const place = section.querySelector(".live");
    place.append(document.getElementById("trial-filters").content.cloneNode(true));
    const form = place.querySelector("form");
    const [said, cards, pager] = [".matches", ".found", ".pager"].map((name) => place.querySelector(name));
    const [before, after] = [".before", ".after"].map((name) => pager.querySelector(name));
    const title = section.getAttribute("aria-label");
    form.setAttribute("aria-label", "Filter, " + title);
    fill(form, data);
    let [found, first, waiting] = [[], 0, 0];

    function show() {
      cards.replaceChildren(...found.slice(first, first + AT_ONCE).map(({ trial }, place) => cardOf(data, trial, section.id + "-found-" + place)));
      const last = Math.min(found.length, first + AT_ONCE);
      const which = found.length > AT_ONCE ? "; here are " + (first + 1) + " to " + last : "";
      said.textContent = found.length.toLocaleString("en") + " of " + data.n.toLocaleString("en") + " trials match" + which + ".";
      before.setAttribute("aria-disabled", String(first === 0));
      after.setAttribute("aria-disabled", String(last === found.length));
      pager.hidden = found.length <= AT_ONCE;
    }

    function apply() {
      const wanted = Object.fromEntries(new FormData(form));
      section.classList.toggle("filtered", Object.values(wanted).some(Boolean));
      [found, first] = [matching(data, wanted), 0];
      show();
    }

    function turn(pages) {
      const wanted = first + pages * AT_ONCE;
      if (wanted >= 0 && wanted < found.length) {
        first = wanted;
        show();
        cards.focus({ preventScroll: true });
        said.scrollIntoView({ block: "start" });
      }
    }

    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(apply, WAIT_MS);
    });
    before.addEventListener("click", () => turn(-1));
    after.addEventListener("click", () => turn(1));
    apply();
    section.classList.add("made");
    return { form, apply, said };
  }

  const made = new Map();
  function gallery(section) {
    if (!made.has(section)) {
      made.set(section, make(section).catch((error) => console.error("The trials stay as they are: " + error)));
    }
    return made.get(section);
  }

  document.querySelectorAll(".gallery").forEach((section) => {
    const details = section.querySelector(".look");
    details.addEventListener("toggle", () => details.open && gallery(section));
  });

  // A link that names a word, condition, language or population shows its trials.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-trials]");
    const section = link && document.getElementById(link.dataset.trials);
    const own = section && (await gallery(section));
    if (own) {
      own.form.reset();
      ["word", "condition", "language", "population"].forEach((name) => {
        own.form.elements[name].value = link.dataset[name] || "";
      });
      own.apply();
      section.querySelector(".look").open = true;
      own.form.elements.word.focus({ preventScroll: true });
      own.form.scrollIntoView({ block: "start" });
    }
  });
})();
