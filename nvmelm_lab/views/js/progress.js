// The learner's progress: a table, and buttons that bring files to the browser and back.

const made = (tag, name = "", text = "") =>
  Object.assign(document.createElement(tag), { className: name, textContent: text });

function download(name, content) {
  const url = URL.createObjectURL(new Blob([content]));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function row(tag, words) {
  const line = made("tr");
  line.append(...words.map((text) => made(tag, "", text)));
  return line;
}

function render({ model, el }) {
  const root = made("div", "nvq nvg");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Your progress");
  root.dataset.lmSuppressShortcuts = "true";
  const button = (words, act, title = "") => {
    const one = made("button", "nvq-rest", words);
    Object.assign(one, { type: "button", title });
    one.addEventListener("click", act);
    return one;
  };

  const where = made("p");
  const table = made("table");
  const notes = made("div", "nvg-note");
  notes.setAttribute("role", "status");

  const file = Object.assign(made("input"), { type: "file", accept: ".json", hidden: true });
  file.addEventListener("change", async () => {
    if (file.files.length) model.send({ kind: "import", text: await file.files[0].text() });
    file.value = "";
  });
  const take = made("div", "nvq-row");
  take.append(
    button("Export", () => model.send({ kind: "export" }), "The file itself, for another machine or a course"),
    button("Import", () => file.click(), "Add the answers of an exported file; of two, the earlier stays"),
    button("Download my work", () => model.send({ kind: "work" }), "Notebooks as last saved, and progress, in a ZIP"),
    file,
  );

  const which = made("select");
  which.setAttribute("aria-label", "Notebook to start anew");
  const anew = made("div", "nvq-row");
  const ask = (isSure) => {
    const sure = `Forget the answers of ${which.value}?`;
    const forget = () => {
      model.send({ kind: "forget", text: which.value });
      ask(false);
    };
    anew.replaceChildren(...(isSure
      ? [made("span", "", sure), button("Forget them", forget), button("Keep them", () => ask(false))]
      : [made("span", "", "Start anew with"), which, button("Start anew", () => ask(true))]));
    if (isSure) anew.querySelector("button:last-child").focus();
  };

  const draw = () => {
    const { path, heads, rows, notes: said } = model.get("_shown");
    where.replaceChildren("Your progress is kept in ", made("code", "", path));
    const [head, body] = [made("thead"), made("tbody")];
    head.append(row("th", heads));
    body.append(...rows.map((words) => row("td", words)));
    table.replaceChildren(head, body);
    notes.replaceChildren(...said.map((words) => made("p", "", words)));
    if (!which.options.length) which.append(...rows.map(([name]) => new Option(name)));
  };
  const receive = ({ name }, [content]) => download(name, content);
  model.on("change:_shown", draw);
  model.on("msg:custom", receive);
  draw();
  ask(false);
  root.append(where, table, take, anew, notes);
  el.append(root);
  return () => {
    model.off("change:_shown", draw);
    model.off("msg:custom", receive);
  };
}

export default { render };
