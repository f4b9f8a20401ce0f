"use strict";
(() => {
  const it = JSON.parse(document.getElementById("what-if-data").textContent);
  const find = (id) => document.getElementById(id);
  const box = find("covered-box"), square = find("covered-square");
  const rowInput = find("covered-row"), columnInput = find("covered-column"), showMap = find("covered-show-map");
  const sizes = [...document.querySelectorAll("input[name=square]")];
  let row = 0, column = 0;
  const chosen = () => Number(sizes.find((one) => one.checked).value);
  const percent = (share) => share > 0 && share < 0.0005 ? "< 0.1 %" : share < 1 && share >= 0.9995 ? "> 99.9 %" : `${(100 * share).toFixed(1)} %`;

  // Each value of the map belongs to the middle of the square.
  for (const map of document.querySelectorAll(".covered-map")) {
    const one = it.squares[Number(map.dataset.square)];
    const cell = (1 - one.share) / (one.starts.length - 1);
    map.style.left = map.style.top = `${100 * (one.share / 2 - cell / 2)}%`;
    map.style.width = map.style.height = `${100 * (1 - one.share + cell)}%`;
  }

  function show() {
    const one = it.squares[chosen()];
    square.style.left = `${100 * one.starts[column]}%`;
    square.style.top = `${100 * one.starts[row]}%`;
    square.style.width = square.style.height = `${100 * one.share}%`;
    rowInput.value = row;
    columnInput.value = column;
    find("covered-says").textContent = one.verdicts[row][column];
    find("covered-bars").replaceChildren(...one.probabilities[row][column].map((share, at) => {
      const item = document.createElement("li"), label = document.createElement("span");
      label.textContent = it.names[at];
      const number = document.createElement("data"), bar = document.createElement("span"), inner = document.createElement("span");
      number.className = "number";
      number.value = share;
      number.textContent = percent(share);
      bar.className = `bar wide-bar${at === it.answer ? "" : " other"}`;
      inner.style.width = `${100 * share}%`;
      bar.append(inner);
      item.append(label, number, bar);
      return item;
    }));
    document.querySelectorAll(".covered-map").forEach((map) => {
      map.hidden = !showMap.checked || Number(map.dataset.square) !== chosen();
    });
  }

  function nearest(starts, wanted) {
    return starts.reduce((best, start, at) => (Math.abs(start - wanted) < Math.abs(starts[best] - wanted) ? at : best), 0);
  }

  function follow(event) {
    const edge = box.getBoundingClientRect(), one = it.squares[chosen()];
    row = nearest(one.starts, (event.clientY - edge.top) / edge.height - one.share / 2);
    column = nearest(one.starts, (event.clientX - edge.left) / edge.width - one.share / 2);
    show();
  }

  box.addEventListener("pointerdown", (event) => { box.setPointerCapture(event.pointerId); follow(event); });
  box.addEventListener("pointermove", (event) => { if (event.buttons || event.pointerType === "mouse") follow(event); });
  rowInput.addEventListener("input", () => { row = Number(rowInput.value); show(); });
  columnInput.addEventListener("input", () => { column = Number(columnInput.value); show(); });
  [...sizes, showMap].forEach((one) => one.addEventListener("change", show));

  // Begin where it changes the most.
  const last = it.squares[chosen()];
  let least = 2;
  last.probabilities.forEach((line, y) => line.forEach((shares, x) => {
    if (shares[it.answer] < least) { least = shares[it.answer]; row = y; column = x; }
  }));
  show();
})();
