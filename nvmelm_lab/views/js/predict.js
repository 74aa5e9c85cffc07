// A question: a button for each answer; what is said to the first one appears below, and stays.

const made = (tag, name, text = "") =>
  Object.assign(document.createElement(tag), { className: name, textContent: text });

function render({ model, el }) {
  const asked = model.get("_asked");
  const root = made("div", "nvq");
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", asked.text);
  // JupyterLab would take Enter and Space for its own.
  root.dataset.lmSuppressShortcuts = "true";
  root.append(made("p", "nvq-text", asked.text));
  const button = (words, name) => {
    const one = made("button", name);
    one.type = "button";
    one.addEventListener("click", () => {
      if (!isSettled()) model.send({ said: words });
    });
    return one;
  };
  const options = asked.options.map((words, n) => {
    const one = button(words, "nvq-option");
    one.append(
      made("span", "nvq-letter", String.fromCharCode(65 + n)),
      made("span", "nvq-words", words),
      made("span", "nvq-mark"),
    );
    return one;
  });
  const rest = asked.rest.map((words) => {
    const one = button(words, "nvq-rest");
    one.textContent = words;
    return one;
  });
  const row = made("div", "nvq-row");
  row.append(...rest);
  const why = made("div", "nvq-why");
  why.setAttribute("role", "status");
  root.append(...options, row, why);

  const isSettled = () => "said" in model.get("_settled");
  const draw = () => {
    const { said, right, words } = model.get("_settled");
    root.classList.toggle("nvq-settled", isSettled());
    for (const one of [...options, ...rest]) one.setAttribute("aria-disabled", String(isSettled()));
    if (!isSettled()) return;
    options.forEach((one, n) => {
      const mine = asked.options[n] === said;
      one.classList.toggle("nvq-right", n === right);
      one.classList.toggle("nvq-mine", mine);
      const marks = [n === right ? "✓ right" : "", mine ? "your answer" : ""];
      one.querySelector(".nvq-mark").textContent = marks.filter(Boolean).join(", ");
    });
    rest.forEach((one, n) => {
      one.classList.toggle("nvq-mine", asked.rest[n] === said);
      one.textContent = asked.rest[n] === said ? `${said}: your answer` : asked.rest[n];
    });
    why.replaceChildren(...words.filter(Boolean).map((part) => made("p", "", part)));
  };
  model.on("change:_settled", draw);
  draw();
  el.append(root);
  return () => model.off("change:_settled", draw);
}

export default { render };
