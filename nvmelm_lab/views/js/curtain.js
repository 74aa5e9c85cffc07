// The curtain before an outcome: says what to think about first, and has a button that reveals.

const made = (tag, name, text = "") =>
  Object.assign(document.createElement(tag), { className: name, textContent: text });

function render({ model, el }) {
  const root = made("div", "nvq nvc-curtain");
  root.dataset.lmSuppressShortcuts = "true";
  root.tabIndex = -1;
  const said = made("p", "nvc-said");
  said.setAttribute("role", "status");
  const button = made("button", "nvq-rest", "Show me");
  button.type = "button";
  button.title = "Show it without an answer";
  button.addEventListener("click", () => model.send({ kind: "reveal" }));
  const draw = () => {
    const isOpen = model.get("_is_open");
    // Whoever pressed the button would lose their place with it.
    if (isOpen && root.contains(document.activeElement)) root.focus({ preventScroll: true });
    root.classList.toggle("nvc-open", isOpen);
    button.hidden = isOpen;
    const asked = `Think first: ${model.get("_question")} Your answer above opens this.`;
    said.textContent = isOpen ? "Shown below." : asked;
  };
  const note = made("div", "nvc-note");
  note.append(said, button);
  root.append(note);
  model.on("change:_is_open", draw);
  draw();
  el.append(root);
  return () => model.off("change:_is_open", draw);
}

export default { render };
