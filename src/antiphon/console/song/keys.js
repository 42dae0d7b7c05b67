/** The keys of the song page. */

import { isTyping } from '../help.js';

const BACK = 5; // seconds

/** Listen until the function that comes back is called. */
export function listenForPlaying(player, notes) {
  function act(event) {
    if (isTyping(event)) return;
    const onControl = event.target.closest('button, a, input, summary, [role=slider]');
    if (!perform(event, player, notes, onControl)) return;
    event.preventDefault();
  }
  addEventListener('keydown', act);
  return () => removeEventListener('keydown', act);
}

function perform(event, player, notes, onControl) {
  const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
  const track = digit && player.tracks[digit - 1];
  if (track) player.mix(track, event.shiftKey ? { muted: !track.muted } : { solo: !track.solo });
  else if (event.key === '+' || event.key === '=') notes.zoomBy(1);
  else if (event.key === '-') notes.zoomBy(-1);
  else if (onControl) return false; // these keys are the control's
  else if (event.key === ' ') player.toggle();
  else if (event.key === 'ArrowLeft') player.seek(player.position - BACK);
  else if (event.key === 'ArrowRight') player.seek(player.position + BACK);
  else if (event.key === 'Home') player.seek(0);
  else return false;
  return true;
}
