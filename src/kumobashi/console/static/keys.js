// Keys that spare the mouse: "/" goes to the search, j and k walk the links of a table. Pages work without.
"use strict";
addEventListener("keydown", (event) => {
  const busy = event.target.closest("input, select, textarea");
  if (busy || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const search = document.getElementById("q");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  } else if (event.key === "j" || event.key === "k") {
    const links = [...document.querySelectorAll("table.links tbody th a")];
    const here = links.indexOf(document.activeElement);
    const next = event.key === "j" ? here + 1 : Math.max(here - 1, 0);
    if (links[next]) links[next].focus();
  }
});
