/** The server's API with the session's cookie. Every answer is an envelope; what is no success is thrown. */

const BASE = '/api/v1';
const session = { csrf: '' };
let onSignedOut = () => {};

/** What went wrong, in the server's words. `code` is the contract's, 0 when no answer came. */
class ApiError extends Error {
  constructor(code, message, retryAfter = 0) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** Call `listener` when the session has ended on the server's side. */
export function whenSignedOut(listener) {
  onSignedOut = listener;
}

/** `data` of a success, `parsed` an envelope; throws `ApiError`. */
function opened(status, parsed, retryAfter) {
  if (status >= 200 && status < 300 && parsed?.code === 200) return parsed.data;
  if (status === 401) onSignedOut();
  throw new ApiError(parsed?.code ?? status, parsed?.msg ?? `HTTP ${status}`, Number(retryAfter) || 0);
}

async function call(method, path, { body, signal, idempotencyKey } = {}) {
  const headers = { Accept: 'application/json' };
  if (idempotencyKey) headers['Idempotency-Key'] = idempotencyKey;
  if (body) headers['Content-Type'] = 'application/json';
  if (method !== 'GET') headers['X-CSRF-Token'] = session.csrf;
  let answer;
  try {
    answer = await fetch(path.startsWith('/console') ? path : BASE + path, { method, signal, headers, body: body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, error.message);
  }
  const parsed = await answer.json().catch(() => null);
  return opened(answer.status, parsed, answer.headers.get('Retry-After'));
}

export const get = (path, options) => call('GET', path, options);
export const post = (path, body = {}, options) => call('POST', path, { ...options, body });
export const remove = (path, options) => call('DELETE', path, options);

/** A query string from what is not empty, with its question mark. */
export function query(parameters) {
  const kept = Object.entries(parameters).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  return kept.length ? `?${new URLSearchParams(kept)}` : '';
}

/** The session as the server knows it, or null when there is none. */
export async function currentSession() {
  const answer = await fetch('/console/session');
  return answer.ok ? remember((await answer.json()).data) : null;
}

export const signIn = async (key) => remember(await post('/console/session', { key }));
export const signOut = () => remove('/console/session');

function remember(found) {
  session.csrf = found.csrf;
  return found;
}

/** Upload a form; `onProgress(fraction)`, which `fetch` cannot tell, is 1 when the server has all. Gives `done` and `abort`. */
export function upload(path, form, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.open('POST', BASE + path);
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('X-CSRF-Token', session.csrf);
    request.responseType = 'json';
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.upload.onload = () => onProgress(1);
    request.onerror = () => reject(new ApiError(0, 'the connection broke off'));
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'));
    request.onload = () => {
      try {
        resolve(opened(request.status, request.response, request.getResponseHeader('Retry-After')));
      } catch (error) {
        reject(error);
      }
    };
    request.send(form);
  });
  return { done, abort: () => request.abort() };
}

/** Address of something below the API, for players and links. */
export const address = (path) => BASE + path;
