/** What there is of a song, from the tasks of its family. */

import { address, query } from '../api.js';

const BUCKETS = 1600;
const SOUNDS = /^audio\//;

/**
 * What can be used of `tasks`, as `/tasks/{id}/family` gives them, the upload first: `root`, `title`, `duration`, `tracks`,
 * `midis` and `videos`, the newest first, and `separation`, the newest that succeeded.
 */
export function readFamily(tasks) {
  const root = tasks[0];
  const usable = tasks.filter((task) => task.state === 'succeeded' && task.artifacts.length);
  const of = (kind) => usable.filter((task) => task.kind === kind).reverse();
  const separations = of('separation');
  const origin = root.artifacts.find((artifact) => artifact.name === 'origin');
  const tracks = [
    ...(origin ? [trackOf(root, origin)] : []),
    ...separations.flatMap((task) => task.artifacts.filter((artifact) => SOUNDS.test(artifact.contentType)).map((artifact) => trackOf(task, artifact))),
  ];
  return {
    root,
    title: root.parameters?.title ?? root.title,
    duration: origin?.duration ?? root.parameters?.duration ?? Math.max(0, ...tracks.map((track) => track.duration)),
    tracks,
    separation: separations[0],
    midis: of('midi'),
    videos: of('video'),
  };
}

/** A sound of a task. */
function trackOf(task, artifact) {
  const path = (part) => `/tasks/${task.taskId}/${part}/${encodeURIComponent(artifact.name)}`;
  return {
    id: `${task.taskId}-${artifact.name}`,
    taskId: task.taskId,
    stem: artifact.name,
    duration: artifact.duration,
    peaksPath: path('peaks') + query({ buckets: BUCKETS }),
    pieceUrl: (n) => address(`${path('segments')}/${n}`),
  };
}

/** Which tracks sound at first: the newest stems, or the song as it came. */
export function firstMix({ tracks, separation }) {
  const chosen = separation?.taskId ?? tracks[0]?.taskId;
  return new Set(tracks.filter((track) => track.taskId === chosen).map((track) => track.id));
}
