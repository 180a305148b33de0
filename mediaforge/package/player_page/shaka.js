// shaka-player, for the MPD and for m3u8.

import { script } from '/page/script.js';

export async function open(video, setup, fail) {
  await script('/page/vendor/shaka-player.compiled-es2021.js');
  const player = new shaka.Player();
  player.addEventListener('error', (event) => fail(worded(event.detail)));
  await player.attach(video);
  const clearKeys = {};
  if (setup.kids.length) {
    const licence = await setup.askLicence(setup.kids);
    for (const { kid, k } of licence.keys) clearKeys[hexadecimal(kid)] = hexadecimal(k);
  }
  player.configure({
    drm: { clearKeys },
    abr: { enabled: false },
    ...(setup.codec ? { preferredVideo: [{ label: '', role: '', language: '', codec: setup.codec, hdrLevel: '', layout: '' }] } : {}),
    // A fault shall end the cell, not be tried again and again.
    streaming: { retryParameters: { maxAttempts: 2 }, bufferingGoal: 8 },
    manifest: { retryParameters: { maxAttempts: 2 } },
  });
  await player.load(setup.manifest).catch((error) => { throw new Error(worded(error)); });
  const tracks = () => player.getVariantTracks();
  const sound = tracks().find((track) => track.active)?.audioId ?? null;
  const offered = () => tracks().filter((track) => (track.audioId ?? null) === sound);
  return {
    version: `shaka-player ${shaka.Player.version}`,
    rungs: () => offered().map(({ id, bandwidth, width, height }) => ({ id, bandwidth, width, height })),
    languages: () => player.getTextTracks().map(({ language }) => language),
    subtitles: (index) => player.selectTextTrack(player.getTextTracks()[index]),
    choose: (rung) => player.selectVariantTrack(tracks().find((track) => track.id === rung.id), true),
  };
}

function worded(error) {
  const name = Object.entries(shaka.util.Error.Code).find(([, code]) => code === error.code)?.[0];
  return `shaka-player: error ${error.code}${name ? ` ${name}` : ''} (${JSON.stringify(error.data ?? []).slice(0, 200)})`;
}

// base64url, as JWK sets have it (RFC 7517), as the hexadecimal digits that shaka-player wants.
function hexadecimal(base64url) {
  const bytes = atob(base64url.replaceAll('-', '+').replaceAll('_', '/'));
  return Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}
