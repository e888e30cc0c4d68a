// Calls to the sandbox, and its live messages.

import { encode } from './format.js';

// Problem is why the sandbox refused a call.
export class Problem extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

const listeners = new Map();

// on registers a callback: for change, request, faults, feeds, clock and reset from the sandbox; again to reread everything;
// state when the connection comes or goes; over when the session has ended. It returns a function that stops it.
export function on(names, listener) {
  for (const name of [names].flat()) {
    if (!listeners.has(name)) listeners.set(name, new Set());
    listeners.get(name).add(listener);
  }
  return () => [names].flat().forEach(name => listeners.get(name).delete(listener));
}

function tell(name, data) {
  for (const listener of listeners.get(name) ?? []) listener(data, name);
}

async function ask(method, path, body, { signal, type = 'application/json' } = {}) {
  let answer;
  try {
    answer = await fetch(`api${path}`, {
      method, signal, body, credentials: 'same-origin', headers: body === undefined ? {} : { 'Content-Type': type },
    });
  } catch (err) {
    if (err.name === 'AbortError') throw err;
    throw new Problem(0, 'The sandbox does not answer. Is it still running? Start it again, then try once more.');
  }
  if (answer.ok) return answer;
  if (answer.status === 401 || answer.status === 403) tell('over');
  const text = await answer.text();
  let reason = text.trim() || answer.statusText;
  try {
    const said = JSON.parse(text);
    reason = said.detail?.reason || said.msg || reason;
  } catch { /* not in the sandbox's form: it is shown as it is */ }
  throw new Problem(answer.status, reason);
}

export const get = async (path, options) => (await ask('GET', path, undefined, options)).json();
export const getText = async (path, options) => (await ask('GET', path, undefined, options)).text();
export const post = async (path, body, options) => (await ask('POST', path, body === undefined ? undefined : encode(body), options)).json();
export const postText = async (path, text, type) => (await ask('POST', path, text, { type })).json();

// id escapes a part of a path.
export const id = encodeURIComponent;

// stream is the live connection. since: when it was lost.
export const stream = { live: false, since: null, began: false };

const RETRY = 2000; // milliseconds, where the browser has given up by itself

export function connect() {
  const source = new EventSource('api/live');
  source.onopen = () => {
    const again = stream.began;
    Object.assign(stream, { live: true, since: null, began: true });
    tell('state');
    if (again) tell('again');
  };
  source.onerror = () => {
    stream.since ??= new Date();
    stream.live = false;
    tell('state');
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    setTimeout(async () => {
      try {
        await get('/overview');
      } catch (err) {
        if (err.status === 401 || err.status === 403) return; // the session is over, and is told so
      }
      connect();
    }, RETRY);
  };
  for (const name of ['request', 'change', 'faults', 'feeds', 'clock', 'reset']) {
    source.addEventListener(name, event => {
      let data = {};
      try {
        data = JSON.parse(event.data);
      } catch { /* a notice without content */ }
      tell(name, data);
      if (name === 'reset') tell('again');
    });
  }
  addEventListener('pagehide', () => source.close(), { once: true });
}

// overview is a summary of the sandbox. read rereads it.
export const overview = { value: null, error: null, at: 0 };

export async function readOverview() {
  try {
    overview.value = await get('/overview');
    overview.at = performance.now();
    overview.error = null;
  } catch (err) {
    overview.error = err;
  }
  tell('overview');
}

// now is the sandbox's time.
export function now() {
  if (!overview.value) return new Date();
  return new Date(Date.parse(overview.value.now) + performance.now() - overview.at);
}
