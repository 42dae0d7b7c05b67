/** Words in the chosen language; dates, numbers and lengths as that language writes them. */

const LANGUAGES = ['en', 'zh-CN'];
let words = {};

/** The language in use, as in `<html lang>`. */
export const language = () => document.documentElement.lang;

/** Load the words of `wanted`, and keep the choice when it is one. */
export async function speak(wanted, { keep = false } = {}) {
  const chosen = LANGUAGES.includes(wanted) ? wanted : 'en';
  words = await (await fetch(`/console/words/${chosen}.json`)).json();
  document.documentElement.lang = chosen;
  if (keep) localStorage.setItem('antiphon.language', chosen);
}

/** The text of `key` with `{name}` filled in; `key.one` when `values.n` is 1. */
export function t(key, values = {}) {
  const text = (values.n === 1 && words[`${key}.one`]) || words[key] || key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The text of `key` if there is one, else `fallback`: for words that come from the server. */
export const named = (key, fallback) => words[key] ?? fallback;

/** Milliseconds since 1970 as date and time. */
export const moment = (milliseconds) => new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'medium' }).format(milliseconds);

const UNITS = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000]];

/** How long ago, or from now: "5 minutes ago". */
export function relative(milliseconds, now = Date.now()) {
  const away = milliseconds - now;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(away) >= length) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(language(), { numeric: 'auto' }).format(Math.round(away / size), unit);
}

/** Seconds as 3:07 or 1:02:03. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = (number) => String(number).padStart(2, '0');
  return hours ? `${hours}:${padded(minutes)}:${padded(rest)}` : `${minutes}:${padded(rest)}`;
}

/** Bytes in decimal units. */
export function bytes(count) {
  const step = Math.min(4, Math.floor(Math.log10(Math.max(1, count)) / 3));
  const scaled = count / 1000 ** step;
  return `${number(scaled, step && scaled < 10 ? 1 : 0)} ${['B', 'kB', 'MB', 'GB', 'TB'][step]}`;
}

export const number = (value, digits = 0) => new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);
export const percent = (fraction) => new Intl.NumberFormat(language(), { style: 'percent' }).format(fraction);

/** Milliseconds as 12 ms or 3.4 s. */
export function span(milliseconds) {
  if (milliseconds >= 1000) return `${number(milliseconds / 1000, 1)} s`;
  return `${number(milliseconds, milliseconds < 10 ? 1 : 0)} ms`;
}
