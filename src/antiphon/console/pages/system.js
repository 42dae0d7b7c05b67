/** The server's health, as its administrator wants to know it. */

import { get } from '../api.js';
import { copyOf, h, icon } from '../dom.js';
import { bytes, named, number, relative, span, t } from '../i18n.js';
import { kindName, problem } from '../parts.js';

const EVERY = 10_000; // ms

export function system() {
  const { node, said, cards, ...parts } = copyOf('system');

  async function look() {
    try {
      const found = await get('/system');
      for (const [name, read] of Object.entries(CARDS)) parts[name].replaceChildren(...read(found));
      said.replaceChildren();
      cards.hidden = false;
    } catch (error) {
      said.replaceChildren(problem(error));
    }
  }

  const timer = setInterval(look, EVERY);
  look();
  return { node, close: () => clearInterval(timer) };
}

const CARDS = {
  health: ({ checks }) => checks.map(({ name, good, verdict }) => check(good, named(`system.${name}`, name), verdict)),
  server: ({ version, publicUrl, retentionDays, maintenance }) => facts({
    version, address: publicUrl, retention: t('system.days', { n: retentionDays }), maintenance: t(maintenance ? 'system.on' : 'system.off'),
  }),
  storage: ({ storage: { kind, location, freeBytes, artifactBytes } }) => facts({
    kind: t(`system.${kind}`), location, used: bytes(artifactBytes), free: freeBytes === null ? null : bytes(freeBytes),
  }),
  database: ({ database: { version, embedded, location, bytes: size } }) => facts({
    version: `PostgreSQL ${version}, ${t(embedded ? 'system.embedded' : 'system.external')}`, location, used: bytes(size),
  }),
  engines: ({ weights }) => weights.map(({ name, ready, detail, licence }) => check(ready, name.replace('_', '-'), `${detail} · ${licence}`)),
  processes: ({ processes }) => processes.map(({ roles, host, version, startTime }) =>
    check(true, roles.map((role) => t(`system.${role}`)).join(', '), `${host} · ${version} · ${t('system.since', { when: relative(startTime) })}`)),
  queues: ({ tasks, callbacks }) => [
    ...tasks.map(({ kind, state, number: count }) => fact(`${kindName(kind)}, ${t(`state.${state}`)}`, number(count))),
    ...facts({ pending: number(callbacks.pending), sending: number(callbacks.sending), oldest: callbacks.oldestDue ? span(callbacks.oldestDue * 1000) : null }),
  ],
};

const check = (good, name, verdict) => h('li', { data: { state: good ? 'right' : 'wrong' } },
  icon(good ? 'check' : 'alert'), h('span', {}, h('strong', {}, name), h('span', { class: 'hint' }, ` ${verdict}`)));

const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));

const facts = (values) => Object.entries(values).filter(([, value]) => value !== null).map(([name, value]) => fact(t(`system.${name}`), value));
