"""What tests measure in the page of a player: scripts that Playwright evaluates on its root or on a canvas."""

# Every text, control and canvas with its box.  What meets without one holding the other, what reaches out of
# the player or out of a box that hides what does not fit, and what could be scrolled sideways.
FAULTS = """root => {
  const visible = node => getComputedStyle(node).visibility === 'visible' && node.getClientRects().length > 0;
  const all = [];
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const owner = node.parentElement;
    if (!node.data.trim() || !visible(owner) || owner.closest('option')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) all.push({name: node.data, box, owner});
  }
  for (const node of root.querySelectorAll('button:not(.nvp-phase), select, input, canvas, .nvp-scrub')) {
    if (visible(node)) all.push({name: node.className, box: node.getBoundingClientRect(), owner: node});
  }
  const slack = 0.6;
  const meet = (a, b) => a.left < b.right - slack && b.left < a.right - slack
    && a.top < b.bottom - slack && b.top < a.bottom - slack;
  const faults = [];
  all.forEach((one, n) => all.slice(n + 1).forEach(other => {
    const nested = one.owner.contains(other.owner) || other.owner.contains(one.owner);
    if (!nested && meet(one.box, other.box)) faults.push(`overlap: ${one.name} / ${other.name}`);
  }));
  const hides = node => node === root || getComputedStyle(node).overflow !== 'visible';
  const holders = [root, ...root.querySelectorAll('*')].filter(hides);
  for (const holder of holders) {
    const hull = holder.getBoundingClientRect();
    for (const {name, box, owner} of all) {
      if (owner === holder || !holder.contains(owner)) continue;
      const inside = box.left >= hull.left - slack && box.right <= hull.right + slack
        && box.top >= hull.top - slack && box.bottom <= hull.bottom + slack;
      if (!inside) faults.push(`cut: ${name}`);
    }
  }
  for (const node of document.querySelectorAll('html, .jp-WindowedPanel-outer, .jp-OutputArea-output')) {
    if (node.scrollWidth > node.clientWidth + 1) faults.push(`sideways: ${node.className}`);
  }
  return faults;
}"""

# Where regions and controls stand; what moves by design (labels over the lanes, the thumb) is not among them.
PLACES = """root => {
  const fixed = root.querySelectorAll('button, select, input, canvas, .nvp > *, .nvp-lane, .nvp-level, .nvp-count');
  return [...fixed].map(node => node.getBoundingClientRect()).map(box => [box.x, box.y, box.width, box.height].join());
}"""

# How light a colour is, and how far two such values stand apart, as WCAG 2 has it.
LIGHT = """
  const light = colour => colour.map(part => part / 255)
    .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, n) => sum + part * [0.2126, 0.7152, 0.0722][n], 0);
  const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
"""

# The texts that stand out least from their ground.  The style sheet draws a chevron's ground before the button.
CONTRASTS = f"""root => {{{LIGHT}
  const canvas = Object.assign(document.createElement('canvas'), {{width: 1, height: 1}});
  const swatch = canvas.getContext('2d', {{willReadFrequently: true}});
  const flat = (colour, under) => {{
    for (const paint of [`rgb(${{under}})`, colour]) {{
      swatch.fillStyle = paint;
      swatch.fillRect(0, 0, 1, 1);
    }}
    return [...swatch.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  }};
  const groundOf = node => {{
    if (!node) return [255, 255, 255];
    const style = getComputedStyle(node, node.classList.contains('nvp-phase') ? '::before' : null);
    return flat(style.backgroundColor, groundOf(node.parentElement));
  }};
  const speaks = node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim())
    && node.getClientRects().length && getComputedStyle(node).visibility === 'visible' && node.tagName !== 'OPTION';
  return [...root.querySelectorAll('*')].filter(speaks).map(node => {{
    const ground = groundOf(node);
    return [ratio(light(flat(getComputedStyle(node).color, ground)), light(ground)), node.textContent];
  }}).sort((one, other) => one[0] - other[0]).slice(0, 3);
}}"""

# The bounding box of all pixels of (nearly) one colour in a canvas, in CSS pixels.
SPOT = """(canvas, colour) => {
  const {width, height} = canvas;
  const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  let [x0, y0, x1, y1] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
    const n = 4 * (y * width + x);
    if (colour.every((part, i) => Math.abs(data[n + i] - part) < 12) && data[n + 3] === 255) {
      [x0, y0, x1, y1] = [Math.min(x0, x), Math.min(y0, y), Math.max(x1, x), Math.max(y1, y)];
    }
  }
  return x1 < 0 ? null : [(x1 - x0 + 1) / devicePixelRatio, (y1 - y0 + 1) / devicePixelRatio];
}"""
VERMILLION = [0xD5, 0x5E, 0x00]
