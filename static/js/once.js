/** A form is sent once: a second press while the first is under way does nothing.
 *
 * It listens last (at the window), so that a question or a photo in work may hold a form back first.
 */

window.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  // Not `disabled`: that would drop the button's own value from what is sent.
  event.submitter?.setAttribute("aria-disabled", "true");
});

function release() {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-disabled]")) button.removeAttribute("aria-disabled");
}
// Back from the next page, the form may be sent again; its nonce keeps it one request.
window.addEventListener("pageshow", release);
document.addEventListener("htmx:finally:request", release);
