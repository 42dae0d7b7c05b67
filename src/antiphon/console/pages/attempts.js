/** Attempts to deliver, each with its phases as a line of time, and how to repeat one by hand. */

import { h, icon } from '../dom.js';
import { moment, span, t } from '../i18n.js';
import { codeBlock } from '../parts.js';

/** The phases of an attempt in milliseconds, in order; what is not there was not needed or not reached. */
function steps({ resolve, connect, tls, firstByte, total }) {
  const before = (resolve ?? 0) + (connect ?? 0) + (tls ?? 0);
  const known = [['resolve', resolve], ['connect', connect], ['tls', tls], ['wait', firstByte]].filter(([, length]) => length !== null);
  const rest = total - before - (firstByte ?? 0);
  return rest > 0.05 ? [...known, ['read', rest]] : known;
}

/** A bar as long as the attempt took, `longest` being the whole width. */
function phaseBar(phases, longest) {
  const parts = steps(phases);
  const words = parts.map(([name, length]) => `${t(`phase.${name}`)} ${span(length)}`).join(', ');
  return h('span', { class: 'phases', role: 'img', 'aria-label': words, title: words },
    parts.map(([name, length]) => h('i', { data: { phase: name }, style: { '--part': length / longest } })));
}

function phaseLegend(phases) {
  return h('ul', { class: 'legend' }, steps(phases).map(([name, length]) =>
    h('li', {}, h('i', { data: { phase: name } }), t(`phase.${name}`), h('span', { class: 'number' }, span(length)))));
}

const verdict = (attempt) => (attempt.status ? `HTTP ${attempt.status}` : t('attempt.none'));

/** A line that opens to the headers that were sent and the answer that came. */
export function attemptLine(attempt, longest, { name, good, open = false }) {
  return h('li', {}, h('details', { class: 'attempt', open },
    h('summary', {},
      h('span', { class: 'badge', data: { state: good ? 'succeeded' : 'failed' } }, icon(good ? 'check' : 'alert'), h('span', { class: 'offscreen' }, t(good ? 'attempt.good' : 'attempt.bad'))),
      h('span', {}, h('strong', {}, name), h('br'), h('span', { class: 'hint' }, verdict(attempt))),
      phaseBar(attempt.phases, longest),
      h('span', { class: 'ms number' }, span(attempt.milliseconds))),
    h('div', { class: 'attempt-more' },
      attempt.error && h('p', { class: 'small' }, attempt.error),
      phaseLegend(attempt.phases),
      h('dl', { class: 'facts' },
        ...fact('attempt.time', attempt.time && moment(attempt.time)),
        ...fact('attempt.address', attempt.address),
        ...fact('attempt.connection', attempt.connection && t(`connection.${attempt.connection}`))),
      ...headers(attempt.requestHeaders ?? attempt.headers),
      h('div', {}, h('h3', {}, t('attempt.answer')), attempt.answer ? codeBlock(attempt.answer, { wrap: true }) : h('p', { class: 'hint' }, t('attempt.answer.none'))))));
}

function fact(words, value) {
  return value ? [h('div', {}, h('dt', {}, t(words)), h('dd', {}, value))] : [];
}

const headerLines = (headers) => Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join('\n');

function headers(sent) {
  if (!sent || !Object.keys(sent).length) return [];
  return [h('div', {}, h('h3', {}, t('attempt.headers')), codeBlock(headerLines(sent), { wrap: true }))];
}

const OF_THE_CONNECTION = new Set(['host', 'content-length', 'connection', 'accept-encoding']);
const LARGEST_ARGUMENT = 30_000; // characters; Linux takes 128 KiB, of which each may be four bytes
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A command that posts exactly this again, with the headers of that attempt. */
export function curl(url, headers, body) {
  const lines = Object.entries(headers ?? {})
    .filter(([name]) => !OF_THE_CONNECTION.has(name.toLowerCase()))
    .map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const small = body.length < LARGEST_ARGUMENT;
  const command = [`curl -i -X POST ${quoted(url)}`, ...lines, `--data-binary ${small ? quoted(body) : '@-'}`].join(' \\\n  ');
  return small ? command : `printf %s ${quoted(body)} | ${command}`;
}
