"use strict";
// Says the values under the pointer, or under a finger, of each chart of lines.
for (const chart of document.querySelectorAll("[data-chart]")) {
  const svg = chart.querySelector("svg"), said = chart.querySelector("output.read");
  const points = [...svg.querySelectorAll(".line circle")];
  const place = (event) => {
    const edge = svg.getBoundingClientRect(), x = ((event.clientX - edge.left) / edge.width) * 560;
    const distance = (point) => Math.abs(Number(point.getAttribute("cx")) - x);
    const least = Math.min(...points.map(distance));
    const near = points.filter((point) => distance(point) < least + 0.05);
    points.forEach((point) => point.classList.toggle("near", near.includes(point)));
    said.textContent = near.map((point) => point.querySelector("title").textContent).join(" · ");
  };
  svg.addEventListener("pointermove", place);
  svg.addEventListener("pointerdown", place);
}
