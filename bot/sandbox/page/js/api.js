// The driver over HTTP. Every failure becomes a sentence a person can act on.

export class DriverError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function call(path, { method = "GET", body, timeout = 20_000 } = {}) {
  let response;
  try {
    response = await fetch(`/sandbox${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(timeout),
    });
  } catch (failure) {
    const slow = failure.name === "TimeoutError";
    throw new DriverError(slow ? "That took too long. Please try again." : "The demo does not answer. Is it still running?", 0);
  }
  const text = await response.text();
  if (!response.ok) throw new DriverError(sentence(text) || `The demo refused this (${response.status}).`, response.status);
  return text ? JSON.parse(text) : null;
}

function sentence(text) {
  try {
    const data = JSON.parse(text);
    const found = data.error ?? data.detail ?? data.description;
    return typeof found === "string" ? found : null;
  } catch {
    return text.length < 200 && !text.startsWith("<") ? text : null;
  }
}

export const listUsers = () => call("/users");
export const addUser = (firstName) => call("/users", { method: "POST", body: { first_name: firstName } });
export const setBlocked = (user, blocked) => call(`/users/${user}/block`, { method: "POST", body: { blocked } });
export const readChat = (user) => call(`/users/${user}/chat`);
export const sendText = (user, text) => call(`/users/${user}/messages`, { method: "POST", body: { text } });
export const sendDocument = (user, name, base64) =>
  call(`/users/${user}/documents`, { method: "POST", body: { name, content_base64: base64 }, timeout: 60_000 });
/** Taps a button and waits for the bot's answer to the tap: `{callback_id, answer: {text, show_alert} | null}`. */
export const tap = (user, message, button) =>
  call(`/users/${user}/taps?wait=15`, { method: "POST", body: { message_id: message, button } });
/** A fresh key that a pretend exchange knows: `{key, secret, passphrase?}`. */
export const practiceKey = (exchange) => call(`/exchanges/${exchange}/keys`, { method: "POST", body: {} });
/** Trouble for everybody at a pretend exchange, until `back`. */
export const befall = (exchange, kind) => call(`/exchanges/${exchange}/trouble`, { method: "POST", body: { kind } });
/** So much passes for the bot alone, such as "1h". */
export const wait = (span) => call("/wait", { method: "POST", body: { for: span } });
export const readMarket = () => call("/market");
/** A shock, a skip or a speed; answers with the market as it is afterwards. */
export const changeMarket = (change) => call("/market", { method: "POST", body: change, timeout: 120_000 });
