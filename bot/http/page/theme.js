// Runs before the first paint, so that a page kept dark does not flash white.
try {
  const kept = localStorage.getItem("theme");
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
} catch {
  // Storage may be forbidden; then the system's wish counts.
}
