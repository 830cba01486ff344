// The live feed (server-sent events), opened again by itself when it is lost.

const FIRST_WAIT = 400;
const LONGEST_WAIT = 5_000;

/**
 * Follow one user's chat and the market.
 * `on.open(again)` runs whenever the feed stands, `on.lost()` when it breaks, `on.chat(data)` and `on.market(data)` on news.
 * Returns a function that ends it.
 */
export function follow(user, on) {
  let source = null;
  let timer = 0;
  let wait = FIRST_WAIT;
  let ended = false;
  let opened = false;

  function connect() {
    source = new EventSource(`/sandbox/events?user=${encodeURIComponent(user)}`);
    source.onopen = () => {
      wait = FIRST_WAIT;
      on.open(opened);
      opened = true;
    };
    source.addEventListener("chat", (event) => on.chat(JSON.parse(event.data)));
    source.addEventListener("market", (event) => on.market(JSON.parse(event.data)));
    source.onerror = () => {
      source.close();
      if (ended) return;
      on.lost();
      timer = setTimeout(connect, wait);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    };
  }

  function hurry() {
    if (ended || source.readyState !== EventSource.CLOSED) return;
    clearTimeout(timer);
    wait = FIRST_WAIT;
    connect();
  }

  window.addEventListener("online", hurry);
  connect();
  return () => {
    ended = true;
    clearTimeout(timer);
    window.removeEventListener("online", hurry);
    source.close();
  };
}
