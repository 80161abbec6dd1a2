// The leaderboard sorted by any column, and its secondary metrics on demand.
"use strict";

{
  const board = document.querySelector(".board");
  const body = board.tBodies[0];

  const sort = (header, kind) => {
    const column = [...header.parentNode.children].indexOf(header);
    const ascending = header.getAttribute("aria-sort") === "descending";
    const value = (row) =>
      kind === "text" ? row.cells[column].textContent.trim() : Number(row.cells[column].dataset.value || NaN);
    const order = (one, other) => {
      const [a, b] = [value(one), value(other)];
      if (kind === "text") return a.localeCompare(b) * (ascending ? 1 : -1);
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return (a - b) * (ascending ? 1 : -1);
    };
    for (const other of header.parentNode.children) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    body.append(...[...body.rows].sort(order));
  };

  for (const button of board.querySelectorAll("thead button")) {
    button.addEventListener("click", () => sort(button.parentNode, button.dataset.sort));
  }
  const all = document.getElementById("all-metrics");
  all.addEventListener("change", () => board.classList.toggle("all", all.checked));
  all.parentNode.hidden = !board.querySelector(".secondary");
}
