/** What lets pages open without a network: the service worker, where the browser allows one.
 *
 * It runs over https and on this machine alone; elsewhere answers are kept all the same, as long as
 * the page stays open.
 */

if ("serviceWorker" in navigator && window.isSecureContext) {
  const registered = navigator.serviceWorker.register("/sw.js");
  // Today's page lists what is mine: those pages are kept before they are needed.
  const mine = [...document.querySelectorAll("[data-keep]")].map((mark) => mark.dataset.keep);
  if (location.pathname === "/" && !document.body.dataset.asOf) {
    registered.then(async () => {
      const { active } = await navigator.serviceWorker.ready;
      active.postMessage({ keep: mine });
    });
  }
}
