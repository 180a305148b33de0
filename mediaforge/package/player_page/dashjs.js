// dash.js, for the MPD.

import { script } from '/page/script.js';

export async function open(video, setup, fail, end) {
  await script('/page/vendor/dash.all.min.js');
  const player = dashjs.MediaPlayer().create();
  const events = dashjs.MediaPlayer.events;
  player.on(events.ERROR, ({ error }) => fail(`dash.js: ${error.message ?? JSON.stringify(error)}`));
  player.on(events.PLAYBACK_ENDED, end); // it pauses at the end by itself, and then the video element has no such event
  player.initialize(video, null, false);
  const drawn = document.getElementById('drawn'); // where it draws IMSC; WebVTT goes into the video's text tracks
  player.attachTTMLRenderingDiv(drawn);
  player.updateSettings({
    debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE },
    streaming: { abr: { autoSwitchBitrate: { video: false, audio: false } }, buffer: { fastSwitchEnabled: true } },
  });
  if (setup.codec) player.registerCustomCapabilitiesFilter(({ mimeType, codecs }) => !mimeType.startsWith('video') || codecs.startsWith(setup.codec));
  if (setup.kids.length) {
    const licence = await setup.askLicence(setup.kids);
    const clearkeys = Object.fromEntries(licence.keys.map(({ kid, k }) => [kid, k]));
    player.setProtectionData({ 'org.w3.clearkey': { clearkeys } });
  }
  const ready = new Promise((resolve) => player.on(events.STREAM_INITIALIZED, resolve));
  player.attachSource(setup.manifest);
  await ready;
  const offered = () => player.getRepresentationsByType('video');
  return {
    version: `dash.js ${player.getVersion()}`,
    rungs: () => offered().map(({ id, bandwidth, width, height }) => ({ id, bandwidth, width, height })),
    languages: () => player.getTracksFor('text').map(({ lang }) => lang),
    subtitles: (index) => { player.enableText(true); player.setTextTrack(index); },
    choose: (rung) => player.setRepresentationForTypeById('video', rung.id, true),
  };
}
