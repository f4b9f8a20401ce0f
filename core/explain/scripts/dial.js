"use strict";
(() => {
  const it = JSON.parse(document.getElementById("dial-data").textContent);
  const find = (id) => document.getElementById(id);
  const temperature = find("dial-temperature"), threshold = find("dial-threshold");
  const curve = find("dial-curve"), FARTHEST = 8;
  const across = (lead) => 50 + ((Math.max(-FARTHEST, Math.min(FARTHEST, lead)) + FARTHEST) / (2 * FARTHEST)) * 490;
  const upwards = (share) => 270 - share * 245;
  const sigmoid = (lead) => 1 / (1 + Math.exp(-lead));
  const percent = (share) => share > 0 && share < 0.0005 ? "< 0.1 %" : share < 1 && share >= 0.9995 ? "> 99.9 %" : `${(100 * share).toFixed(1)} %`;

  function add(name, attributes, text) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    if (text) made.textContent = text;
    curve.append(made);
    return made;
  }

  for (let lead = -8; lead <= 8; lead += 4) {
    add("line", { class: "axis", x1: across(lead), x2: across(lead), y1: 270, y2: 276 });
    add("text", { class: "axis-text", x: across(lead), y: 300, "text-anchor": "middle" }, String(lead).replace("-", "−"));
  }
  for (const share of [0, 0.5, 1])
    add("text", { class: "axis-text", x: 44, y: upwards(share) + 6, "text-anchor": "end" }, `${100 * share}`);
  add("line", { class: "axis", x1: 50, x2: 540, y1: 270, y2: 270 });
  let path = "";
  for (let lead = -8; lead <= 8.01; lead += 0.25) path += `${across(lead).toFixed(1)},${upwards(sigmoid(lead)).toFixed(1)} `;
  add("polyline", { class: "curve", points: path });
  const limit = add("line", { class: "limit", x1: 50, x2: 540 }), dot = add("circle", { class: "dot", r: 10 });

  function shares(divisor) {
    const scaled = it.logits.map((one) => one / divisor), most = Math.max(...scaled);
    const powers = scaled.map((one) => Math.exp(one - most)), sum = powers.reduce((a, b) => a + b);
    return powers.map((one) => one / sum);
  }

  // As catdog judges: the likeliest class, or what it is a kind of, if it reaches its threshold.
  function verdict(found, limits) {
    const likeliest = found.indexOf(Math.max(...found));
    if (found[likeliest] >= limits[likeliest]) return likeliest;
    for (let parent = 0; parent < found.length; parent++) {
      const family = [parent, ...found.keys()].filter((one, at) => at === 0 || it.parents[one] === parent);
      if (family.length > 1 && family.includes(likeliest) &&
          family.reduce((sum, one) => sum + found[one], 0) >= limits[parent]) return parent;
    }
    return -1;
  }

  function show() {
    const divisor = 10 ** Number(temperature.value), own = Number(threshold.value);
    const found = shares(divisor), limits = it.thresholds.map((one, at) => (at === it.answer ? own : one));
    find("dial-temperature-says").textContent = divisor.toFixed(2);
    find("dial-threshold-says").textContent = percent(own);
    find("dial-bars").replaceChildren(...found.map((share, at) => {
      const item = document.createElement("li"), label = document.createElement("span");
      label.textContent = it.names[at];
      const number = document.createElement("data"), bar = document.createElement("span");
      number.className = "number";
      number.value = share;
      number.textContent = percent(share);
      bar.className = `bar wide-bar${at === it.answer ? "" : " other"}`;
      const inner = document.createElement("span"), mark = document.createElement("i");
      inner.style.width = `${100 * share}%`;
      mark.style.left = `${100 * limits[at]}%`;
      bar.append(inner, mark);
      item.append(label, number, bar);
      return item;
    }));
    const share = found[it.answer], lead = Math.log(share) - Math.log1p(-share);
    dot.setAttribute("cx", across(lead));
    dot.setAttribute("cy", upwards(share));
    limit.setAttribute("y1", upwards(own));
    limit.setAttribute("y2", upwards(own));
    const sure = verdict(found, limits);
    find("dial-says").textContent = sure < 0 ? `not sure: ${percent(share)} is below ${percent(own)}` : `sure: ${it.names[sure]}`;
  }

  function reset() {
    temperature.value = Math.log10(it.temperature);
    threshold.value = it.thresholds[it.answer];
    show();
  }

  temperature.addEventListener("input", show);
  threshold.addEventListener("input", show);
  find("dial-reset").addEventListener("click", reset);
  reset();
})();
