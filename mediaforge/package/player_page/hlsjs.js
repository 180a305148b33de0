// hls.js, for m3u8. The server adds the ClearKey lines that a package for the market has not: see player_hook.py.

import { script } from '/page/script.js';

export async function open(video, setup, fail) {
  await script('/page/vendor/hls.min.js');
  let asked = false;
  let signalled = null;
  video.addEventListener('encrypted', ({ initDataType, initData }) => {
    signalled ??= () => new MediaEncryptedEvent('encrypted', { initDataType, initData });
  });
  const hls = new Hls({
    enableWorker: false, // a worker would need a script made from text, which the page's policy forbids
    emeEnabled: setup.kids.length > 0,
    drmSystems: setup.kids.length ? { 'org.w3.clearkey': { licenseUrl: setup.licence } } : {},
    licenseXhrSetup: (xhr, url) => {
      asked = true;
      xhr.open('POST', url, true);
      xhr.setRequestHeader('Authorization', `Bearer ${setup.token}`);
    },
    maxBufferLength: 8,
  });
  hls.on(Hls.Events.ERROR, (_, error) => {
    const cause = error.error?.message ?? error.reason ?? '';
    if (error.fatal) fail(`hls.js: ${error.type}, ${error.details}${cause ? ` (${cause})` : ''}`);
  });
  // With a clear lead the init segment, and what it signals, comes before the first key line. hls.js forgets it and then takes
  // what the lines hold; a Clear Key line holds nothing. So it is told once more when the first key is wanted.
  hls.on(Hls.Events.KEY_LOADING, () => setTimeout(() => { if (!asked && signalled) video.dispatchEvent(signalled()); }, 0));
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    if (!setup.codec) return;
    for (let at = hls.levels.length - 1; at >= 0; at--) if (!hls.levels[at].videoCodec?.startsWith(setup.codec)) hls.removeLevel(at);
  });
  const ready = new Promise((resolve) => hls.on(Hls.Events.MANIFEST_PARSED, resolve));
  hls.loadSource(setup.manifest);
  hls.attachMedia(video);
  await ready;
  // One rung is listed once for each group of sounds and of subtitles: those of the groups that play are the ladder.
  const groups = (level) => `${level?.audioGroups?.[0]} ${level?.subtitleGroups?.[0]}`;
  const playing = () => groups(hls.levels[Math.max(0, hls.loadLevel)]);
  const offered = () => hls.levels.map((level, id) => ({ level, id })).filter(({ level }) => groups(level) === playing());
  return {
    version: `hls.js ${Hls.version}`,
    rungs: () => offered().map(({ level, id }) => ({ id, bandwidth: level.bitrate, width: level.width, height: level.height })),
    languages: () => hls.subtitleTracks.map(({ lang }) => lang),
    subtitles: (index) => { hls.subtitleDisplay = true; hls.subtitleTrack = index; },
    choose: (rung) => { hls.currentLevel = rung.id; },
  };
}
