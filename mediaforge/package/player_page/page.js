// One cell: a player is opened on the package and then told, step by step, what a viewer does. Every step ends with what was
// seen, and with what went wrong; none of them waits for ever.
//
// An adapter (shaka.js, dashjs.js, hlsjs.js) exports open(video, setup, fail, end) and resolves, once the player is ready, to
// { version, rungs(), choose(rung), languages(), subtitles(index) }. A rung is { id, bandwidth, width, height } as the manifest
// declares it; languages() are those of the subtitles, and subtitles(index) shows one of them. Where setup.codec names a codec
// (avc1, av01), the player shall take the rungs of that one.

const video = document.getElementById('video');
const errors = [];
let seen = { width: 0, height: 0, at: -1, frames: 0 }; // the last picture that was shown
let adapter = null;
let cue = ''; // the subtitle that this step saw
let title = '';
let patience = 20; // seconds that anything may take
let ended = false;

const fail = (what) => errors.push(String(what));
video.addEventListener('error', () => fail(`the video element: ${video.error.message || `error ${video.error.code}`}`));
const end = () => { ended = video.currentTime > video.duration - 0.1; };
video.addEventListener('ended', end);
window.addEventListener('error', (event) => fail(event.message));
window.addEventListener('unhandledrejection', (event) => fail(event.reason?.message ?? event.reason));
watchPictures();

const steps = {
  async open(setup) {
    title = setup.caption;
    patience = setup.patience;
    video.defaultPlaybackRate = video.playbackRate = setup.speed;
    caption();
    const { open } = await import(`/page/${setup.player}.js`);
    const asking = { ...setup, askLicence: (kids) => askLicence(setup, kids) };
    adapter = await settled(open(video, asking, fail, end), 'the player is not ready');
    await settled(begin(), 'the player does not begin');
    await pictures(setup.play);
  },

  // Whatever the player had in store of another rung, pictures of this one must come.
  async choose(which, seconds) {
    const rungs = offered();
    const rung = which === 'highest' ? rungs.at(-1) : rungs[0];
    adapter.choose(rung);
    const size = `${rung.width}x${rung.height}`;
    await until(() => seen.width === rung.width && seen.height === rung.height, `no picture of ${size} comes`);
    await pictures(seconds);
  },

  async seek(to, seconds) {
    video.currentTime = to;
    await until(() => !video.seeking && seen.at >= to - 0.5 && seen.at <= to + 5, `no picture of ${to.toFixed(2)} s comes`);
    await pictures(seconds);
  },

  // The subtitles of a language are there, can be switched on, and the words that are due are on the screen.
  async subtitles(language, at, text) {
    const same = (name) => canonical(name) === canonical(language);
    await until(() => adapter.languages().some(same), `no subtitles in ${language} are offered`);
    adapter.subtitles(adapter.languages().findIndex(same));
    const back = video.currentTime;
    video.pause(); // the words may come late, and a short title would be over
    video.currentTime = at;
    // dash.js forgets a segment of text that it was loading when the seek came, until the next seek.
    const again = setInterval(() => { if (!shown().includes(text)) video.currentTime = at; }, 3000);
    await until(() => shown().includes(text), `the subtitle "${text}" is not shown`).finally(() => clearInterval(again));
    cue = text;
    video.currentTime = back;
    await settled(begin(), 'the player does not go on');
    await pictures(0.1);
  },

  async finish() {
    await until(() => ended, 'the end is not reached');
  },
};

window.step = async (name, ...details) => {
  try {
    await steps[name](...details);
  } catch (error) {
    if (!errors.includes(error.message)) fail(error.message);
  }
  const row = observed();
  cue = '';
  return row;
};

function observed() {
  const quality = video.getVideoPlaybackQuality();
  return {
    at: video.currentTime,
    width: seen.width,
    height: seen.height,
    frames: quality.totalVideoFrames,
    dropped: quality.droppedVideoFrames,
    sound_bytes: video.webkitAudioDecodedByteCount ?? 0,
    ended,
    rungs: adapter ? offered().map(({ width, height }) => [width, height]) : [],
    cue,
    version: adapter?.version ?? '',
    errors: [...errors],
  };
}

function offered() {
  return [...adapter.rungs()].sort((one, other) => one.bandwidth - other.bandwidth);
}

// What the browser, or the player itself, draws over the picture now; one space between words.
function shown() {
  const drawn = document.getElementById('drawn').innerText.split(/\s+/).filter(Boolean).join(' ');
  const cues = Array.from(video.textTracks).filter(({ mode }) => mode === 'showing').flatMap(({ activeCues }) => Array.from(activeCues ?? []));
  return cues.map((one) => one.getCueAsHTML().textContent.split(/\s+/).filter(Boolean).join(' ')).join(' ') + drawn;
}

// Language tags as BCP 47 spells them; players give an unknown one different names.
function canonical(name) {
  return Intl.getCanonicalLocales(name || 'und')[0];
}

// A player that starts its source anew breaks play() off; what it does then, the pictures tell.
async function begin() {
  try {
    await video.play();
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  }
}

function watchPictures() {
  video.requestVideoFrameCallback((_, picture) => {
    seen = { width: picture.width, height: picture.height, at: picture.mediaTime, frames: seen.frames + 1 };
    caption();
    watchPictures();
  });
}

function caption() {
  const size = seen.width ? ` · ${seen.width}x${seen.height} at ${seen.at.toFixed(2)} s` : '';
  document.getElementById('caption').textContent = title + size;
}

// Until so many seconds more of the title were shown, or it is over.
function pictures(seconds) {
  const begin = video.currentTime;
  const count = seen.frames;
  const holds = () => (video.currentTime >= begin + seconds && seen.frames > count) || ended;
  return until(holds, `no picture comes after ${begin.toFixed(2)} s`);
}

function until(holds, otherwise) {
  const deadline = performance.now() + patience * 1000;
  return new Promise((resolve, reject) => {
    const look = () => {
      if (errors.length) reject(new Error(errors[0]));
      else if (holds()) resolve();
      else if (performance.now() > deadline) reject(new Error(`${otherwise} within ${patience} s`));
      else setTimeout(look, 20);
    };
    look();
  });
}

// A player may report an error and leave its promise open for ever.
async function settled(promise, otherwise) {
  let done = false;
  const watched = Promise.resolve(promise).finally(() => { done = true; });
  watched.catch(() => {});
  await until(() => done, otherwise);
  return watched;
}

// The keys as a JWK set (EME, 9.1.4): only who has this cell's token gets them, so neither an address nor a log does.
async function askLicence(setup, kids) {
  const answer = await fetch(setup.licence, {
    method: 'POST',
    headers: { Authorization: `Bearer ${setup.token}` },
    body: JSON.stringify({ kids, type: 'temporary' }),
  });
  if (!answer.ok) throw new Error(`no licence: ${answer.status}`);
  return answer.json();
}
