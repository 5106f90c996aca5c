// Kept sets of truncation rules at any temperature, from logits that lie in the page (kept_sets.py).
// `logits` are sorted, largest first; `tail` holds [mean logit, number of tokens] of the bins of what lies below.
const keptSets = (() => {
  const sum = (values) => values.reduce((a, b) => a + b, 0);

  // Probabilities at temperature T, of single tokens and of one token of each bin; entropy in nats.
  function softmax({ logits, tail }, T) {
    const top = logits[0];
    const weight = (logit) => Math.exp((logit - top) / T);
    const own = logits.map(weight), bins = tail.map(([logit]) => weight(logit));
    const total = sum(own) + sum(bins.map((w, b) => w * tail[b][1]));
    const p = own.map((w) => w / total), q = bins.map((w) => w / total);
    const surprise = (x) => (x > 0 ? -x * Math.log(x) : 0);
    const entropy = sum(p.map(surprise)) + sum(q.map((x, b) => tail[b][1] * surprise(x)));
    return { p, q, entropy };
  }

  // Smallest probability of the nucleus: summed up from below, a token stays once the sum passes 1 - P.
  function nucleusCut({ p, q }, tail, P) {
    let below = 0;
    for (let b = q.length - 1; b >= 0; b--) {
      below += q[b] * tail[b][1];
      if (below > 1 - P) return { first: p.length, bin: b, rest: Math.ceil((below - (1 - P)) / q[b]) };
    }
    for (let i = p.length - 1; i > 0; i--) {
      below += p[i];
      if (below > 1 - P) return { first: i + 1, bin: -1, rest: 0 };
    }
    return { first: 1, bin: -1, rest: 0 };
  }

  // What stays of single tokens (a number of leading ones) and how many of each bin.
  const above = (state, threshold) => ({
    first: state.logits.filter((logit) => logit >= threshold).length,
    bins: state.tail.map(([logit, count]) => (logit >= threshold ? count : 0)),
  });
  const likely = (state, soft, cut) => ({
    first: soft.p.filter((p, i) => p >= cut || state.logits[i] === state.logits[0]).length,
    bins: soft.q.map((q, b) => (q >= cut ? state.tail[b][1] : 0)),
  });
  const leading = (state, first, bin, rest) => ({
    first, bins: state.tail.map(([, count], b) => (b < bin ? count : b === bin ? Math.min(count, rest) : 0)),
  });
  const RULES = {
    "top-k": (state, soft, T, k) => {
      if (k <= state.logits.length) return above(state, state.logits[k - 1]);
      let rest = k - state.logits.length, bin = 0;
      while (bin < state.tail.length - 1 && rest > state.tail[bin][1]) rest -= state.tail[bin++][1];
      return leading(state, state.logits.length, bin, rest);
    },
    "top-p": (state, soft, T, P) => {
      const cut = nucleusCut(soft, state.tail, P);
      return leading(state, cut.first, cut.bin, cut.rest);
    },
    "min-p": (state, soft, T, p) => above(state, state.logits[0] + T * Math.log(p)),
    "top-nσ": (state, soft, T, n) => above(state, state.logits[0] - n * state.sigma),
    "ε": (state, soft, T, e) => likely(state, soft, e),
    "η": (state, soft, T, e) => likely(state, soft, Math.min(e, Math.sqrt(e) * Math.exp(-soft.entropy))),
  };

  // For every rule: `first`, the number of leading single tokens that stay, `count` of all, and `mass`.
  return (state, T, values) => {
    const soft = softmax(state, T);
    const rules = {};
    for (const [rule, value] of Object.entries(values)) {
      const { first, bins } = RULES[rule](state, soft, T, value);
      const mass = sum(soft.p.slice(0, first)) + sum(bins.map((count, b) => count * soft.q[b]));
      rules[rule] = { first, count: first + sum(bins), mass };
    }
    return { p: soft.p, entropy: soft.entropy, rules };
  };
})();

// The sliders of one view, put before what the page shows without a script.
function keptView(root) {
  if (root.dataset.ready) return;
  root.dataset.ready = "yes";
  const state = JSON.parse(root.dataset.state);
  const make = (kind, parent, text, look) => {
    const element = parent.appendChild(document.createElement(kind));
    if (text !== undefined) element.textContent = text;
    if (look) element.className = look;
    return element;
  };
  const box = document.createElement("fieldset");
  root.querySelector(".tv-static").before(box);
  make("legend", box, "Move the sliders");
  const grid = make("div", box, undefined, "tv-sliders");
  const result = make("div", box, undefined, "tv-wide");
  const told = (x) => (x >= 0.01 ? Number(x.toFixed(2)).toString() : x.toExponential(1));

  // A slider in even steps, of the logarithm where `log` says so; returns what it stands at.
  function slider({ label, low, high, value, log, whole }) {
    const row = make("label", grid);
    make("span", row, label);
    const input = make("input", row), shown = make("output", row);
    Object.assign(input, { type: "range", min: 0, max: 200, step: 1 });
    const place = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    input.value = Math.round(200 * place);
    let given = value;
    const read = () => {
      const part = input.value / 200;
      const found = log ? low * (high / low) ** part : low + part * (high - low);
      given = whole ? Math.round(found) : found;
    };
    const show = () => { shown.textContent = told(given); input.setAttribute("aria-valuetext", told(given)); };
    show();
    input.addEventListener("input", () => { read(); show(); draw(); });
    return () => given;
  }

  function draw() {
    const values = Object.fromEntries(Object.entries(rules).map(([rule, read]) => [rule, read()]));
    const found = keptSets(state, temperature(), values);
    const table = document.createElement("table");
    const head = make("tr", make("thead", table));
    for (const name of ["token", "p at T"]) make("th", head, name);
    for (const rule of Object.keys(rules)) make("th", head, rule, "tv-n");
    const body = make("tbody", table);
    for (const [name, part] of [["kept", "count"], ["mass", "mass"]]) {
      const row = make("tr", body);
      make("th", row, name);
      make("td", row, part === "count" ? `of ${state.size}` : "");
      for (const one of Object.values(found.rules)) {
        make("td", row, part === "count" ? `${state.exact ? "" : "≈ "}${one.count}` : `${(100 * one.mass).toFixed(1)} %`, "tv-n");
      }
    }
    state.tokens.forEach((token, i) => {
      const row = make("tr", body);
      make("code", make("td", row), token);
      make("td", row, `${(100 * found.p[i]).toFixed(2)} % ${"█".repeat(Math.round(10 * found.p[i]))}`);
      for (const one of Object.values(found.rules)) {
        make("td", row, i < one.first ? "✔" : "·", i < one.first ? "tv-in" : "tv-out");
      }
    });
    result.replaceChildren(table);
  }

  let rules = {};
  const temperature = slider({ label: "T", low: 0.1, high: 5, value: state.temperature });
  for (const one of state.sliders) rules[one.label] = slider(one);
  draw();
}
