"use strict";
(() => {
  const source = document.getElementById("filter-data");
  if (!source) return;
  const it = JSON.parse(source.textContent);
  const pixels = Uint8Array.from(atob(it.pixels), (one) => one.charCodeAt(0));
  const [height, width] = it.window;
  const colours = ["red", "green", "blue"];
  const find = (id) => document.getElementById(id);
  const photo = find("filter-photo"), map = find("filter-map");
  const choice = find("filter-choice"), rowInput = find("filter-row"), columnInput = find("filter-column");
  const rising = [[13, 17, 38], [58, 33, 104], [146, 47, 104], [231, 105, 60], [255, 238, 170]];
  let chosen = it.choice, [row, column] = it.place, timer = null;

  const words = (number) => (number < 0 ? "−" : "") + Math.abs(number).toFixed(4);
  const weightAt = (y, x, colour) => it.kernel[((y * width + x) * 3 + colour) * it.filters + chosen];

  // What lies at a place of the photo, as the layer gets it; outside of it 0, by `same` padding.
  function valueAt(y, x, colour) {
    if (y < 0 || x < 0 || y >= it.size || x >= it.size) return 0;
    return pixels[(y * it.size + x) * 3 + colour] * it.scale + it.offset;
  }

  function corner(atRow, atColumn) {
    return [atRow * it.stride - it.padding[0], atColumn * it.stride - it.padding[1]];
  }

  function sumAt(atRow, atColumn) {
    const [top, left] = corner(atRow, atColumn);
    let sum = 0;
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let colour = 0; colour < 3; colour++)
          sum += valueAt(top + y, left + x, colour) * weightAt(y, x, colour);
    return sum;
  }

  // The steps from the sum of products to the value in the map, each with its name.
  function stepsFrom(sum) {
    const steps = [[`sum of ${3 * height * width} products`, sum]];
    let value = sum;
    if (it.bias) {
      value += it.bias[chosen];
      steps.push([`plus the bias, ${words(it.bias[chosen])}`, value]);
    }
    if (it.multiplier) {
      value = value * it.multiplier[chosen] + it.shift[chosen];
      steps.push([`normalized: × ${words(it.multiplier[chosen])} + ${words(it.shift[chosen])}`, value]);
    }
    if (it.activation.startsWith("relu")) {
      value = Math.max(0, value);
      if (it.activation === "relu6") value = Math.min(6, value);
      steps.push([it.activation === "relu6" ? "ReLU, at most 6" : "ReLU", value]);
    }
    return steps;
  }

  function drawPhoto() {
    photo.width = photo.height = it.size;
    const image = new ImageData(it.size, it.size);
    for (let place = 0; place < it.size * it.size; place++) {
      for (let colour = 0; colour < 3; colour++) image.data[4 * place + colour] = pixels[3 * place + colour];
      image.data[4 * place + 3] = 255;
    }
    photo.getContext("2d").putImageData(image, 0, 0);
  }

  function drawMap() {
    map.width = it.columns;
    map.height = it.rows;
    const values = new Float64Array(it.rows * it.columns);
    for (let y = 0; y < it.rows; y++)
      for (let x = 0; x < it.columns; x++) {
        const steps = stepsFrom(sumAt(y, x));
        values[y * it.columns + x] = steps[steps.length - 1][1];
      }
    const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
    const image = new ImageData(it.columns, it.rows);
    values.forEach((value, place) => {
      const share = ((value - low) / Math.max(high - low, 1e-9)) * (rising.length - 1);
      const from = Math.min(Math.floor(share), rising.length - 2), rest = share - from;
      for (let band = 0; band < 3; band++)
        image.data[4 * place + band] = rising[from][band] + rest * (rising[from + 1][band] - rising[from][band]);
      image.data[4 * place + 3] = 255;
    });
    map.getContext("2d").putImageData(image, 0, 0);
  }

  function setBox(element, top, left, tall, broad, rows, columns) {
    element.style.top = `${(100 * top) / rows}%`;
    element.style.left = `${(100 * left) / columns}%`;
    element.style.height = `${(100 * tall) / rows}%`;
    element.style.width = `${(100 * broad) / columns}%`;
  }

  function table(colour, top, left) {
    const made = document.createElement("table");
    const caption = made.createCaption();
    let total = 0;
    for (let y = 0; y < height; y++) {
      const line = made.insertRow();
      for (let x = 0; x < width; x++) {
        const value = valueAt(top + y, left + x, colour), weight = weightAt(y, x, colour);
        const product = value * weight, cell = line.insertCell();
        total += product;
        cell.className = product > 0 ? "for-cell" : product < 0 ? "against-cell" : "";
        const small = document.createElement("small"), bold = document.createElement("b");
        small.append(words(value), document.createElement("br"), `× ${words(weight)}`);
        bold.textContent = words(product);
        bold.dataset.value = product;
        cell.append(small, bold);
      }
    }
    caption.textContent = `${colours[colour]}: ${words(total)}`;
    return made;
  }

  function show() {
    const [top, left] = corner(row, column);
    setBox(find("filter-frame"), top, left, height, width, it.size, it.size);
    setBox(find("filter-point"), row, column, 1, 1, it.rows, it.columns);
    find("filter-products").replaceChildren(...[0, 1, 2].map((colour) => table(colour, top, left)));
    const steps = stepsFrom(sumAt(row, column));
    find("filter-steps").replaceChildren(...steps.map(([name, value]) => {
      const item = document.createElement("li"), bold = document.createElement("b");
      bold.textContent = words(value);
      bold.dataset.value = value;
      item.append(`${name} = `, bold);
      return item;
    }));
    rowInput.value = row;
    columnInput.value = column;
  }

  function choose(number) {
    chosen = number;
    choice.value = number;
    document.querySelectorAll("[data-filter]").forEach((tile) =>
      tile.setAttribute("aria-pressed", String(Number(tile.dataset.filter) === number)));
    drawMap();
    show();
  }

  function moveTo(newRow, newColumn) {
    row = Math.max(0, Math.min(it.rows - 1, Math.floor(newRow)));
    column = Math.max(0, Math.min(it.columns - 1, Math.floor(newColumn)));
    show();
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    find("filter-run").setAttribute("aria-pressed", "false");
  }

  function run() {
    if (timer) return stop();
    find("filter-run").setAttribute("aria-pressed", "true");
    const pace = Math.max(1, Math.round(it.columns / 32));
    moveTo(0, 0);
    timer = setInterval(() => {
      if (column + pace < it.columns) return moveTo(row, column + pace);
      if (row + pace < it.rows) return moveTo(row + pace, 0);
      return stop();
    }, 30);
  }

  for (const box of [find("filter-photo-box"), find("filter-map-box")]) {
    const follow = (event) => {
      const edge = box.getBoundingClientRect();
      stop();
      moveTo(((event.clientY - edge.top) / edge.height) * it.rows,
        ((event.clientX - edge.left) / edge.width) * it.columns);
    };
    box.addEventListener("pointerdown", (event) => { box.setPointerCapture(event.pointerId); follow(event); });
    box.addEventListener("pointermove", (event) => { if (event.buttons || event.pointerType === "mouse") follow(event); });
  }
  rowInput.max = it.rows - 1;
  columnInput.max = it.columns - 1;
  rowInput.addEventListener("input", () => { stop(); moveTo(Number(rowInput.value), column); });
  columnInput.addEventListener("input", () => { stop(); moveTo(row, Number(columnInput.value)); });
  choice.addEventListener("change", () => choose(Number(choice.value)));
  find("filter-run").addEventListener("click", run);
  document.querySelectorAll("[data-filter]").forEach((tile) => tile.addEventListener("click", () => {
    choose(Number(tile.dataset.filter));
    find("filter-panel").scrollIntoView({ block: "nearest" });
  }));
  drawPhoto();
  choose(chosen);
})();
