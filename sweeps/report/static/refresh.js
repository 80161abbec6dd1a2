// While a sweep is watched the page loads itself anew, unless its reader is at work on it.
"use strict";

{
  const seconds = Number(document.querySelector('meta[name="clarion-refresh"]')?.content);
  let used = 0;
  for (const kind of ["pointerdown", "keydown", "wheel"]) {
    addEventListener(kind, () => (used = Date.now()), { passive: true });
  }
  const idle = () => Date.now() - used > 3000 * seconds;
  if (seconds > 0) setInterval(() => (idle() ? location.reload() : undefined), 1000 * seconds);
}
