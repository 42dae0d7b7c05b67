/** The keys of the song page. */

import { isTyping } from '../help.js';

const STEPS = { ArrowLeft: -5, ArrowRight: 5, PageDown: -30, PageUp: 30, Home: -Infinity, End: Infinity }; // seconds

/** Listen until the function that comes back is called. */
export function listenForPlaying(player, notes) {
  const act = (event) => {
    if (!isTyping(event) && perform(event, player, notes)) event.preventDefault();
  };
  addEventListener('keydown', act);
  return () => removeEventListener('keydown', act);
}

/** Do what a key says; false when it is none of ours, or belongs to the control that has the focus. */
function perform(event, player, notes) {
  const onSlider = event.target.closest('[role=slider]');
  const onControl = event.target.closest('button, a, input, summary');
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  const track = player.tracks[digit - 1];
  if (track) player.mix(track, event.shiftKey ? { muted: !track.muted } : { solo: !track.solo });
  else if (event.key === '+' || event.key === '=') notes.zoomBy(1);
  else if (event.key === '-') notes.zoomBy(-1);
  else if (onControl) return false;
  else if (event.key === ' ') player.toggle();
  else if (event.key in STEPS && (onSlider || !event.key.startsWith('Page'))) player.seek(player.position + STEPS[event.key]);
  else return false;
  return true;
}
