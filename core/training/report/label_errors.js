"use strict";
addEventListener("change", () => {
  const ticked = document.querySelectorAll("input:checked");
  document.getElementById("commands").value = [...ticked].map((one) => one.dataset.command).join("\n");
});
