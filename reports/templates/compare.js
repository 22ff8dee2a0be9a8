// Compare: which two are shown can be chosen. Every number comes with the page.
(function () {
  const [CONDITION, WORD, FIRST, SECOND, DIFFERENCE, LOW, HIGH, N_FIRST, N_SECOND] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

  function chooser(label) {
    const made = document.createElement("label");
    const select = document.createElement("select");
    made.append(label + " ", select);
    return { made, select };
  }

  function setOptions(select, choices, chosen) {
    select.replaceChildren(...choices.map(([value, text]) => new Option(text, value)));
    select.value = choices.some(([value]) => String(value) === String(chosen)) ? chosen : choices[0][0];
  }

  // A pair the other way round: the same numbers, with the sign of their difference turned.
  function turned(row) {
    const minus = (number) => (number === null ? null : -number);
    const made = [...row];
    [made[FIRST], made[SECOND]] = [row[SECOND], row[FIRST]];
    [made[N_FIRST], made[N_SECOND]] = [row[N_SECOND], row[N_FIRST]];
    [made[DIFFERENCE], made[LOW], made[HIGH]] = [minus(row[DIFFERENCE]), minus(row[HIGH]), minus(row[LOW])];
    return made;
  }

  function fixed(number) {
    return number === null ? "-" : number.toFixed(1).replace(/^-(0\.0)$/, "$1");
  }

  function intervalOf(low, high) {
    if (low === null) {
      return "-";
    }
    // As in reports/numbers.py: an end that rounds to 0 without touching it keeps further decimals.
    const digits = [low, high].some((end) => end !== 0 && Number(end.toFixed(1)) === 0) ? 2 : 1;
    return "[" + low.toFixed(digits) + ", " + high.toFixed(digits) + "]";
  }

  async function make(section) {
    const page = window.reportPage;
    const all = await page.unpacked(section.querySelector("script.pairs"));
    const table = section.querySelector("table");
    const figure = document.getElementById(section.dataset.figure);
    const gallery = document.getElementById(section.dataset.gallery);
    const nameOf = (side) => all.sides[side].population + " in " + all.sides[side].language;
    const [a, b, condition] = ["A", "B", "Condition"].map(chooser);

    function partners(side) {
      return all.pairs.filter((pair) => pair[0] === side || pair[1] === side).map((pair) => (pair[0] === side ? pair[1] : pair[0]));
    }

    function rowsOf(first, second) {
      const straight = all.pairs.find((pair) => pair[0] === first && pair[1] === second);
      return straight ? straight[2] : all.pairs.find((pair) => pair[0] === second && pair[1] === first)[2].map(turned);
    }

    function offer() {
      const chosen = b.select.value;
      setOptions(b.select, partners(Number(a.select.value)).map((side) => [side, nameOf(side)]), chosen);
    }

    function wordCell(word, name) {
      const cell = document.createElement("th");
      cell.scope = "row";
      cell.textContent = gallery ? "" : word;
      if (gallery) {
        const link = document.createElement("a");
        link.href = "#" + gallery.id;
        link.textContent = word;
        Object.assign(link.dataset, { trials: gallery.id, word, condition: name, language: all.sides[a.select.value].language });
        cell.append(link);
      }
      return cell;
    }

    async function show() {
      const [first, second] = [Number(a.select.value), Number(b.select.value)];
      const pair = rowsOf(first, second);
      const asked = new Set(pair.map((row) => row[CONDITION]));
      setOptions(condition.select, all.conditions.map((name, place) => [place, name]).filter(([place]) => asked.has(place)), condition.select.value);
      const place = Number(condition.select.value);
      const rows = pair.filter((row) => row[CONDITION] === place).sort((x, y) => y[DIFFERENCE] - x[DIFFERENCE] || x[WORD] - y[WORD]);
      const told = "A: " + nameOf(first) + "; B: " + nameOf(second) + "; condition " + all.conditions[place];
      section.querySelector(".pair").textContent = told + ".";
      table.caption.textContent = told;
      table.querySelectorAll("thead th").forEach((head) => head.removeAttribute("aria-sort"));
      table.tBodies[0].replaceChildren(...rows.map((row) => {
        const line = document.createElement("tr");
        line.append(wordCell(all.words[row[WORD]], all.conditions[place]));
        [fixed(row[FIRST]), fixed(row[SECOND]), fixed(row[DIFFERENCE]), intervalOf(row[LOW], row[HIGH]), row[N_FIRST] + ", " + row[N_SECOND]].forEach((text) => {
          const cell = line.insertCell();
          cell.className = "number";
          cell.textContent = text;
        });
        return line;
      }));
      const values = rows.map((row) => ({ word: all.words[row[WORD]], a_percent: row[FIRST], b_percent: row[SECOND], difference_points: row[DIFFERENCE], ci_low_points: row[LOW], ci_high_points: row[HIGH] }));
      page.specs.set(figure.id, { ...(await page.specOf(figure.id)), data: { values } });
      const seen = values.map((row) => row.word + " " + fixed(row.difference_points));
      figure.querySelector(".drawing").setAttribute("aria-label", "Dumbbell plot, difference in percentage points. " + told + ": " + seen.join("; ") + ".");
      await page.enliven(figure);
    }

    setOptions(a.select, all.sides.map((side, place) => [place, nameOf(place)]), all.pairs[0][0]);
    offer();
    b.select.value = all.pairs[0][1];
    setOptions(condition.select, all.conditions.map((name, place) => [place, name]), 0);
    a.select.addEventListener("change", () => { offer(); show(); });
    [b, condition].forEach(({ select }) => select.addEventListener("change", show));
    const form = document.createElement("form");
    form.className = "sides";
    form.setAttribute("aria-label", "Who is compared, " + section.getAttribute("aria-label"));
    form.append(a.made, b.made, condition.made);
    section.querySelector("h3").after(form);
  }

  document.querySelectorAll(".compare").forEach((section) => {
    make(section).catch((error) => console.error("The comparison stays as it is: " + error));
  });
})();
