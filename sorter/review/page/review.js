"use strict";
/* The review page: shows photos, sends an answer for each key, and follows what the server says. */
(() => {
  const setup = JSON.parse(document.getElementById("setup").textContent);
  const words = setup.words;
  const byLabel = new Map(setup.classes.map((one) => [one.label, one]));
  const at = (id) => document.getElementById(id);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  const OPEN = new Set(["waiting", "refused"]);
  const AHEAD = 6; // photos that are loaded before they are asked for
  const QUEUE = "catdog-review-answers"; // in localStorage: a closed page loses none

  const photos = new Map(); // by id, as the server has them, with `answer` while one is on its way
  const passed = []; // what was done here, the newest last: {id, kind}
  let version = 0;
  let current = null;
  let order = "surest";
  let grid = false;
  let selected = new Set();
  let pageLabels = new Map(); // in the grid: labels that were changed
  let withAlike = false;
  let heat = false;
  let latest = {}; // the last state without photos

  // ---- what is shown, and in which order

  const isOpen = (one) => OPEN.has(one.state) && !one.answer;
  const rank = {
    surest: (a, b) => (b.confidence ?? 0) - (a.confidence ?? 0),
    alike: (a, b) => (a.group || Infinity) - (b.group || Infinity) || rank.name(a, b),
    name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }) || (a.id < b.id ? -1 : 1),
  };
  let listed = []; // ids in order; photos stay in it when they are answered, so arrows find them
  const sortList = () => {
    listed = [...photos.values()]
      .filter((one) => one.state !== "gone" || one.id === current)
      .sort(rank[order])
      .map((one) => one.id);
  };
  const open = () => listed.filter((id) => isOpen(photos.get(id)));
  const likeIt = (one) =>
    one.group ? [...photos.values()].filter((other) => other.group === one.group && other.id !== one.id && isOpen(other)) : [];
  const nextOpen = (from) => {
    const start = Math.max(0, listed.indexOf(from) + 1);
    const around = [...listed.slice(start), ...listed.slice(0, start)];
    return around.find((id) => isOpen(photos.get(id))) ?? null;
  };
  const address = (one, kind) => `/photo/${one.id}/${kind}?v=${encodeURIComponent(one.version + one.state)}`;
  const loaded = new Map(); // pictures by their address, decoded before they are asked for
  const pictureAt = (source) => {
    let image = loaded.get(source);
    if (!image) {
      image = new Image();
      image.src = source;
      image.decode?.().catch(() => {});
      loaded.set(source, image);
      if (loaded.size > 4 * AHEAD) loaded.delete(loaded.keys().next().value);
    }
    return image;
  };
  const showPicture = (source, alt) => {
    const image = pictureAt(source);
    const before = at("photo");
    if (image !== before) {
      before.removeAttribute("id");
      image.id = "photo";
      before.replaceWith(image);
      image.onerror = () => {
        image.hidden = true;
        at("unreadable").hidden = false;
      };
    }
    image.alt = alt;
    const failed = image.complete && image.naturalWidth === 0;
    image.hidden = failed;
    at("unreadable").hidden = !failed;
  };
  const loadAhead = () => {
    let id = current;
    for (let n = 0; n < AHEAD && id; n++) {
      id = nextOpen(id);
      if (!id) break;
      pictureAt(address(photos.get(id), 1600));
    }
  };

  // ---- drawing

  const say = (text, bad = false) => {
    at("said").textContent = text;
    at("said").classList.toggle("bad", bad);
  };
  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "class") made.className = value;
      else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };
  const wordOf = (label) => byLabel.get(label)?.word ?? label;
  const answerButtons = (press, { pressed = null, likely = null } = {}) => [
    ...setup.classes.map((one) =>
      element("button", {
        type: "button", onclick: () => press(one.label), "aria-pressed": String(pressed === one.label),
        class: likely === one.label ? "likely" : "", "data-label": one.label,
      },
      one.role === "neither" ? words.neither : one.role === "both" ? words.both : one.word,
      element("kbd", {}, one.key.toUpperCase()))),
  ];

  const drawHeader = () => {
    const left = open().length;
    at("left").textContent = fill(words.left, { n: left });
    document.title = `${fill(words.left, { n: left })} · ${words.title} · catdog`;
    const progress = latest.progress ?? { read: 0, of: 0, done: false };
    at("reading").hidden = progress.done;
    at("reading-words").textContent = fill(words.reading, progress);
    at("reading-bar").value = progress.of ? progress.read / progress.of : 0;
    const nothing = current === null && left === 0;
    at("empty").hidden = !nothing;
    at("empty").textContent = progress.done ? words.nothing_left : words.nothing_yet;
    at("one").hidden = grid || nothing;
    at("grid-view").hidden = !grid || nothing;
  };

  const drawPhoto = () => {
    const one = photos.get(current);
    if (!one) return;
    const stage = at("stage");
    stage.classList.remove("zoomed");
    at("zoom").setAttribute("aria-pressed", "false");
    at("heat").setAttribute("aria-pressed", String(heat));
    showPicture(address(one, heat ? "heat" : 1600), fill(words.photo_of, { name: one.name }));
    const guess = { name: one.guess_word ?? "", percent: one.percent ?? "" };
    at("guess").textContent =
      one.same_as ? fill(words.same_file, { path: one.same_as }) : fill(setup.what === "filed" ? words.is_filed : words.perhaps, guess);
    at("name").textContent = one.name;
    at("chances").replaceChildren(
      ...Object.entries(one.probabilities ?? {}).map(([label, chance]) => {
        const fillBar = element("span");
        fillBar.style.width = `${100 * chance}%`;
        return element("li", {}, element("span", {}, wordOf(label)),
          element("span", { class: "bar", "aria-hidden": "true" }, fillBar),
          element("span", { class: "number" }, `${Math.min(99, Math.floor(100 * chance))} %`));
      }));
    const given = one.answer ?? one.label;
    at("answers").replaceChildren(
      ...answerButtons(decide, { pressed: given, likely: given ? null : one.guess }),
      element("button", { type: "button", onclick: leave, "aria-pressed": String(one.state === "left"), id: "leave" }, words.leave, element("kbd", {}, "X")),
      element("button", { type: "button", onclick: undo, id: "undo" }, words.undo, element("kbd", {}, "Z")));
    const alike = likeIt(one);
    at("alike-row").hidden = alike.length === 0;
    at("alike-words").textContent = fill(words.and_alike, { n: alike.length });
    at("alike").checked = withAlike;
    drawStrip();
    loadAhead();
  };

  const drawStrip = () => {
    const place = listed.indexOf(current);
    const shown = listed.slice(Math.max(0, place - 2), place + 12);
    at("strip").replaceChildren(
      ...shown.map((id) => {
        const one = photos.get(id);
        return element("button", {
          type: "button", class: isOpen(one) ? "" : "done", "aria-current": String(id === current),
          "aria-label": fill(words.photo_of, { name: one.name }), onclick: () => show(id),
        }, element("img", { src: address(one, 320), alt: "", loading: "lazy" }));
      }));
  };

  const onPage = () => open().slice(0, Number(at("page-size").value));
  const pageLabel = (one) => pageLabels.get(one.id) ?? one.guess;
  const drawGrid = () => {
    const ids = onPage();
    selected = new Set([...selected].filter((id) => ids.includes(id)));
    at("grid").replaceChildren(
      ...ids.map((id) => {
        const one = photos.get(id);
        const label = pageLabel(one);
        const cell = element("div", { class: selected.has(id) ? "cell selected" : "cell", "data-id": id },
          element("button", {
            type: "button", class: "show", "aria-pressed": String(selected.has(id)),
            "aria-label": `${fill(words.photo_of, { name: one.name })}: ${wordOf(label)}`,
            onclick: () => {
              selected.has(id) ? selected.delete(id) : selected.add(id);
              drawGrid();
              at("grid").querySelector(`[data-id="${id}"] .show`)?.focus();
            },
          }, element("img", { src: address(one, 320), alt: "", loading: "lazy" })),
          element("div", { class: "foot" },
            element("b", {}, label === null ? words.leave : wordOf(label)),
            element("span", { class: "number" }, pageLabels.has(id) ? "✎" : one.percent ?? "")));
        return cell;
      }));
    const filing = ids.filter((id) => pageLabel(photos.get(id)) !== null).length;
    at("file-page").textContent = fill(words.file_page, { n: filing });
    at("file-page").disabled = filing === 0;
    at("grid-answers").replaceChildren(
      ...answerButtons(relabel),
      element("button", { type: "button", onclick: () => relabel(null) }, words.leave, element("kbd", {}, "X")),
      element("button", { type: "button", onclick: undo }, words.undo, element("kbd", {}, "Z")));
  };

  const drawSummary = () => {
    const summary = latest.summary;
    if (!summary) return;
    at("summary").hidden = summary.answers === 0;
    at("summary-said").textContent = fill(words.said, { n: summary.answers });
    at("summary-right").textContent = summary.guesses ? fill(words.right, { right: summary.right, n: summary.guesses }) : "";
    at("summary-threshold").textContent = summary.threshold
      ? fill(words.threshold, { percent: summary.threshold, filed: summary.filed, wrong: summary.wrong }) : "";
    at("learn").textContent = fill(words.learn, { n: summary.answers });
    at("learn").hidden = !setup.can_learn;
    at("no-extra").textContent = setup.can_learn ? "" : fill(words.no_extra, { command: setup.install });
    const learning = latest.learning;
    at("learn").disabled = learning.running;
    at("learning").hidden = !learning.running && learning.exit_code === null;
    at("learning-lines").textContent = learning.lines.join("\n");
    if (learning.running) at("learning-words").textContent = words.learning;
    else if (learning.exit_code === null) at("learning-words").textContent = "";
    else if (learning.exit_code !== 0) {
      at("learning-words").textContent = `${words.learn_failed} ${learning.lines.at(-1) ?? ""}`;
    } else {
      at("learning-words").textContent = learning.served ? fill(words.learnt, learning) : words.kept;
    }
  };

  const draw = () => {
    if (current === null || !photos.has(current)) current = listed.find((id) => isOpen(photos.get(id))) ?? null;
    drawHeader();
    if (grid) drawGrid();
    else drawPhoto();
    drawSummary();
  };
  const show = (id) => {
    current = id;
    heat = false;
    draw();
  };
  const step = (by) => {
    const place = listed.indexOf(current) + by;
    if (listed[place]) show(listed[place]);
  };

  // ---- answers: kept in the page until the server has them

  let queue = [];
  try {
    queue = JSON.parse(localStorage.getItem(QUEUE) ?? "[]");
  } catch {
    queue = [];
  }
  const keepQueue = () => {
    try {
      localStorage.setItem(QUEUE, JSON.stringify(queue));
    } catch { /* a private window keeps nothing: answers are sent at once all the same */ }
  };
  let sending = null;
  let offline = false;
  const pause = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
  const post = async (path, body) => {
    const response = await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), keepalive: true,
    });
    if (!response.ok) throw new Error(String(response.status));
    return response.json();
  };
  const drawOffline = () => {
    at("offline").hidden = !offline;
    at("offline").textContent = fill(words.offline, { n: queue.length });
  };
  const take = (reply, one) => {
    if (reply.photo) photos.set(reply.photo.id, reply.photo);
    else if (one) photos.get(one.id) && (photos.get(one.id).state = "gone");
    const photo = reply.photo ?? photos.get(one?.id);
    if (!reply.done) {
      const why = photo?.message ?? fill(words.reasons[reply.reason] ?? words.reasons.other, { reason: reply.reason ?? "" });
      say(fill(words.failed, { name: photo?.name ?? "", why }), true);
    } else if (photo?.state === "moved") {
      say(fill(words.moved, { label: wordOf(photo.label), folder: `${photo.stands_in}/` }));
    } else if (photo?.state === "labelled") {
      say(fill(words.labelled, { label: wordOf(photo.label) }));
    }
  };
  const send = async () => {
    while (queue.length) {
      const batch = queue.slice(0, 50);
      let replies;
      try {
        ({ replies } = await post("/api/decide", { decisions: batch }));
      } catch (error) {
        if (error.message === "400") { // the model's classes are others now: nobody can carry it out
          queue = queue.slice(batch.length);
          keepQueue();
          continue;
        }
        offline = true;
        drawOffline();
        await pause(1);
        continue;
      }
      offline = false;
      queue = queue.slice(batch.length);
      keepQueue();
      drawOffline();
      batch.forEach((one, place) => take(replies[place], one));
      sortList();
      draw();
    }
  };
  const flush = () => {
    sending ??= send().finally(() => {
      sending = null;
    });
    return sending;
  };
  const name = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");
  const answer = (ids, labelOf) => {
    for (const id of ids) {
      const label = labelOf(id);
      photos.get(id).answer = label;
      queue.push({ request: name(), id, label });
      passed.push({ id, kind: "decide" });
    }
    keepQueue();
    drawOffline();
    flush();
  };
  const decide = (label) => {
    const one = photos.get(current);
    if (!one) return;
    const ids = [one.id, ...(withAlike ? likeIt(one).map((other) => other.id) : [])];
    answer(ids, () => label);
    current = nextOpen(one.id) ?? current;
    heat = false;
    draw();
  };
  const leave = async () => {
    const one = photos.get(current);
    if (!one || !isOpen(one)) return;
    one.state = "left";
    passed.push({ id: one.id, kind: "leave" });
    current = nextOpen(one.id) ?? current;
    say(words.passed_over);
    draw();
    await post("/api/leave", { id: one.id }).catch(() => {});
  };
  const relabel = (label) => {
    for (const id of selected) pageLabels.set(id, label);
    selected.clear();
    drawGrid();
  };
  const filePage = () => {
    const ids = onPage();
    const filed = ids.filter((id) => pageLabel(photos.get(id)) !== null);
    const left = ids.filter((id) => pageLabel(photos.get(id)) === null);
    answer(filed, (id) => pageLabel(photos.get(id)));
    for (const id of left) {
      photos.get(id).state = "left";
      passed.push({ id, kind: "leave" });
      post("/api/leave", { id }).catch(() => {});
    }
    pageLabels = new Map();
    selected.clear();
    window.scrollTo(0, 0);
    draw();
  };
  let undoing = Promise.resolve(); // one after the other, however fast the key is pressed
  const undo = () => {
    undoing = undoing.then(undoOne);
  };
  const undoOne = async () => {
    const last = passed.pop();
    await flush();
    let reply;
    try {
      ({ replies: [reply] } = last?.kind === "leave"
        ? await post("/api/leave", { id: last.id, again: true })
        : await post("/api/undo", {}));
    } catch {
      if (last) passed.push(last);
      offline = true;
      drawOffline();
      return;
    }
    if (reply.photo) photos.set(reply.photo.id, reply.photo);
    drawOffline();
    if (reply.done) {
      say(fill(words.undone, { name: reply.photo?.name ?? "" }));
      if (reply.photo) current = reply.photo.id;
    } else if (reply.reason === "nothing") say(words.nothing_to_undo);
    else take(reply, last);
    sortList();
    draw();
  };

  // ---- what the server says by itself

  const follow = async () => {
    for (;;) {
      try {
        const response = await fetch(`/api/state?since=${version}${version ? "&wait=1" : ""}`);
        if (response.status === 403) {
          location.reload();
          return;
        }
        latest = await response.json();
      } catch {
        offline = true;
        drawOffline();
        await pause(1);
        continue;
      }
      if (offline && !queue.length) offline = false;
      drawOffline();
      if (latest.version < version) { // a server that was started anew counts from the beginning
        version = 0;
        continue;
      }
      version = latest.version;
      const waiting = new Map(queue.map((one) => [one.id, one.label]));
      for (const one of latest.photos) {
        if (waiting.has(one.id)) one.answer = waiting.get(one.id);
        photos.set(one.id, one);
      }
      latest.learning.served = startVersion !== null && latest.learning.version !== startVersion;
      startVersion ??= latest.learning.version;
      sortList();
      if (latest.photos.length || latest.progress) draw();
    }
  };
  let startVersion = null;

  // ---- keys and buttons

  const keys = {
    x: () => (grid ? relabel(null) : leave()), z: undo, g: () => setGrid(!grid),
    arrowleft: () => !grid && step(-1), arrowright: () => !grid && step(1),
    h: () => { heat = !heat; drawPhoto(); }, " ": () => zoom(), a: () => { withAlike = !withAlike; at("alike").checked = withAlike; },
    "?": () => at("help").showModal(), enter: () => grid && filePage(),
  };
  for (const one of setup.classes) if (one.key) keys[one.key] = () => (grid ? relabel(one.label) : decide(one.label));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || at("help").open) return;
    const key = event.key.toLowerCase();
    const focused = document.activeElement;
    if (focused?.tagName === "SELECT" && key !== "z") return;
    if ((key === " " || key === "enter") && ["BUTTON", "SUMMARY", "A", "INPUT"].includes(focused?.tagName) && !(key === "enter" && grid && focused.classList.contains("show"))) return;
    if (!(key in keys)) return;
    event.preventDefault();
    if (event.repeat && key !== "arrowleft" && key !== "arrowright") return;
    keys[key]();
  });
  const setGrid = (on) => {
    grid = on;
    at("view-one").setAttribute("aria-pressed", String(!on));
    at("view-grid").setAttribute("aria-pressed", String(on));
    draw();
  };
  const zoom = () => {
    const one = photos.get(current);
    if (!one) return;
    const stage = at("stage");
    const on = stage.classList.toggle("zoomed");
    at("zoom").setAttribute("aria-pressed", String(on));
    if (on) {
      showPicture(address(one, 4096), at("photo").alt);
      const middle = () => stage.scrollTo((stage.scrollWidth - stage.clientWidth) / 2, (stage.scrollHeight - stage.clientHeight) / 2);
      at("photo").addEventListener("load", middle, { once: true });
      middle();
    } else {
      drawPhoto();
    }
  };
  let held = null; // where a zoomed photo was taken hold of
  at("stage").addEventListener("pointerdown", (event) => {
    if (at("stage").classList.contains("zoomed") && event.pointerType === "mouse") {
      held = { x: event.clientX + at("stage").scrollLeft, y: event.clientY + at("stage").scrollTop };
      event.preventDefault();
    }
  });
  addEventListener("pointermove", (event) => held && at("stage").scrollTo(held.x - event.clientX, held.y - event.clientY));
  addEventListener("pointerup", () => { held = null; });
  at("stage").addEventListener("dblclick", zoom);
  at("view-one").addEventListener("click", () => setGrid(false));
  at("view-grid").addEventListener("click", () => setGrid(true));
  at("order").addEventListener("change", () => {
    order = at("order").value;
    sortList();
    current = open()[0] ?? current;
    draw();
  });
  at("page-size").addEventListener("change", drawGrid);
  at("file-page").addEventListener("click", filePage);
  at("previous").addEventListener("click", () => step(-1));
  at("next").addEventListener("click", () => step(1));
  at("heat").addEventListener("click", keys.h);
  at("zoom").addEventListener("click", zoom);
  at("alike").addEventListener("change", () => { withAlike = at("alike").checked; });
  at("learn").addEventListener("click", async () => {
    await flush();
    startVersion = latest.learning.version;
    await post("/api/learn", {}).catch(() => {});
  });
  at("open-help").addEventListener("click", keys["?"]);
  at("close-help").addEventListener("click", () => at("help").close());
  const classKeys = setup.classes.filter((one) => one.role === "file" && one.key).map((one) => one.key.toUpperCase()).join(" ");
  const table = [
    [classKeys, words.keys.classes], ["B", words.keys.both], ["N", words.keys.neither], ["X", words.keys.leave], ["Z", words.keys.undo],
    ["← →", words.keys.arrows], ["A", words.keys.alike], ["H", words.keys.heat], ["Space", words.keys.zoom], ["G", words.keys.grid],
    ["Enter", words.keys.enter], ["?", words.keys.help],
  ];
  at("help-keys").append(...table.flatMap(([key, what]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, what)]));
  if (location.search) history.replaceState(null, "", "/"); // the token stays out of the history

  if (queue.length) flush();
  draw();
  follow();
})();
