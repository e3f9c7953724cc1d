// Keys for the queue: j and k move, Enter opens (the focused link does), / searches. Everything works without them.
"use strict";
(() => {
  const links = () => [...document.querySelectorAll(".queue tbody th a")];
  const typing = (element) => /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName) || element.isContentEditable;
  const move = (by) => {
    const all = links();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
    all[next].focus();
    all[next].closest("tr").scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || typing(event.target)) return;
    const search = document.querySelector('[data-key="/"]');
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "/" && search) search.focus();
    else return;
    event.preventDefault();
  });
  for (const hint of document.querySelectorAll("[data-keys]")) hint.hidden = false;
})();
