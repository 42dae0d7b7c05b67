/** The frame around every page: where to go, the language, the theme, the keys, the way out. */

import { signOut } from './api.js';
import { button, h, icon } from './dom.js';
import { openHelp } from './help.js';
import { language, t } from './i18n.js';
import { onConnection } from './live.js';

const PLACES = [
  ['', 'note', 'nav.try'],
  ['tasks', 'tasks', 'nav.tasks'],
  ['callbacks', 'callbacks', 'nav.callbacks'],
  ['setup', 'setup', 'nav.setup'],
];
const THEMES = { auto: 'auto', light: 'sun', dark: 'moon' }; // with their icons

let forget = () => {};

/** Fill the header. `session` is null before the sign-in. */
export function frame(session, { onLanguage, onSignedOut }) {
  forget();
  const header = document.querySelector('.bar');
  const mark = header.querySelector('.mark');
  const name = [mark, h('span', {}, 'Antiphon')];
  const wordmark = session
    ? h('a', { class: 'wordmark', href: '#/', 'aria-label': t('nav.home') }, name)
    : h('span', { class: 'wordmark' }, name);
  header.replaceChildren(
    h('a', { class: 'skip', href: '#page', on: { click: skip } }, t('nav.skip')),
    wordmark,
    ...(session ? [navigation()] : []),
    h('div', { class: 'tools' }, session && connection(), languageChoice(onLanguage), themeButton(), ...account(session, onSignedOut)),
  );
}

function skip(event) {
  event.preventDefault();
  document.getElementById('page').focus();
}

function navigation() {
  return h('nav', { class: 'places', 'aria-label': t('nav.label') },
    PLACES.map(([place, drawn, words]) =>
      h('a', { href: `#/${place}`, data: { place } }, icon(drawn), h('span', {}, t(words)))));
}

/** Show where we are; the song page belongs to the first place. */
export function markCurrent(name) {
  for (const link of document.querySelectorAll('.places a')) {
    const here = link.dataset.place === (name === 'song' ? '' : name);
    if (here) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
}

function connection() {
  const sign = h('span', { class: 'connection', role: 'img' });
  forget = onConnection((state) => {
    sign.dataset.state = state;
    sign.ariaLabel = sign.title = t(`live.${state}`);
  });
  return sign;
}

function languageChoice(onLanguage) {
  const [other, label] = language() === 'en' ? ['zh-CN', '中文'] : ['en', 'English'];
  return h('button', { type: 'button', class: 'button quiet language', lang: other, on: { click: () => onLanguage(other) } }, label);
}

function themeButton() {
  const current = () => document.documentElement.dataset.theme ?? 'auto';
  const drawn = button('', { icon: 'auto', kind: 'quiet', on: { click: turn } });
  function show() {
    drawn.replaceChildren(icon(THEMES[current()]));
    drawn.ariaLabel = drawn.title = t(`theme.${current()}`);
  }
  function turn() {
    const names = Object.keys(THEMES);
    const next = names[(names.indexOf(current()) + 1) % names.length];
    if (next === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    localStorage.setItem('antiphon.theme', next);
    show();
    dispatchEvent(new Event('themechange'));
  }
  show();
  return drawn;
}

function account(session, onSignedOut) {
  const help = button('', { icon: 'help', kind: 'quiet', label: t('help.open'), on: { click: openHelp } });
  if (!session) return [help];
  const leave = async () => {
    await signOut().catch(() => {});
    onSignedOut();
  };
  return [
    help,
    h('span', { class: 'who', title: t('session.who') }, session.name),
    button('', { icon: 'leave', kind: 'quiet', label: t('session.leave'), on: { click: leave } }),
  ];
}
