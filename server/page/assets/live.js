// Shows how far a sync is, as the server tells it. The page says the same without this, when it is
// asked again. Whatever comes is text: nothing of it becomes part of the markup.
"use strict";
(() => {
  const region = document.querySelector("[data-events]");
  if (!region || !("EventSource" in window)) return;
  const part = (name) => region.querySelector('[data-live="' + name + '"]');
  const says = part("says");
  const detail = part("detail");
  const meter = part("meter");
  let source = null;
  let key = null;

  const show = (now) => {
    // Read out when the phase changes, and not with every line.
    if (now.key !== key && says.textContent !== now.says) says.textContent = now.says;
    key = now.key;
    detail.textContent = now.detail;
    meter.hidden = !(now.max > 0);
    if (now.max > 0) {
      meter.max = now.max;
      meter.value = now.value;
    }
    region.classList.toggle("running", now.running);
  };
  const close = () => {
    if (source) source.close();
    source = null;
  };
  const open = () => {
    if (source) return;
    source = new EventSource(region.dataset.events);
    source.addEventListener("status", (event) => show(JSON.parse(event.data)));
    // Nothing goes on, and a page that nobody looks at keeps nobody signed in.
    source.addEventListener("end", close);
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  if (!document.hidden) open();
})();
