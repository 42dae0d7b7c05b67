/** The console: a session, a frame around the pages, and the page that the address names. */

import { currentSession, whenSignedOut } from './api.js';
import { h, notify } from './dom.js';
import { listenForKeys } from './help.js';
import { language, speak, t } from './i18n.js';
import { connect, disconnect } from './live.js';
import { resumePlans } from './orders.js';
import { frame, markCurrent } from './shell.js';

const PAGES = {
  '': () => import('./pages/tryit.js'),
  song: () => import('./pages/song.js'),
  tasks: () => import('./pages/tasks.js'),
  callbacks: () => import('./pages/callbacks.js'),
  setup: () => import('./pages/setup.js'),
};

let session = null;
let leave = null; // ends the page that is shown
let turn = 0; // a page that was left while it loaded must not appear

const outlet = () => document.getElementById('page');

function place() {
  const [path, search] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, ...rest] = path.split('/').map(decodeURIComponent);
  return { name, rest, search: new URLSearchParams(search) };
}

/** Put a page into the outlet; `focus` for a page that was gone to, as opposed to drawn anew. */
async function show({ focus = true } = {}) {
  const mine = (turn += 1);
  leave?.();
  leave = null;
  const to = place();
  const load = session ? (PAGES[to.name] ?? PAGES['']) : () => import('./pages/signin.js');
  try {
    const page = (await load()).default({ ...to, session, signedIn });
    if (mine !== turn) return page.close?.();
    leave = page.close;
    document.title = `${page.title} · Antiphon`;
    outlet().replaceChildren(page.node);
    markCurrent(session ? to.name : null);
    outlet().querySelector('.tabs [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
    if (focus) {
      outlet().focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  } catch (error) {
    console.error(error);
    outlet().replaceChildren(h('div', { class: 'empty' }, h('h1', {}, t('error.page')), h('p', {}, error.message)));
  }
}

/** Draw everything anew: another language, another session. */
async function draw(options) {
  frame(session, { onLanguage: changeLanguage, onSignedOut: () => signedOut() });
  await show(options);
}

async function changeLanguage(chosen) {
  await speak(chosen, { keep: true });
  await draw({ focus: false });
}

async function signedIn(opened) {
  session = opened;
  begin();
  await draw();
}

function begin() {
  connect();
  resumePlans();
}

function signedOut() {
  if (!session) return;
  session = null;
  disconnect();
  draw();
}

async function start() {
  whenSignedOut(() => {
    if (session) notify(t('session.ended'), 'bad');
    signedOut();
  });
  addEventListener('hashchange', () => show());
  listenForKeys(() => session !== null);
  [session] = await Promise.all([currentSession().catch(() => null), speak(language())]);
  if (session) begin();
  await draw({ focus: false });
}

start();
